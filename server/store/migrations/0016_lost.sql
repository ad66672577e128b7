-- That a terminal will not come back, as one person declares and another confirms.
-- state: 1 declared, 2 confirmed, 3 withdrawn, 4 found. number counts those of a terminal.
-- bound is the CBOR of what it can cost.
CREATE TABLE lost_declarations (
  terminal BYTEA NOT NULL,
  number BIGINT NOT NULL,
  id BYTEA NOT NULL,
  store BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  declared_by BYTEA NOT NULL,
  declared_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  decided_by BYTEA NOT NULL,
  decided_at BIGINT NOT NULL,
  found_by BYTEA NOT NULL,
  found_at BIGINT NOT NULL,
  head_seq BIGINT NOT NULL,
  head_hash BYTEA NOT NULL,
  said_seq BIGINT NOT NULL,
  last_contact BIGINT NOT NULL,
  bound BYTEA NOT NULL,
  PRIMARY KEY (terminal, number)
);

-- Since when a member's pass has which issue number, from the second on: an older one was
-- replaced by then.
CREATE TABLE pass_issues (
  shard SMALLINT NOT NULL,
  member BYTEA NOT NULL,
  issue BIGINT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (shard, member, issue)
);
