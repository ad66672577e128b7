-- When each terminal was last heard of, apart from its record, which is copied to
-- every node of a distributed database.
CREATE TABLE terminal_contacts (
  shard SMALLINT NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  at BIGINT NOT NULL,
  head_seq BIGINT NOT NULL,
  acked_seq BIGINT NOT NULL,
  PRIMARY KEY (shard, terminal)
);

-- Where a member is looked for of whom a till knew nothing but the pass.
CREATE INDEX account_members_member ON account_members (member);
