-- Links between accounts, moves of points, lists of corrections, and the web shop.
-- Every row carries the shard of what it belongs to.

-- Dated links: facts of an account count for its target while one is in force.
-- State: 1 being made, 2 in force, 3 being ended, 4 ended. Owned is what the other
-- account still has to take over.
CREATE TABLE account_links (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  id BYTEA NOT NULL,
  target BYTEA NOT NULL,
  kind SMALLINT NOT NULL,
  state SMALLINT NOT NULL,
  member BYTEA NOT NULL,
  reason SMALLINT NOT NULL,
  by_person BYTEA NOT NULL,
  owned BYTEA NOT NULL,
  PRIMARY KEY (shard, account, from_at),
  CHECK (account <> target)
);

CREATE INDEX account_links_id ON account_links (id);

CREATE INDEX account_links_target ON account_links (target);

CREATE INDEX account_links_waiting ON account_links (shard, account) WHERE state = 1 OR state = 3;

CREATE INDEX account_links_in_force ON account_links (shard, account) WHERE until_at = 0;

-- Moves between accounts, in the shard of the account they leave. State: 1 in the
-- clearing book, 2 arrived.
CREATE TABLE account_moves (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  account BYTEA NOT NULL,
  target BYTEA NOT NULL,
  state SMALLINT NOT NULL,
  leg BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX account_moves_id ON account_moves (id);

CREATE INDEX account_moves_waiting ON account_moves (shard, id) WHERE state = 1;

-- What HQ did once in the shard of an account, by a key of its own; the body says
-- what it touched.
CREATE TABLE account_once (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (shard, id)
);

-- Lists of corrections. State: 1 preview, 2 being committed, 3 committed, 4 being
-- undone, 5 undone.
CREATE TABLE correction_batches (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  state SMALLINT NOT NULL,
  reason SMALLINT NOT NULL,
  total BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX correction_batches_waiting ON correction_batches (shard, id) WHERE state = 2 OR state = 4;

-- State of a row: 1 waits, 2 done, 3 refused, 4 undone.
CREATE TABLE correction_rows (
  shard SMALLINT NOT NULL,
  batch BYTEA NOT NULL,
  line BIGINT NOT NULL,
  member BYTEA NOT NULL,
  account BYTEA NOT NULL,
  voucher BYTEA NOT NULL,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  free_before BIGINT NOT NULL,
  problem TEXT NOT NULL,
  detail TEXT NOT NULL,
  undone BIGINT NOT NULL,
  PRIMARY KEY (shard, batch, line)
);

CREATE INDEX correction_rows_waiting ON correction_rows (shard, batch, state, line);

-- Quotes of the web shop, in the shard of their own id.
CREATE TABLE web_quotes (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  body BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

-- Where a sale of the web shop stands in its journal, in the shard of its own id.
CREATE TABLE web_sales (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  voided SMALLINT NOT NULL,
  PRIMARY KEY (shard, id)
);
