-- What other features may know about an account.
CREATE VIEW v_account AS
SELECT account, name, time_zone, country, language FROM account;
