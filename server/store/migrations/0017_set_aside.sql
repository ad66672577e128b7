-- Facts that their account could not be folded with. They count for nothing until it
-- can; reason is what the folding said, again_at when it is tried again.
CREATE TABLE set_aside (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  source BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  branch BIGINT NOT NULL,
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  again_at BIGINT NOT NULL,
  PRIMARY KEY (shard, account, source)
);
