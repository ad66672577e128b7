-- What HQ told a store about a right: the grant as signed, when HQ asked for it back,
-- and the last state that was told (1 given, 2 recalled, 3 closed).
CREATE TABLE grants (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  right_id BYTEA NOT NULL,
  store BYTEA NOT NULL,
  signed BYTEA NOT NULL,
  recalled_at BIGINT NOT NULL,
  told SMALLINT NOT NULL,
  PRIMARY KEY (shard, account, unit, right_id)
);

CREATE INDEX grants_told ON grants (shard) WHERE told < 3;

-- Rights that HQ took back though their holder may have used them, until its journal
-- past their end has been applied.
CREATE TABLE taken_back (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  right_id BYTEA NOT NULL,
  holder BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  store BYTEA NOT NULL,
  amount BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  PRIMARY KEY (shard, account, unit, right_id)
);

-- The shares of stores' caps as given to terminals. One counts until the terminal has
-- taken in a later one.
CREATE TABLE shares (
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  version BIGINT NOT NULL,
  store BYTEA NOT NULL,
  policy BIGINT NOT NULL,
  unit TEXT NOT NULL,
  points BIGINT NOT NULL,
  uses BIGINT NOT NULL,
  acked SMALLINT NOT NULL,
  PRIMARY KEY (terminal, epoch, version)
);

CREATE TABLE exposure_samples (
  at BIGINT NOT NULL,
  store BYTEA NOT NULL,
  unit TEXT NOT NULL,
  stand_in BIGINT NOT NULL,
  taken_back BIGINT NOT NULL,
  uncovered BIGINT NOT NULL,
  unspent BIGINT NOT NULL,
  clones BIGINT NOT NULL,
  PRIMARY KEY (at, store, unit)
);

-- After a restore HQ gives no rights until all terminals it knew then have presented
-- theirs, or until a time.
CREATE TABLE restores (
  hq_epoch BIGINT NOT NULL PRIMARY KEY,
  until_at BIGINT NOT NULL
);

CREATE TABLE presenting (
  hq_epoch BIGINT NOT NULL,
  terminal BYTEA NOT NULL,
  PRIMARY KEY (hq_epoch, terminal)
);
