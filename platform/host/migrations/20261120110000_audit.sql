-- Who did what, kept for good. `person` is empty where nobody was signed in or the program acted.
CREATE TABLE audit (
  id BIGINT NOT NULL PRIMARY KEY,
  account BIGINT NOT NULL,
  person BIGINT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail JSONB NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX audit_account ON audit (account, at, id);
