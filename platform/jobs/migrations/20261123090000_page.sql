-- The list of an account's jobs, the newest first, all or those in one state.
CREATE INDEX job_page ON job (account, id);
CREATE INDEX job_page_state ON job (account, state, id);
