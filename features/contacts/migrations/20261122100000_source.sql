-- Where a list is loaded from again and again, and each of these loads.

-- csv, xlsx, sheet or feed.
ALTER TABLE import ADD COLUMN source TEXT NOT NULL DEFAULT 'csv';

CREATE TABLE contact_source (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  list BIGINT NOT NULL REFERENCES contact_list (id),
  -- sheet or feed.
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Everything but the secret.
  settings JSONB NOT NULL,
  -- Token, password, header value or key file, sealed.
  secret BYTEA,
  -- Minutes from one load to the next; empty when a person asks for each.
  every_min BIGINT,
  enabled BOOLEAN NOT NULL,
  -- Saved as it was tested.
  tested BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  changed_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX contact_source_of_list ON contact_source (list, id);

-- One load. What became of its rows stands in its import.
CREATE TABLE source_pull (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  source BIGINT NOT NULL REFERENCES contact_source (id),
  -- The job that does it: an attempt after a crash goes on with the same row.
  job BIGINT NOT NULL,
  -- fetching, taken (an import has the rows) or failed.
  state TEXT NOT NULL,
  import BIGINT,
  -- What went wrong: a code and its figures.
  fault JSONB,
  status BIGINT,
  bytes BIGINT NOT NULL,
  -- The beginning of the answer, kept for a week.
  sample TEXT,
  started_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE UNIQUE INDEX source_pull_job ON source_pull (job);
CREATE INDEX source_pull_page ON source_pull (source, id);
CREATE INDEX source_pull_import ON source_pull (import) WHERE import IS NOT NULL;
