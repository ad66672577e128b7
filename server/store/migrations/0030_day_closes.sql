-- What terminals say at the end of a business date, under the shard of the store. raw is
-- the entry. business_date is YYYYMMDD.
CREATE TABLE day_closes (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  business_date BIGINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  proven SMALLINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  raw BYTEA NOT NULL,
  PRIMARY KEY (shard, store, business_date, terminal, epoch, seq, hash)
);
