-- Lines: SIP trunks and accounts that calls leave on.
CREATE TABLE line (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- registration | address
  mode TEXT NOT NULL,
  host TEXT NOT NULL,
  port BIGINT NOT NULL,
  login TEXT,
  auth_login TEXT,
  -- Sealed with the installation's key; the context names account, line and column.
  password BYTEA,
  realm TEXT,
  -- How long a registration is asked to last, in seconds.
  expires_s BIGINT NOT NULL,
  caller_id TEXT,
  channels BIGINT NOT NULL,
  -- Calls begun per second, in thousandths.
  rate BIGINT NOT NULL,
  -- JSON array of codec names, the preferred first.
  codecs JSONB NOT NULL,
  enabled BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX line_name ON line (account, name);
