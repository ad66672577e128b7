-- Receipts that can be claimed, or that somebody has claimed before their sale came.
-- state: 1 waiting for the sale, 2 open, 3 claimed. sale_raw is the sale's entry.
CREATE TABLE claims (
  shard SMALLINT NOT NULL,
  claim BYTEA NOT NULL,
  state SMALLINT NOT NULL,
  sale BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  store BYTEA NOT NULL,
  proven SMALLINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  sale_raw BYTEA NOT NULL,
  member BYTEA NOT NULL,
  account BYTEA NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (shard, claim)
);

CREATE INDEX claims_due ON claims (shard, due_at) WHERE due_at > 0;

-- What happened to such a receipt, in the order in which HQ took it in. kind: 1
-- somebody claims it, 2 a void or return of its sale.
CREATE TABLE claim_facts (
  shard SMALLINT NOT NULL,
  claim BYTEA NOT NULL,
  source BYTEA NOT NULL,
  kind SMALLINT NOT NULL,
  place BIGINT NOT NULL,
  member BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  token BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  store BYTEA NOT NULL,
  proven SMALLINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  done SMALLINT NOT NULL,
  PRIMARY KEY (shard, claim, source)
);
