-- The postings of a month in the order of the pages behind a figure, so that a page reads
-- no more rows than it may have: by recording, and by effect.
CREATE INDEX postings_recorded ON postings (shard, recorded_at, account, id);

CREATE INDEX postings_effective ON postings (shard, effective_at, account, id);
