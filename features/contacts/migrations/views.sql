-- What other features may read of contacts.

CREATE VIEW v_contact_list AS
SELECT account, id AS list, name FROM contact_list WHERE deleted_at IS NULL;

-- Not a join: SQLite would make all of it before it looks up one row on the right of a LEFT JOIN.
CREATE VIEW v_list_contact AS
SELECT c.account, c.list, c.id AS contact, c.external_id, c.name, c.zone, c.variables, c.updated_at
FROM list_contact c
WHERE EXISTS (SELECT 1 FROM contact_list l WHERE l.id = c.list AND l.deleted_at IS NULL);

CREATE VIEW v_list_number AS
SELECT account, contact, phone, ordinal, kind FROM list_number;

-- Who asks compares expires_at with its own time: the job that takes entries off comes later.
CREATE VIEW v_do_not_call AS
SELECT account, phone, scope, target, expires_at FROM do_not_call_entry WHERE lifted_at IS NULL;
