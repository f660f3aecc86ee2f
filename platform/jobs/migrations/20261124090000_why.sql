-- Why it failed or is tried again, as pages say it: a code and the values of its sentence. What stands
-- in `reason` is the English for whoever looks after the server.
ALTER TABLE job ADD COLUMN reason_code TEXT;
ALTER TABLE job ADD COLUMN reason_params JSONB;
