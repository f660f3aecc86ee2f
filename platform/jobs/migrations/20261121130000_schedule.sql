-- Work that comes back: at its moment a job of the kind is enqueued, and the next moment is set.
CREATE TABLE job_schedule (
  account BIGINT NOT NULL,
  kind TEXT NOT NULL,
  -- One schedule of a kind for a key, which the jobs carry as well: a job that has not begun yet
  -- is not joined by a second one.
  dedupe TEXT NOT NULL,
  payload JSONB NOT NULL,
  -- Microseconds from one moment to the next.
  every BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  PRIMARY KEY (account, kind, dedupe)
);
CREATE INDEX job_schedule_due ON job_schedule (next_at);
