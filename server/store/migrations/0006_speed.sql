-- Entries of one batch have one time: their hashes need not stand in the index to be
-- listed in order.

DROP INDEX entries_recorded;

CREATE INDEX entries_recorded ON entries (recorded_at, seq);
