-- Background work: one row per job, from the wish to its end and 30 days on.
CREATE TABLE job (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  kind TEXT NOT NULL,
  payload JSONB NOT NULL,
  -- At most one job of a kind waits with the same key.
  dedupe TEXT,
  -- ready, retry (waits for another attempt), running, done, failed, cancelled.
  state TEXT NOT NULL,
  -- Not before this moment.
  run_at BIGINT NOT NULL,
  -- How often it was begun.
  attempt BIGINT NOT NULL DEFAULT 0,
  -- Where the next attempt goes on.
  progress_cursor JSONB,
  units_done BIGINT NOT NULL DEFAULT 0,
  units_total BIGINT,
  cancel_at BIGINT,
  -- The start of the process that runs it, and until when it is its alone.
  boot BIGINT,
  lease_until BIGINT,
  -- Why it failed, or why it is tried again.
  reason TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT
);
CREATE UNIQUE INDEX job_waiting ON job (account, kind, dedupe)
  WHERE dedupe IS NOT NULL AND state = 'ready';
CREATE INDEX job_same ON job (account, kind, dedupe) WHERE dedupe IS NOT NULL;
CREATE INDEX job_due ON job (run_at, id) WHERE state IN ('ready', 'retry', 'running');
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
