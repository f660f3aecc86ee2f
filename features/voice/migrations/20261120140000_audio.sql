-- The audio library: sound files that people uploaded, levelled for the telephone.
CREATE TABLE audio (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  -- wav | mp3 | flac | ogg_vorbis
  format TEXT NOT NULL,
  channels BIGINT NOT NULL,
  sample_rate BIGINT NOT NULL,
  -- Of the prompt, in microseconds.
  duration BIGINT NOT NULL,
  -- Of the uploaded file.
  bytes BIGINT NOT NULL,
  -- Of the uploaded file, in LUFS; null for silence.
  loudness DOUBLE PRECISION,
  -- What levelling added, in dB.
  gain DOUBLE PRECISION NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX audio_account ON audio (account, created_at, id);
