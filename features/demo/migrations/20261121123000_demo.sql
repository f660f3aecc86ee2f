-- What was made for an account's first campaign. A part that is not there is null; the campaign
-- stays named after the set is removed, so that the step which it ticked stays ticked.
CREATE TABLE demo_set (
  account BIGINT NOT NULL PRIMARY KEY,
  line BIGINT,
  audio BIGINT,
  list BIGINT,
  campaign BIGINT,
  loaded_at BIGINT NOT NULL,
  -- Removed from this moment on; null while it is there.
  removed_at BIGINT
);

-- First steps that were put away.
CREATE TABLE first_steps (
  account BIGINT NOT NULL PRIMARY KEY,
  dismissed_at BIGINT NOT NULL
);
