-- What an account was at places in the order of its facts, so that a late fact is
-- folded from near its place and not from nothing. A cache: it can be emptied.
CREATE TABLE snapshots (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  place BYTEA NOT NULL,
  level SMALLINT NOT NULL,
  state BYTEA NOT NULL,
  PRIMARY KEY (shard, account, place)
);

-- The facts of an account lie in the order of their effect.
CREATE TABLE placed_sources (
  shard SMALLINT NOT NULL,
  account BYTEA NOT NULL,
  source BYTEA NOT NULL,
  writer BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  kind INTEGER NOT NULL,
  subject BYTEA NOT NULL,
  effective_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  PRIMARY KEY (shard, account, effective_at, source)
);

INSERT INTO placed_sources (shard, account, source, writer, epoch, seq, kind, subject, effective_at, recorded_at)
  SELECT shard, account, source, writer, epoch, seq, kind, subject, effective_at, recorded_at FROM sources;

DROP TABLE sources;

ALTER TABLE placed_sources RENAME TO sources;

CREATE INDEX sources_subject ON sources (subject, shard);

-- What has expired and is not breakage yet.
ALTER TABLE lots ADD COLUMN lapsed BIGINT NOT NULL DEFAULT 0;

-- Up to when what expired is breakage.
ALTER TABLE accounts ADD COLUMN broken_until BIGINT NOT NULL DEFAULT 0;

-- Breakage used to be posted by any fact after an expiry. The next sweep folds these
-- accounts again and says by corrections what had only lapsed.
UPDATE accounts SET place = '', next_due = 1 WHERE EXISTS (SELECT 1 FROM postings AS p
  WHERE p.shard = accounts.shard AND p.account = accounts.account AND p.to_book = 18);
