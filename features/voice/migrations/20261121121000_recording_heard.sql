-- When somebody first listened to a recording.
ALTER TABLE recording ADD COLUMN heard_at BIGINT;
CREATE INDEX recording_heard ON recording (account, attempt) WHERE heard_at IS NOT NULL;
