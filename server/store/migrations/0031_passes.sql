-- Passes, under the shard of the member. voucher is empty for a member's card. channel: 1
-- Apple, 2 Google, 3 web, 4 printed, 5 Samsung. state: 1 issued, 2 installed, 3 voided.
-- digest is empty before what it says was first looked at. modified_at is in seconds.
CREATE TABLE passes (
  shard SMALLINT NOT NULL,
  id BYTEA NOT NULL,
  member BYTEA NOT NULL,
  voucher BYTEA NOT NULL,
  channel SMALLINT NOT NULL,
  state SMALLINT NOT NULL,
  digest BYTEA NOT NULL,
  brand BIGINT NOT NULL,
  tag BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  cause_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  moved_at BIGINT NOT NULL,
  reissue_at BIGINT NOT NULL,
  reissued_at BIGINT NOT NULL,
  erased_at BIGINT NOT NULL,
  PRIMARY KEY (shard, id)
);

-- One that is good for each member, voucher and channel.
CREATE UNIQUE INDEX passes_member ON passes (shard, member, voucher, channel) WHERE state <> 3;

CREATE INDEX passes_of ON passes (shard, member);

CREATE INDEX passes_issued ON passes (issued_at, id);

CREATE INDEX passes_reissue ON passes (reissue_at) WHERE reissue_at > 0;

CREATE INDEX passes_erased ON passes (erased_at) WHERE erased_at > 0;

-- How far a pass has come with its phones; apart, since it is written often.
CREATE TABLE pass_marks (
  shard SMALLINT NOT NULL,
  pass BYTEA NOT NULL,
  installed_at BIGINT NOT NULL,
  pushed_at BIGINT NOT NULL,
  listed_at BIGINT NOT NULL,
  fetched_at BIGINT NOT NULL,
  fetched_tag BIGINT NOT NULL,
  lag BIGINT NOT NULL,
  PRIMARY KEY (shard, pass)
);

-- Which phones have which passes. device is a digest of what the phone calls itself; tag
-- is the position at which the phone was added, so that it is told of what changed
-- between its download and then.
CREATE TABLE pass_registrations (
  shard SMALLINT NOT NULL,
  pass BYTEA NOT NULL,
  device BYTEA NOT NULL,
  push_token TEXT NOT NULL,
  tag BIGINT NOT NULL,
  registered_at BIGINT NOT NULL,
  PRIMARY KEY (shard, pass, device)
);

CREATE INDEX pass_registrations_device ON pass_registrations (device);

-- Who is to be told: a phone (target is its digest) or the object of a pass at a channel
-- (target is the pass). due_at 0 is: nothing to tell. gap is how long after one push the
-- next may come, in milliseconds. token is the push token or the serial.
CREATE TABLE pass_pushes (
  shard SMALLINT NOT NULL,
  target BYTEA NOT NULL,
  channel SMALLINT NOT NULL,
  token TEXT NOT NULL,
  wanted BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  gap BIGINT NOT NULL,
  pushed_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  failure TEXT NOT NULL,
  PRIMARY KEY (shard, target)
);

CREATE INDEX pass_pushes_due ON pass_pushes (due_at) WHERE due_at > 0;

-- How far HQ's own feed has been followed.
CREATE TABLE pass_feed (
  shard SMALLINT NOT NULL PRIMARY KEY,
  pos BIGINT NOT NULL
);

-- The counter of tags, and how far sweeps over all passes have come.
CREATE TABLE pass_progress (
  name TEXT NOT NULL PRIMARY KEY,
  n BIGINT NOT NULL,
  place BYTEA NOT NULL
);

-- What phones say went wrong.
CREATE TABLE pass_log (
  id BYTEA NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  line TEXT NOT NULL
);
