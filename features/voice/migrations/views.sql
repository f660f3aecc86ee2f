-- What other features may read of voice.

CREATE VIEW v_audio AS SELECT account, id AS audio, name, duration FROM audio;
CREATE VIEW v_recording AS SELECT account, attempt, duration, bytes, heard_at FROM recording
WHERE expires_at IS NULL;
CREATE VIEW v_line AS SELECT account, id AS line, name, mode FROM line;
