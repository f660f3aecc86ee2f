-- Hours and attempt rules under names, which campaigns choose. A campaign holds a copy of what it
-- chose, so that every version of its settings is whole; a change of the original is carried over.

CREATE TABLE calendar (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- The name in small letters: one calendar of a name in an account.
  name_key TEXT NOT NULL,
  notes TEXT NOT NULL,
  zone TEXT NOT NULL,
  -- The week, and the dates with other hours.
  week JSONB NOT NULL,
  exceptions JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX calendar_name ON calendar (account, name_key);

CREATE TABLE attempt_rule (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  body JSONB NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX attempt_rule_name ON attempt_rule (account, name_key);

ALTER TABLE campaign ADD COLUMN calendar BIGINT;
ALTER TABLE campaign ADD COLUMN attempt_rule BIGINT;
CREATE INDEX campaign_calendar ON campaign (account, calendar) WHERE calendar IS NOT NULL;
CREATE INDEX campaign_attempt_rule ON campaign (account, attempt_rule)
  WHERE attempt_rule IS NOT NULL;

-- Numbers of the contact that turned out to be none: bit n for its number n.
ALTER TABLE campaign_contact ADD COLUMN dead_numbers BIGINT NOT NULL DEFAULT 0;
