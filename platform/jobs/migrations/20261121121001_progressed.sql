-- The attempt that last got anywhere: only those after it count against a job.
ALTER TABLE job ADD COLUMN progressed BIGINT NOT NULL DEFAULT 0;
