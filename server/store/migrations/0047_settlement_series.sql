-- The last number of a party's documents in a year, in an epoch of HQ: after a restore
-- numbers are given in a series of their own. What was given before stands in epoch 1.
CREATE TABLE settlement_series (
  shard SMALLINT NOT NULL,
  party BYTEA NOT NULL,
  year BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (shard, party, year, epoch)
);

INSERT INTO settlement_series (shard, party, year, epoch, last) SELECT shard, party, year, 1, last FROM settlement_numbers;

DROP TABLE settlement_numbers;

-- A draft that failed: how often since somebody asked, with which code and words, and
-- when it is tried again.
ALTER TABLE settlement_months ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;

ALTER TABLE settlement_months ADD COLUMN retry_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE settlement_months ADD COLUMN failure_code TEXT NOT NULL DEFAULT '';

ALTER TABLE settlement_months ADD COLUMN failure TEXT NOT NULL DEFAULT '';

-- What stores were called when a month was locked, and the last term of then. body is CBOR.
CREATE TABLE settlement_names (
  month BIGINT NOT NULL PRIMARY KEY,
  terms BIGINT NOT NULL,
  body BYTEA NOT NULL
);
