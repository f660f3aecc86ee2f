-- What became of the calls on contacts that began within a span: what charts are drawn from. Kept
-- by the unit of work that ends the call.
CREATE TABLE campaign_pulse (
  account BIGINT NOT NULL,
  campaign BIGINT NOT NULL REFERENCES campaign (id),
  -- Length of the span in seconds: 60, kept for two days, and 900, kept for good. Every time zone
  -- turns its hours at a quarter of an hour.
  span BIGINT NOT NULL,
  began_at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  calls BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  PRIMARY KEY (campaign, span, began_at, outcome)
);
CREATE INDEX campaign_pulse_age ON campaign_pulse (span, began_at);

INSERT INTO campaign_pulse (account, campaign, span, began_at, outcome, calls, answered)
SELECT account, campaign, 900, claimed_at / 900000000 * 900000000, outcome, COUNT(*),
  SUM(CASE WHEN answered_at IS NULL THEN 0 ELSE 1 END)
FROM attempt WHERE contact IS NOT NULL AND outcome IS NOT NULL
GROUP BY account, campaign, claimed_at / 900000000 * 900000000, outcome;

-- The causes behind the results: `cause:failed:503`.
INSERT INTO campaign_count (account, campaign, what, n)
SELECT account, campaign, 'cause:' || outcome || ':' || CAST(sip_code AS TEXT), COUNT(*)
FROM attempt WHERE contact IS NOT NULL AND outcome IS NOT NULL AND sip_code IS NOT NULL
GROUP BY account, campaign, outcome, sip_code;

-- All contacts of a campaign in the order in which they were taken up.
CREATE INDEX campaign_contact_all ON campaign_contact (campaign, id);
