-- Answers kept for Idempotency-Key. `response` is sealed: it may hold a one-time link.
CREATE TABLE reply (
  account BIGINT NOT NULL,
  person BIGINT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request BYTEA NOT NULL,
  status BIGINT,
  content_type TEXT,
  response BYTEA,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, person, idempotency_key)
);
CREATE INDEX reply_created_at ON reply (created_at);
