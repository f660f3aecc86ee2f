-- Facts on their way from the unit of work that made them true to those who listen.
CREATE TABLE outbox (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  -- Topic and key: `campaign.changed:123`. Facts of one subject are delivered in order.
  subject TEXT NOT NULL,
  -- The counter of the row that the fact is about; orders the facts of a subject.
  version BIGINT NOT NULL,
  payload JSONB NOT NULL,
  created_at BIGINT NOT NULL,
  -- Deliveries that failed, and when to try again. The whole subject waits until then.
  failures BIGINT NOT NULL DEFAULT 0,
  retry_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_subject ON outbox (account, subject, version, id);
CREATE INDEX outbox_retry ON outbox (account, subject, retry_at) WHERE retry_at > 0;

-- One row, written when nothing else was for a while: whether the database takes work.
CREATE TABLE db_heartbeat (
  id BIGINT PRIMARY KEY,
  beat_at BIGINT NOT NULL
);
