-- The records HQ's people keep: themselves, stores, terminals, members, the
-- catalogue. Small tables have no shard; members and vouchers have their account's.
-- A zero time and empty bytes mean: not yet.

CREATE TABLE people (
  id BYTEA NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  folded TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
  id BYTEA NOT NULL PRIMARY KEY,
  person BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);

CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE stores (
  id BYTEA NOT NULL PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  currency TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE terminals (
  id BYTEA NOT NULL PRIMARY KEY,
  store BYTEA NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  public_key BYTEA NOT NULL,
  software TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  enrolled_at BIGINT NOT NULL,
  last_contact_at BIGINT NOT NULL,
  head_seq BIGINT NOT NULL,
  acked_seq BIGINT NOT NULL,
  UNIQUE (store, name)
);

-- The key of every epoch, for ever: what an epoch wrote may arrive years later.
CREATE TABLE terminal_keys (
  public_key BYTEA NOT NULL PRIMARY KEY,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  UNIQUE (terminal, epoch)
);

CREATE TABLE enrolment_codes (
  hash BYTEA NOT NULL PRIMARY KEY,
  terminal BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  used_key BYTEA NOT NULL
);

CREATE INDEX enrolment_codes_terminal ON enrolment_codes (terminal);

CREATE TABLE members (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  account BYTEA NOT NULL,
  alias TEXT NOT NULL,
  reference TEXT NOT NULL,
  folded_alias TEXT NOT NULL,
  folded_reference TEXT NOT NULL,
  salt BYTEA NOT NULL,
  issue INTEGER NOT NULL,
  blocked SMALLINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX members_id ON members (id);

CREATE INDEX members_alias ON members (folded_alias);

CREATE INDEX members_reference ON members (folded_reference);

-- Holds a member's reference to one member over all shards.
CREATE TABLE member_references (
  reference TEXT NOT NULL PRIMARY KEY,
  member BYTEA NOT NULL
);

CREATE TABLE rewards (
  id BYTEA NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL
);

-- Every version of the rule set and of the policy, the highest in force.
CREATE TABLE programme_versions (
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (kind, version)
);

CREATE TABLE vouchers (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  member BYTEA NOT NULL,
  account BYTEA NOT NULL,
  reward BYTEA NOT NULL,
  uses BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX vouchers_id ON vouchers (id);

CREATE INDEX vouchers_member ON vouchers (member, id);

-- What was answered to a write, sealed, for as long as the record it made.
CREATE TABLE answers (
  id BYTEA NOT NULL PRIMARY KEY,
  request BYTEA NOT NULL,
  status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX exceptions_id ON exceptions (id);
