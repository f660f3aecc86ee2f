-- Campaigns, their contacts and attempts.

CREATE TABLE campaign (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  notes TEXT NOT NULL,
  -- draft, running, paused, completed or stopped.
  state TEXT NOT NULL,
  -- Contacts are being made from the lists.
  preparing BOOLEAN NOT NULL,
  -- The settings as the form shows them; the two columns after it repeat what others ask for.
  setup JSONB NOT NULL,
  line BIGINT,
  audio BIGINT,
  -- Counts up with every edit of the settings; attempts name the one they were made under.
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  started_at BIGINT,
  completed_at BIGINT,
  deleted_at BIGINT
);
CREATE INDEX campaign_page ON campaign (account, id);
CREATE INDEX campaign_state ON campaign (account, state);
CREATE INDEX campaign_running ON campaign (state, account);

-- The lists that a campaign calls, and how far each has been read.
CREATE TABLE campaign_list (
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  list BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  -- Contacts changed up to here have been taken up; a little less, for units that commit late.
  read_to BIGINT NOT NULL,
  PRIMARY KEY (campaign, list)
);
CREATE INDEX campaign_list_list ON campaign_list (account, list);

CREATE TABLE campaign_contact (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  list_contact BIGINT NOT NULL,
  external_id TEXT,
  name TEXT NOT NULL,
  -- The number that is called now, and the one that told the contact apart when it was taken up.
  phone TEXT NOT NULL,
  first_phone TEXT NOT NULL,
  -- Which of its numbers that is, from 0, and how many it has.
  number BIGINT NOT NULL,
  numbers BIGINT NOT NULL,
  zone TEXT,
  state TEXT NOT NULL,
  -- The group of the state, by which pages filter.
  state_group TEXT NOT NULL,
  next_at BIGINT NOT NULL,
  -- Attempts that count, and attempts at all.
  attempts BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  last_outcome TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX campaign_contact_external_id ON campaign_contact (campaign, external_id)
  WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX campaign_contact_first_phone ON campaign_contact (campaign, first_phone);
CREATE INDEX campaign_contact_due ON campaign_contact (campaign, state, next_at, id);
CREATE INDEX campaign_contact_page ON campaign_contact (campaign, state_group, id);
CREATE INDEX campaign_contact_phone ON campaign_contact (account, phone);
CREATE INDEX campaign_contact_source ON campaign_contact (campaign, list_contact);

CREATE TABLE attempt (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  -- None for a test call.
  contact BIGINT REFERENCES campaign_contact (id),
  ordinal BIGINT NOT NULL,
  phone TEXT NOT NULL,
  line BIGINT NOT NULL,
  -- The process that made it.
  boot BIGINT NOT NULL,
  call_id TEXT NOT NULL,
  settings_version BIGINT NOT NULL,
  claimed_at BIGINT NOT NULL,
  invited_at BIGINT,
  ringing_at BIGINT,
  answered_at BIGINT,
  ended_at BIGINT,
  outcome TEXT,
  sip_code BIGINT,
  q850 BIGINT,
  local_cause TEXT,
  ended_by TEXT,
  -- Whether it counts against the contact's attempts.
  spent BOOLEAN NOT NULL,
  recording_key TEXT,
  recording_ms BIGINT,
  recording_bytes BIGINT,
  -- What ends the call after a restart.
  dialog JSONB,
  rtp JSONB
);
CREATE UNIQUE INDEX attempt_ordinal ON attempt (contact, ordinal) WHERE contact IS NOT NULL;
CREATE INDEX attempt_page ON attempt (campaign, id);
CREATE INDEX attempt_outcome ON attempt (campaign, outcome, id);
CREATE INDEX attempt_phone ON attempt (account, phone, claimed_at);
CREATE INDEX attempt_open ON attempt (account, id) WHERE ended_at IS NULL;

-- How many contacts of a campaign are in a state, and how many of its attempts had an outcome:
-- `contact:callable`, `outcome:busy`. Kept by the unit of work that changes what is counted.
CREATE TABLE campaign_count (
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  what TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (campaign, what)
);

-- Why the gate refused a contact: one row for each reason, counted, kept 30 days.
CREATE TABLE refusal (
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL,
  contact BIGINT NOT NULL,
  reason TEXT NOT NULL,
  -- What the gate saw the last time.
  detail JSONB NOT NULL,
  n BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (contact, reason)
);
CREATE INDEX refusal_age ON refusal (last_at);

-- Which process dials for an account. Every claim checks the epoch.
CREATE TABLE dialer_lease (
  account BIGINT PRIMARY KEY,
  boot BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  taken_at BIGINT NOT NULL
);
