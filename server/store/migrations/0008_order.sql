-- In which order facts were applied: one row for each set and shard, numbered
-- without gaps in the shard. Facts is the CBOR list of its steps. Facts applied by an
-- earlier release have no order; they only count.
CREATE TABLE applied_heads (
  shard SMALLINT NOT NULL PRIMARY KEY,
  pos BIGINT NOT NULL
);

CREATE TABLE applied_sets (
  shard SMALLINT NOT NULL,
  pos BIGINT NOT NULL,
  facts BYTEA NOT NULL,
  PRIMARY KEY (shard, pos)
);

INSERT INTO applied_heads SELECT shard, COUNT(*) FROM sources GROUP BY shard;

-- How far an epoch of a terminal was proven when the next one began.
CREATE TABLE ended_epochs (
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  next_epoch BIGINT NOT NULL,
  head_seq BIGINT NOT NULL,
  head_hash BYTEA NOT NULL,
  PRIMARY KEY (terminal, epoch)
);
