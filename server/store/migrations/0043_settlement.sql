-- What was agreed about settlement, in the order in which it was recorded: parties, whose
-- a store is, prices, fees, taxes, rates, accounts. body is CBOR.
CREATE TABLE settlement_terms (
  number BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  id BYTEA NOT NULL,
  body BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL
);

-- How far settlement has followed the applied sets of a shard. cut is the last month that
-- was cut off there, YYYYMM, zero for none.
CREATE TABLE settlement_cursors (
  shard SMALLINT NOT NULL PRIMARY KEY,
  pos BIGINT NOT NULL,
  cut BIGINT NOT NULL
);

-- Through which set each month takes what was applied.
CREATE TABLE settlement_cuts (
  shard SMALLINT NOT NULL,
  month BIGINT NOT NULL,
  pos BIGINT NOT NULL,
  PRIMARY KEY (shard, month)
);

-- The postings that count for settlement, one row each. Days are YYYYMMDD; month is the
-- one in whose statements the move stands; kind is 1 redeemed, 2 repaid.
CREATE TABLE settlement_moves (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  pos BIGINT NOT NULL,
  account BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL,
  month BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  unit TEXT NOT NULL,
  from_store BYTEA NOT NULL,
  from_day BIGINT NOT NULL,
  to_store BYTEA NOT NULL,
  to_day BIGINT NOT NULL,
  day BIGINT NOT NULL,
  points BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

CREATE INDEX settlement_moves_month ON settlement_moves (month, to_store, day);

-- Months as far as somebody asked for them. attempt counts drafts: lines and statements of
-- other attempts are not those of the month.
CREATE TABLE settlement_months (
  month BIGINT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  version BIGINT NOT NULL,
  terms BIGINT NOT NULL,
  cut_at BIGINT NOT NULL,
  drafted_by BYTEA NOT NULL,
  locked_by BYTEA NOT NULL,
  locked_at BIGINT NOT NULL,
  body BYTEA NOT NULL
);

-- Lines of statements, under the shard of the store that is owed.
CREATE TABLE settlement_lines (
  shard SMALLINT NOT NULL,
  month BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  no BIGINT NOT NULL,
  kind TEXT NOT NULL,
  fee TEXT NOT NULL,
  from_party BYTEA NOT NULL,
  to_party BYTEA NOT NULL,
  from_store BYTEA NOT NULL,
  to_store BYTEA NOT NULL,
  unit TEXT NOT NULL,
  day BIGINT NOT NULL,
  points BIGINT NOT NULL,
  debit_currency TEXT NOT NULL,
  debit_exact BIGINT NOT NULL,
  debit BIGINT NOT NULL,
  credit_currency TEXT NOT NULL,
  credit_exact BIGINT NOT NULL,
  credit BIGINT NOT NULL,
  price BIGINT NOT NULL,
  rate BIGINT NOT NULL,
  rate_source TEXT NOT NULL,
  rate_from BIGINT NOT NULL,
  of_month BIGINT NOT NULL,
  PRIMARY KEY (shard, month, attempt, no)
);

CREATE INDEX settlement_lines_no ON settlement_lines (month, attempt, no);

CREATE INDEX settlement_lines_from ON settlement_lines (month, attempt, from_party, no);

CREATE INDEX settlement_lines_to ON settlement_lines (month, attempt, to_party, no);

CREATE INDEX settlement_lines_day ON settlement_lines (day);

-- Statements under the shard of their party. body is CBOR, number empty before the month
-- is locked.
CREATE TABLE settlement_statements (
  shard SMALLINT NOT NULL,
  party BYTEA NOT NULL,
  month BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  number TEXT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (shard, party, month, attempt)
);

CREATE INDEX settlement_statements_month ON settlement_statements (month, attempt, party);

-- The last number of a party's documents in a year.
CREATE TABLE settlement_numbers (
  shard SMALLINT NOT NULL,
  party BYTEA NOT NULL,
  year BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (shard, party, year)
);
