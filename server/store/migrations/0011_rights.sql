-- Rights to redeem without asking, as folded from the facts of their accounts. One
-- that a fact names before it is made has kind 0. Is_open is of those that are not over.
CREATE TABLE rights (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  right_id BYTEA NOT NULL,
  holder BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  store BYTEA NOT NULL,
  kind SMALLINT NOT NULL,
  ended SMALLINT NOT NULL,
  fault TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  used BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  parent BYTEA NOT NULL,
  is_open SMALLINT NOT NULL,
  PRIMARY KEY (shard, account, unit, right_id)
);

CREATE INDEX rights_open ON rights (shard, account) WHERE is_open = 1;

CREATE INDEX rights_over ON rights (ends_at) WHERE is_open = 1;

CREATE INDEX rights_holder ON rights (holder) WHERE is_open = 1;

-- Why more was redeemed than there was: one of a few words, empty for all other
-- exceptions.
ALTER TABLE exceptions ADD COLUMN attribution TEXT NOT NULL DEFAULT '';
