-- Workbooks with their sheets, and what the columns of a file held the last time.

-- The names of the sheets that a workbook has, and the one that is read.
ALTER TABLE import ADD COLUMN sheets JSONB NOT NULL DEFAULT '[]';
ALTER TABLE import ADD COLUMN sheet TEXT;
-- When the mapping that is suggested was last used; empty when it is a guess.
ALTER TABLE import ADD COLUMN preset_at BIGINT;

-- The mapping that an account last used for a set of heads, in whatever order and case.
CREATE TABLE mapping_preset (
  account BIGINT NOT NULL,
  columns_key TEXT NOT NULL,
  mapping JSONB NOT NULL,
  region TEXT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (account, columns_key)
);

DROP INDEX import_mapping;
ALTER TABLE import DROP COLUMN columns_key;
