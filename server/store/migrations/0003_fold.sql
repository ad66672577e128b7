-- Facts fold in the order of their effective times. A source says whose fact it is
-- and where it stands, so that an account can be folded again from its facts; what
-- a sale did is no longer stored, since folding finds it out.

CREATE TABLE folded_sources (
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
  PRIMARY KEY (shard, account, source)
);

INSERT INTO folded_sources
  SELECT s.shard, COALESCE(p.account, d.account, v.account, substr(s.source, 1, 0)), s.source, s.writer, s.epoch, s.seq, s.kind,
    COALESCE(d.sale, v.sale, substr(s.source, 1, 0)), COALESCE(e.effective_at, s.recorded_at), s.recorded_at
  FROM sources AS s
  LEFT JOIN (SELECT DISTINCT shard, source, account FROM postings) AS p ON p.shard = s.shard AND p.source = s.source
  LEFT JOIN sales AS d ON d.shard = s.shard AND d.source = s.source
  LEFT JOIN sales AS v ON v.shard = s.shard AND v.void_source = s.source
  LEFT JOIN entries AS e ON e.hash = s.source AND e.terminal = s.writer AND e.epoch = s.epoch AND e.seq = s.seq;

DROP TABLE sources;

ALTER TABLE folded_sources RENAME TO sources;

-- The facts that name a sale: the sale, and what undoes it.
CREATE INDEX sources_subject ON sources (subject, shard);

DROP TABLE sales;

-- Where the account's last fact stands; empty when that is not known. next_due is
-- when its next lot vests or expires.
ALTER TABLE accounts ADD COLUMN place BYTEA NOT NULL DEFAULT '';

ALTER TABLE accounts ADD COLUMN next_due BIGINT NOT NULL DEFAULT 0;

CREATE INDEX accounts_due ON accounts (next_due) WHERE next_due > 0;

ALTER TABLE lots ADD COLUMN back BIGINT NOT NULL DEFAULT 0;

ALTER TABLE lots ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;

ALTER TABLE lots ADD COLUMN roll_days INTEGER NOT NULL DEFAULT 0;

-- A correction says whose postings it corrects.
ALTER TABLE postings ADD COLUMN corrects BYTEA NOT NULL DEFAULT '';

ALTER TABLE exceptions ADD COLUMN explained_by BYTEA NOT NULL DEFAULT '';

CREATE INDEX exceptions_account ON exceptions (shard, account);

-- Returns that name no account, until their sale is found.
CREATE TABLE awaited_returns (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  source BYTEA NOT NULL,
  tried_at BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal, epoch, seq, source)
);
