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

-- Which members have to do with which stores, in the shard of the member's account.
CREATE TABLE ties (
  shard SMALLINT NOT NULL,
  member BYTEA NOT NULL,
  store BYTEA NOT NULL,
  visited_at BIGINT NOT NULL,
  PRIMARY KEY (shard, member, store)
);

-- The member that a record is of; empty when it is of nobody. Members are of
-- kind 3, vouchers of kind 4.
ALTER TABLE feed ADD COLUMN owner BYTEA NOT NULL DEFAULT '';

UPDATE feed SET owner = id WHERE kind = 3;

UPDATE feed SET owner = (SELECT v.member FROM vouchers AS v WHERE v.shard = feed.shard AND v.id = feed.id)
  WHERE kind = 4 AND EXISTS (SELECT 1 FROM vouchers AS v WHERE v.shard = feed.shard AND v.id = feed.id);
