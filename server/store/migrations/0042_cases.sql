-- Exceptions as work: when they are due, who answers, what waits for a second person, and
-- how each stood at any time.

-- When the ledger had done with an exception, in Unix milliseconds; zero while it has not.
-- Of those that ended before this release only that they had is known: they count as ended
-- when they came.
ALTER TABLE exceptions ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;

UPDATE exceptions SET ended_at = recorded_at WHERE state <> 'open' AND state <> 'awaiting';

-- Whether the policy of due dates has been asked about it.
ALTER TABLE exceptions ADD COLUMN opened SMALLINT NOT NULL DEFAULT 0;

CREATE INDEX exceptions_new ON exceptions (recorded_at, id) WHERE opened = 0;

-- Who answers for it, where that was changed; until when it should be settled, and who or
-- what said so; the proposal that waits for a second person; whether a person worked on it.
ALTER TABLE exception_cases ADD COLUMN liable TEXT NOT NULL DEFAULT '';

ALTER TABLE exception_cases ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE exception_cases ADD COLUMN due_by TEXT NOT NULL DEFAULT '';

ALTER TABLE exception_cases ADD COLUMN proposal BYTEA NOT NULL DEFAULT '';

ALTER TABLE exception_cases ADD COLUMN by_hand SMALLINT NOT NULL DEFAULT 0;

UPDATE exception_cases SET by_hand = 1;

-- A case as it was at each version.
CREATE TABLE exception_case_versions (
  shard SMALLINT NOT NULL,
  exception BYTEA NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  resolution TEXT NOT NULL,
  liable TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (shard, exception, version)
);

INSERT INTO exception_case_versions (shard, exception, version, at, resolution, liable, due_at)
  SELECT shard, exception, version, changed_at, resolution, '', 0 FROM exception_cases;

-- What one person would do about an exception, and what another said to it. The state is
-- open, approved, refused, withdrawn or overtaken.
CREATE TABLE exception_proposals (
  shard SMALLINT NOT NULL,
  exception BYTEA NOT NULL,
  id BYTEA NOT NULL,
  action TEXT NOT NULL,
  resolution TEXT NOT NULL,
  liable TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL,
  made_by BYTEA NOT NULL,
  made_by_name TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  decided_by BYTEA NOT NULL,
  decided_by_name TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_text TEXT NOT NULL,
  PRIMARY KEY (shard, exception, id)
);

CREATE INDEX exception_proposals_state ON exception_proposals (state, made_at, id);

-- The policy (kind policy, number 0) and the rules (kind rule), each version for ever. The
-- body is CBOR. The state is proposed, in_force, refused, withdrawn, over or stopped.
CREATE TABLE case_settings (
  kind TEXT NOT NULL,
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  body BYTEA NOT NULL,
  made_by BYTEA NOT NULL,
  made_by_name TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  decided_by BYTEA NOT NULL,
  decided_by_name TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_text TEXT NOT NULL,
  PRIMARY KEY (kind, number, version)
);

-- What each rule settled on each day (YYYYMMDD in UTC), and whether its cap stopped it.
CREATE TABLE case_rule_days (
  number BIGINT NOT NULL,
  day BIGINT NOT NULL,
  n BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  stopped SMALLINT NOT NULL,
  PRIMARY KEY (number, day)
);
