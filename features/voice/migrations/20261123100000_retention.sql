-- For how many days an account keeps its recordings; no row is for ever.
CREATE TABLE recording_retention (
  account BIGINT PRIMARY KEY,
  days BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- A person keeps it, whatever the account's days say.
ALTER TABLE recording ADD COLUMN kept_at BIGINT;
ALTER TABLE recording ADD COLUMN kept_by BIGINT;
CREATE INDEX recording_free ON recording (account, created_at, attempt) WHERE kept_at IS NULL;
CREATE INDEX recording_kept ON recording (account, created_at, attempt) WHERE kept_at IS NOT NULL;

-- From now on `expires_at` is the mark of a recording that is being removed: nobody hears it any
-- more, its files go next and its row last. How old recordings may become is the account's choice.
UPDATE recording SET expires_at = NULL;
