-- A campaign that is run again: of this list it takes up those contacts only that the other
-- campaign had, all of them or those that it did not reach with success.
ALTER TABLE campaign_list ADD COLUMN again BIGINT;
ALTER TABLE campaign_list ADD COLUMN again_all BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX campaign_list_again ON campaign_list (again) WHERE again IS NOT NULL;

-- Being removed for good: nobody sees it any more.
ALTER TABLE campaign ADD COLUMN purged_at BIGINT;
-- Deleted campaigns, in the order in which they are removed for good.
CREATE INDEX campaign_deleted ON campaign (account, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX campaign_refusal ON refusal (campaign);
