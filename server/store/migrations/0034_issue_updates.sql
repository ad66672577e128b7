-- Whether an issue of a pass came as an update, which the phone gets by itself: then the one
-- before stays good for the grace of the policy.
ALTER TABLE pass_issues ADD COLUMN updated SMALLINT NOT NULL DEFAULT 0;
