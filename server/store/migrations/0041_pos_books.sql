-- The till software's own books (server/posbooks), under the shard of their store. Days are
-- YYYYMMDD, amounts minor units, times Unix milliseconds; zero is not known.

CREATE TABLE pos_mappings (
  id BYTEA NOT NULL PRIMARY KEY,
  store BYTEA NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  rules TEXT NOT NULL,
  by_person BYTEA NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE pos_imports (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  rules TEXT NOT NULL,
  size BIGINT NOT NULL,
  arrived BIGINT NOT NULL,
  parts BIGINT NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  same BYTEA NOT NULL,
  done BIGINT NOT NULL,
  goal BIGINT NOT NULL,
  summary TEXT NOT NULL,
  rows_read BIGINT NOT NULL,
  rows_bad BIGINT NOT NULL,
  first_day BIGINT NOT NULL,
  last_day BIGINT NOT NULL,
  replaced BIGINT NOT NULL,
  by_person BYTEA NOT NULL,
  by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  stop SMALLINT NOT NULL,
  PRIMARY KEY (shard, store, id)
);

CREATE INDEX pos_imports_state ON pos_imports (state, created_at) WHERE state NOT IN ('finished', 'failed', 'cancelled');

CREATE INDEX pos_imports_created ON pos_imports (created_at);

CREATE INDEX pos_imports_digest ON pos_imports (shard, store, digest);

-- The bytes of files that were not read yet.
CREATE TABLE pos_parts (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  import BYTEA NOT NULL,
  n BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (shard, store, import, n)
);

-- Rows of the books; live 1 are those that count.
CREATE TABLE pos_rows (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  import BYTEA NOT NULL,
  n BIGINT NOT NULL,
  day BIGINT NOT NULL,
  live SMALLINT NOT NULL,
  line BIGINT NOT NULL,
  receipt TEXT NOT NULL,
  number TEXT NOT NULL,
  lane TEXT NOT NULL,
  at BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  currency TEXT NOT NULL,
  amount BIGINT NOT NULL,
  paid SMALLINT NOT NULL,
  discount BIGINT NOT NULL,
  has_discount SMALLINT NOT NULL,
  expected SMALLINT NOT NULL,
  total SMALLINT NOT NULL,
  count BIGINT NOT NULL,
  has_count SMALLINT NOT NULL,
  PRIMARY KEY (shard, store, import, n)
);

CREATE INDEX pos_rows_day ON pos_rows (shard, store, day, live);

CREATE TABLE pos_bad_rows (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  import BYTEA NOT NULL,
  n BIGINT NOT NULL,
  line BIGINT NOT NULL,
  reason TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (shard, store, import, n)
);

-- What matching found. state is empty of what matches, else open or settled; run tells the
-- results of the last matching from those before.
CREATE TABLE pos_results (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  id BYTEA NOT NULL,
  day BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  total SMALLINT NOT NULL,
  matched_by TEXT NOT NULL,
  differs TEXT NOT NULL,
  amount BIGINT NOT NULL,
  discount BIGINT NOT NULL,
  apart BIGINT NOT NULL,
  their_receipt TEXT NOT NULL,
  their_lane TEXT NOT NULL,
  their_at BIGINT NOT NULL,
  their_kind TEXT NOT NULL,
  their_currency TEXT NOT NULL,
  their_amount BIGINT NOT NULL,
  their_discount BIGINT NOT NULL,
  their_count BIGINT NOT NULL,
  our_receipt TEXT NOT NULL,
  our_lane TEXT NOT NULL,
  our_at BIGINT NOT NULL,
  our_kind TEXT NOT NULL,
  our_currency TEXT NOT NULL,
  our_amount BIGINT NOT NULL,
  our_discount BIGINT NOT NULL,
  our_count BIGINT NOT NULL,
  import BYTEA NOT NULL,
  line BIGINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  source BYTEA NOT NULL,
  run BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  PRIMARY KEY (shard, store, id)
);

CREATE INDEX pos_results_day ON pos_results (shard, store, day, state);

CREATE TABLE pos_days (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  day BIGINT NOT NULL,
  matched BIGINT NOT NULL,
  missing_here BIGINT NOT NULL,
  missing_there BIGINT NOT NULL,
  different BIGINT NOT NULL,
  outside BIGINT NOT NULL,
  undone BIGINT NOT NULL,
  open_results BIGINT NOT NULL,
  dirty SMALLINT NOT NULL,
  matched_at BIGINT NOT NULL,
  PRIMARY KEY (shard, store, day)
);

CREATE INDEX pos_days_dirty ON pos_days (shard, store, day) WHERE dirty = 1;

-- What people decided about results, for ever.
CREATE TABLE pos_decisions (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  person BYTEA NOT NULL,
  name TEXT NOT NULL,
  settled SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  filter TEXT NOT NULL,
  results BIGINT NOT NULL,
  PRIMARY KEY (shard, store, id)
);

-- Through which entry of each journal of a store with books late entries were looked for.
CREATE TABLE pos_seen (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (shard, store, terminal, epoch)
);
