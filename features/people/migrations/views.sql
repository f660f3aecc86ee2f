-- What other features may know about an account.
CREATE VIEW v_account AS
SELECT account, name, time_zone, country, language FROM account;

-- The names of people, for pages that say who did something.
CREATE VIEW v_person AS
SELECT account, id AS person, name FROM person;
