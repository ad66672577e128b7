-- Why nothing of an import counts, as a stable word: a code of internal/problem.
ALTER TABLE pos_imports ADD COLUMN code TEXT NOT NULL DEFAULT '';

-- What cannot be done for a store with its books (work: import, match, late), since when,
-- and when it is tried again. A row goes when it has been done.
CREATE TABLE pos_troubles (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  work TEXT NOT NULL,
  reason TEXT NOT NULL,
  tries BIGINT NOT NULL,
  since BIGINT NOT NULL,
  last BIGINT NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (shard, store, work)
);
