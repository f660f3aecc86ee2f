-- Lists, their contacts and numbers, loads of files into them, and the do-not-call list.

-- The counters are kept by the unit of work that changes what they count, so that a page never
-- counts a million rows.
CREATE TABLE contact_list (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- The name in small letters: one list of a name in an account.
  name_key TEXT NOT NULL,
  contacts BIGINT NOT NULL,
  numbers BIGINT NOT NULL,
  -- Numbers of the list that may not be called.
  do_not_call BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- Hidden from this moment on; a job then removes the contacts in units.
  deleted_at BIGINT
);
CREATE UNIQUE INDEX contact_list_name ON contact_list (account, name_key) WHERE deleted_at IS NULL;

CREATE TABLE list_contact (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  list BIGINT NOT NULL REFERENCES contact_list (id),
  external_id TEXT,
  name TEXT NOT NULL,
  -- The number that is called first; with the external id it tells contacts of a list apart.
  first_phone TEXT NOT NULL,
  zone TEXT,
  variables JSONB NOT NULL,
  -- How the contact came in: csv.
  source TEXT NOT NULL,
  -- The last import that named it, which tells a duplicate within a file from an update.
  import BIGINT NOT NULL,
  -- External id, name and digits in small letters, for the search box.
  search TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX list_contact_external_id ON list_contact (list, external_id)
  WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX list_contact_first_phone ON list_contact (list, first_phone);
CREATE INDEX list_contact_page ON list_contact (list, id);
-- What changed since a moment, for campaigns that take contacts up.
CREATE INDEX list_contact_changed ON list_contact (list, updated_at, id);

CREATE TABLE list_number (
  account BIGINT NOT NULL,
  list BIGINT NOT NULL,
  contact BIGINT NOT NULL REFERENCES list_contact (id),
  -- From 0, in the order of calling.
  ordinal BIGINT NOT NULL,
  phone TEXT NOT NULL,
  -- mobile, fixed, fixed_or_mobile or other, by the country's numbering plan.
  kind TEXT NOT NULL,
  PRIMARY KEY (contact, ordinal)
);
CREATE INDEX list_number_phone ON list_number (account, phone);

CREATE TABLE import (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  list BIGINT NOT NULL REFERENCES contact_list (id),
  -- previewing, ready, running, done, cancelled or failed.
  state TEXT NOT NULL,
  filename TEXT NOT NULL,
  -- Where the file lies while it is needed; empty afterwards.
  blob_key TEXT,
  bytes BIGINT NOT NULL,
  encoding TEXT NOT NULL,
  delimiter TEXT NOT NULL,
  has_header BOOLEAN NOT NULL,
  columns JSONB NOT NULL,
  -- The columns in small letters, by which a mapping is remembered.
  columns_key TEXT NOT NULL,
  sample JSONB NOT NULL,
  mapping JSONB NOT NULL,
  region TEXT NOT NULL,
  -- The cursor: bytes and lines of the file that committed units have taken.
  next_byte BIGINT NOT NULL,
  next_line BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  added BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  unchanged BIGINT NOT NULL,
  duplicates BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  warnings BIGINT NOT NULL,
  -- Rows in import_row; more are counted only.
  kept BIGINT NOT NULL,
  problem TEXT,
  job BIGINT,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  finished_at BIGINT
);
CREATE INDEX import_of_list ON import (list, id);
CREATE INDEX import_mapping ON import (account, columns_key, started_at);

-- Rows that were not taken, or not whole.
CREATE TABLE import_row (
  account BIGINT NOT NULL,
  import BIGINT NOT NULL REFERENCES import (id),
  line BIGINT NOT NULL,
  reason TEXT NOT NULL,
  -- The cells as they were read.
  cells JSONB NOT NULL,
  PRIMARY KEY (import, line)
);

CREATE TABLE do_not_call (
  account BIGINT NOT NULL,
  phone TEXT NOT NULL,
  reason TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed_by BIGINT NOT NULL,
  forbidden_at BIGINT NOT NULL,
  -- Taken off the list again; the row stays, since its version orders the facts.
  lifted_at BIGINT,
  PRIMARY KEY (account, phone)
);
