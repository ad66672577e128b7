-- HQ's own journal is listed in the order in which it was written.
CREATE INDEX hq_journal_recorded ON hq_journal (recorded_at, seq);
