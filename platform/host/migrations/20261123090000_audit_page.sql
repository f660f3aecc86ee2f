-- From which address somebody asked; empty where the program acted.
ALTER TABLE audit ADD COLUMN address TEXT;
-- The trail, the newest first: all of it, or what was done by somebody, to something, of one kind.
CREATE INDEX audit_page ON audit (account, id);
CREATE INDEX audit_person ON audit (account, person, id);
CREATE INDEX audit_subject ON audit (account, subject, id);
CREATE INDEX audit_action ON audit (account, action, id);
CREATE INDEX audit_deed ON audit (account, person, action, id);

-- For how many days an account keeps its trail; no row is for ever.
CREATE TABLE audit_retention (
  account BIGINT PRIMARY KEY,
  days BIGINT NOT NULL
);
