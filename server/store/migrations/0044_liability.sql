-- What each set of facts moved between books, by the months of lots: the CBOR of its
-- movements, empty for sets of a release that did not note it.
ALTER TABLE applied_sets ADD COLUMN moves BYTEA NOT NULL DEFAULT '';

-- Lots that postings name and the account never had, as is known now.
CREATE TABLE gone_lots (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  unit TEXT NOT NULL,
  lot BYTEA NOT NULL,
  earned_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  roll_days INTEGER NOT NULL,
  PRIMARY KEY (shard, account, unit, lot)
);

-- What moved between books on each day, summed over all accounts: of_day is when it was
-- recorded, so_day when it took effect, in days since 1970; issued and expires are months
-- of lots. All of it stands in one shard, for it is read whole. It can be thrown away
-- together with liability_cursors, and is summed again from the postings.
CREATE TABLE liability_days (
  shard SMALLINT NOT NULL,
  unit TEXT NOT NULL,
  of_day INTEGER NOT NULL,
  so_day INTEGER NOT NULL,
  issued INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  from_book SMALLINT NOT NULL,
  to_book SMALLINT NOT NULL,
  amount BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (shard, unit, of_day, so_day, issued, expires, kind, from_book, to_book)
);

-- Through which set of each shard that has been summed; none: its postings have not been.
CREATE TABLE liability_cursors (
  shard SMALLINT NOT NULL,
  of_shard SMALLINT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY (shard, of_shard)
);

-- What a thousand of a unit are worth from a day on, in minor units of a currency.
-- from_day is YYYYMMDD.
CREATE TABLE liability_values (
  shard SMALLINT NOT NULL,
  unit TEXT NOT NULL,
  currency TEXT NOT NULL,
  from_day BIGINT NOT NULL,
  value BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by BYTEA NOT NULL,
  PRIMARY KEY (shard, unit, currency, from_day)
);
