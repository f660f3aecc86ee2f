-- What other features may read of campaigns.

-- What campaigns that are not over hold on to.
CREATE VIEW v_campaign_use AS
SELECT account, id AS campaign, name, state, line, audio FROM campaign
WHERE deleted_at IS NULL AND state IN ('running', 'paused');

-- Every campaign, deleted or not.
CREATE VIEW v_campaign AS
SELECT account, id AS campaign, name, state, line, started_at, deleted_at FROM campaign;
