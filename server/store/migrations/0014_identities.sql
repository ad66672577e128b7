-- Members issued ahead to terminals, which give them to shoppers while HQ is out of
-- reach. state: 1 issued, 2 used by an entry (used_by), 3 withdrawn. told: whether the
-- store has been told of that state.
CREATE TABLE identities (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  member BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  store BYTEA NOT NULL,
  pass BYTEA NOT NULL,
  issued_at BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  used_by BYTEA NOT NULL,
  told SMALLINT NOT NULL,
  PRIMARY KEY (shard, terminal, member)
);

CREATE INDEX identities_issued ON identities (shard, terminal, epoch) WHERE state = 1;

CREATE INDEX identities_untold ON identities (shard) WHERE told = 0;
