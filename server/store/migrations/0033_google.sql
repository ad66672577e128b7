-- What is known of passes' objects at Google, under the shard of the pass. memory is
-- digests of what was sent and ids of what was told. again_at 0 is: never.
CREATE TABLE google_objects (
  shard SMALLINT NOT NULL,
  pass BYTEA NOT NULL,
  active SMALLINT NOT NULL,
  again_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  memory BYTEA NOT NULL,
  PRIMARY KEY (shard, pass)
);

CREATE INDEX google_objects_again ON google_objects (again_at) WHERE again_at > 0;

-- Digests of what was sent of classes.
CREATE TABLE google_classes (
  id TEXT NOT NULL PRIMARY KEY,
  sent BYTEA NOT NULL
);

-- Digests of the nonces of callbacks, until they end.
CREATE TABLE google_nonces (
  shard SMALLINT NOT NULL,
  nonce BYTEA NOT NULL,
  ends_at BIGINT NOT NULL,
  PRIMARY KEY (shard, nonce)
);

CREATE INDEX google_nonces_ends ON google_nonces (ends_at);

-- Each channel's queue is read by itself.
DROP INDEX pass_pushes_due;

CREATE INDEX pass_pushes_due ON pass_pushes (channel, due_at) WHERE due_at > 0;
