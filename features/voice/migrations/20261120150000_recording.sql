-- Recordings of calls that are whole on the disk.
CREATE TABLE recording (
  attempt BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  -- account/day/attempt, beneath the folder of recordings.
  file TEXT NOT NULL,
  -- In microseconds.
  duration BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  -- When it is deleted; null is never.
  expires_at BIGINT
);
CREATE INDEX recording_expiry ON recording (expires_at, attempt);
CREATE INDEX recording_age ON recording (created_at, attempt);
