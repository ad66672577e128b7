-- Heads of a terminal's journal that another terminal was shown, and that HQ has no
-- entry for yet. A row goes when the terminal itself delivers that entry.
CREATE TABLE witnessed (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  by_terminal BYTEA NOT NULL,
  by_epoch BIGINT NOT NULL,
  by_seq BIGINT NOT NULL,
  by_hash BYTEA NOT NULL,
  by_store BYTEA NOT NULL,
  signed_head BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  occurred_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, seq, hash)
);
