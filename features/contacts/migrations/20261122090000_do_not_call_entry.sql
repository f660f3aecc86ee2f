-- The do-not-call list gets entries of their own: for the whole account, one campaign or one list,
-- with where they came from and until when they hold.

CREATE TABLE do_not_call_entry (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  phone TEXT NOT NULL,
  -- account, campaign or list; the id of the campaign or list, 0 for the account.
  scope TEXT NOT NULL,
  target BIGINT NOT NULL,
  -- by_hand, contact (the button on a contact's row) or file.
  source TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Counts up with every change, so that facts about the entry have an order.
  version BIGINT NOT NULL,
  changed_by BIGINT NOT NULL,
  forbidden_at BIGINT NOT NULL,
  -- From this moment on the entry forbids nothing; a job then takes it off.
  expires_at BIGINT,
  -- Taken off the list again; the row stays for its version.
  lifted_at BIGINT
);
CREATE UNIQUE INDEX do_not_call_entry_key ON do_not_call_entry (account, phone, scope, target);
CREATE INDEX do_not_call_entry_page ON do_not_call_entry (account, id) WHERE lifted_at IS NULL;
CREATE INDEX do_not_call_entry_expiry ON do_not_call_entry (account, expires_at)
  WHERE lifted_at IS NULL AND expires_at IS NOT NULL;

INSERT INTO do_not_call_entry (id, account, phone, scope, target, source, reason, version,
                               changed_by, forbidden_at, expires_at, lifted_at)
SELECT ROW_NUMBER() OVER (ORDER BY forbidden_at, account, phone), account, phone, 'account', 0,
       'contact', reason, version, changed_by, forbidden_at, NULL, lifted_at
FROM do_not_call;

DROP TABLE do_not_call;
