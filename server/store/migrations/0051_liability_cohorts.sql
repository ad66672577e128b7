-- What moved of the lots of some months of issue alone, for breakage.
CREATE INDEX liability_days_issued ON liability_days (shard, unit, issued);
