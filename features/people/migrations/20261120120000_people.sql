-- Accounts, the people in them, and how they come in.
CREATE TABLE account (
  account BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  language TEXT NOT NULL,
  -- True for the first account, whose owner owns the installation.
  install BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE person (
  id BIGINT NOT NULL PRIMARY KEY,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  -- The address in lower case: one person per address in the whole installation.
  email_key TEXT NOT NULL UNIQUE,
  -- Argon2id in the PHC format; empty until the invitation is accepted.
  password TEXT,
  role TEXT NOT NULL,
  owner BOOLEAN NOT NULL,
  language TEXT NOT NULL,
  theme TEXT NOT NULL,
  -- Empty: the account's.
  time_zone TEXT,
  created_at BIGINT NOT NULL,
  seen_at BIGINT,
  disabled_at BIGINT
);
CREATE INDEX person_account ON person (account, id);

CREATE TABLE session (
  id BIGINT NOT NULL PRIMARY KEY,
  account BIGINT NOT NULL,
  person BIGINT NOT NULL,
  -- SHA-256 of the token in the cookie.
  token BYTEA NOT NULL UNIQUE,
  stay BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  agent TEXT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX session_person ON session (account, person, id);
CREATE INDEX session_expires_at ON session (expires_at);

CREATE TABLE invite (
  person BIGINT NOT NULL PRIMARY KEY,
  account BIGINT NOT NULL,
  token BYTEA NOT NULL UNIQUE,
  invited_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- The way in for the owner of an account without one. Account 0 is the first, not yet made.
CREATE TABLE setup_token (
  account BIGINT NOT NULL PRIMARY KEY,
  token BYTEA NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
