-- The ledger's tables. One statement a step. Every hot row carries its shard and
-- every key begins with it. Times are Unix milliseconds, ids and hashes raw bytes.

-- What a journal of a terminal is known to be: one row a branch. Branch 0 is the
-- first seen; others exist only after a fork.
CREATE TABLE branches (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  branch INTEGER NOT NULL,
  from_seq BIGINT NOT NULL,
  from_hash BYTEA NOT NULL,
  head_seq BIGINT NOT NULL,
  head_hash BYTEA NOT NULL,
  effective_at BIGINT NOT NULL,
  applied_seq BIGINT NOT NULL,
  retain_seq BIGINT NOT NULL,
  store BYTEA NOT NULL,
  last_contact BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, branch),
  CHECK (applied_seq <= head_seq)
);

CREATE INDEX branches_unapplied ON branches (shard) WHERE applied_seq < head_seq;

-- Entries as received. Kind 0 is one that cannot be read.
CREATE TABLE entries (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  branch INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  state SMALLINT NOT NULL,
  proven SMALLINT NOT NULL,
  hlc BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  store BYTEA NOT NULL,
  raw BYTEA NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, seq, hash)
);

CREATE INDEX entries_recorded ON entries (recorded_at, seq, hash);

CREATE INDEX entries_stopped ON entries (shard, terminal, epoch, seq) WHERE state <> 1;

-- Batches as accepted, with the checkpoint signature and HQ's signed answer.
CREATE TABLE batches (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  head_hash BYTEA NOT NULL,
  first_seq BIGINT NOT NULL,
  prev_hash BYTEA NOT NULL,
  branch INTEGER NOT NULL,
  public_key BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL,
  receipt BYTEA NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, last_seq, head_hash, first_seq)
);

CREATE INDEX batches_recorded ON batches (shard, terminal, epoch, recorded_at);

-- HQ's own journal, one chain a shard.
CREATE TABLE hq_journal (
  shard SMALLINT NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  kind INTEGER NOT NULL,
  recorded_at BIGINT NOT NULL,
  raw BYTEA NOT NULL,
  PRIMARY KEY (shard, epoch, seq)
);

CREATE TABLE hq_heads (
  shard SMALLINT NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  hlc BIGINT NOT NULL,
  PRIMARY KEY (shard, epoch)
);

CREATE TABLE hq_checkpoints (
  shard SMALLINT NOT NULL,
  epoch BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  first_seq BIGINT NOT NULL,
  head_hash BYTEA NOT NULL,
  key_id INTEGER NOT NULL,
  signature BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (shard, epoch, last_seq)
);

-- One row for each fact that has been applied, inserted in the transaction that
-- applies it. Source is the hash of the entry.
CREATE TABLE sources (
  shard SMALLINT NOT NULL,
  source BYTEA NOT NULL,
  writer BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  kind INTEGER NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (shard, source)
);

CREATE TABLE accounts (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  version BIGINT NOT NULL,
  marks BYTEA NOT NULL,
  PRIMARY KEY (shard, account)
);

-- Which members an account belongs to, and what edges are told of each.
CREATE TABLE account_members (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  member BYTEA NOT NULL,
  profile BYTEA NOT NULL,
  PRIMARY KEY (shard, account, member)
);

-- Vouchers as edges are told of them; the uses left are a holding.
CREATE TABLE account_vouchers (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  voucher BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (shard, account, voucher)
);

-- free + allowance - overdraft is the balance. Lots that have vested sum to
-- free + allowance, those that have not to pending.
CREATE TABLE holdings (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  free BIGINT NOT NULL CHECK (free >= 0),
  allowance BIGINT NOT NULL CHECK (allowance >= 0),
  pending BIGINT NOT NULL CHECK (pending >= 0),
  overdraft BIGINT NOT NULL CHECK (overdraft >= 0),
  PRIMARY KEY (shard, account, unit)
);

-- Amount is remaining + spent + covered + gone: spent by redemptions, covered an
-- overdraft, or gone by void and expiry.
CREATE TABLE lots (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  lot BYTEA NOT NULL,
  source BYTEA NOT NULL,
  amount BIGINT NOT NULL,
  remaining BIGINT NOT NULL CHECK (remaining >= 0),
  spent BIGINT NOT NULL CHECK (spent >= 0),
  covered BIGINT NOT NULL CHECK (covered >= 0),
  gone BIGINT NOT NULL CHECK (gone >= 0),
  pending SMALLINT NOT NULL,
  voided SMALLINT NOT NULL,
  is_open SMALLINT NOT NULL,
  earned_at BIGINT NOT NULL,
  vests_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (shard, account, unit, lot),
  CHECK (amount = remaining + spent + covered + gone)
);

CREATE INDEX lots_open ON lots (shard, account) WHERE is_open = 1;

-- One row moves an amount from one book to another: both legs of a double entry.
CREATE TABLE postings (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL,
  id BYTEA NOT NULL,
  source BYTEA NOT NULL,
  line INTEGER NOT NULL,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  from_book SMALLINT NOT NULL,
  to_book SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  lot BYTEA NOT NULL,
  occurred_at BIGINT NOT NULL,
  effective_at BIGINT NOT NULL,
  rule_set BIGINT NOT NULL,
  PRIMARY KEY (shard, account, recorded_at, id),
  CHECK (from_book <> to_book)
);

-- Balances of the contra books of a shard; the owner is a store or nobody.
CREATE TABLE books (
  shard SMALLINT NOT NULL,
  book SMALLINT NOT NULL,
  owner BYTEA NOT NULL,
  unit TEXT NOT NULL,
  balance BIGINT NOT NULL,
  PRIMARY KEY (shard, book, owner, unit)
);

-- What each sale did, so that a void undoes exactly that, and each sale id of a
-- terminal counts once.
CREATE TABLE sales (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  sale BYTEA NOT NULL,
  account BYTEA NOT NULL,
  source BYTEA NOT NULL,
  state SMALLINT NOT NULL,
  effects BYTEA NOT NULL,
  void_source BYTEA NOT NULL,
  PRIMARY KEY (shard, terminal, sale)
);

CREATE TABLE exceptions (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  liable TEXT NOT NULL,
  cause TEXT NOT NULL,
  source BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  store BYTEA NOT NULL,
  account BYTEA NOT NULL,
  member BYTEA NOT NULL,
  unit TEXT NOT NULL,
  amount BIGINT NOT NULL,
  currency TEXT NOT NULL,
  money BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX exceptions_recorded ON exceptions (recorded_at);

-- The change feed: the last value of each record, at the position of its last change.
CREATE TABLE feed (
  shard SMALLINT NOT NULL,
  scope BYTEA NOT NULL,
  kind SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  pos BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (shard, scope, kind, id)
);

CREATE UNIQUE INDEX feed_pos ON feed (shard, pos);

CREATE TABLE feed_heads (
  shard SMALLINT NOT NULL PRIMARY KEY,
  pos BIGINT NOT NULL
);
