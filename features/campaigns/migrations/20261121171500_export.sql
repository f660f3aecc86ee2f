-- Files of contacts or calls that somebody asked for. The bytes are among the blobs, under
-- `export/{account}/{id}`.
CREATE TABLE campaign_export (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  -- contacts or attempts.
  what TEXT NOT NULL,
  -- csv or xlsx.
  format TEXT NOT NULL,
  -- What the rows were filtered by.
  filter JSONB NOT NULL,
  language TEXT NOT NULL,
  -- Who asked.
  person BIGINT NOT NULL,
  job BIGINT NOT NULL,
  -- running, ready, failed or cancelled.
  state TEXT NOT NULL,
  -- Rows written so far, of how many when that is known.
  done BIGINT NOT NULL,
  total BIGINT,
  bytes BIGINT,
  problem TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX campaign_export_page ON campaign_export (campaign, id);
CREATE INDEX campaign_export_age ON campaign_export (expires_at);
