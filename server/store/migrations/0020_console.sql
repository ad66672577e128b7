-- What HQ's people do, their work on exceptions, and figures for the first page.

-- One row for each change a person made, written with the change. Ids are in the order
-- of time.
CREATE TABLE acts (
  id BYTEA NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  person BYTEA NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  operation TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  address TEXT NOT NULL
);

CREATE INDEX acts_at ON acts (at, id);

CREATE INDEX acts_person ON acts (person, at, id);

-- Who looks after an exception, and how it was settled among people; what the ledger
-- thinks of it stays in exceptions.
CREATE TABLE exception_cases (
  shard SMALLINT NOT NULL,
  exception BYTEA NOT NULL,
  owner BYTEA NOT NULL,
  owner_name TEXT NOT NULL,
  resolution TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (shard, exception)
);

CREATE TABLE exception_notes (
  shard SMALLINT NOT NULL,
  exception BYTEA NOT NULL,
  id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  person BYTEA NOT NULL,
  name TEXT NOT NULL,
  what TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (shard, exception, id)
);

CREATE INDEX exceptions_unsettled ON exceptions (recorded_at, id) WHERE state = 'open' OR state = 'awaiting';

-- What each terminal's journal says of each business date, counted from its entries.
-- It can be thrown away together with counted_journals, and is counted again.
CREATE TABLE day_figures (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  business_date BIGINT NOT NULL,
  figure TEXT NOT NULL,
  unit TEXT NOT NULL,
  store BYTEA NOT NULL,
  n BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal, business_date, figure, unit)
);

CREATE INDEX day_figures_date ON day_figures (business_date, store);

-- Through which entry of each journal the figures are counted.
CREATE TABLE counted_journals (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  branch INTEGER NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, branch)
);

-- By how much a terminal's clock differed from HQ's when it last said hello, in
-- milliseconds: more than zero is ahead.
ALTER TABLE terminal_contacts ADD COLUMN clock_error BIGINT NOT NULL DEFAULT 0;

ALTER TABLE terminal_contacts ADD COLUMN clock_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX terminal_contacts_terminal ON terminal_contacts (terminal);
