-- Days with results that nobody has settled, for the calendar of all stores.
CREATE INDEX pos_days_open ON pos_days (day) WHERE open_results > 0;

-- SHA-256 of the file alone: sent again by other rules it takes its own place.
ALTER TABLE pos_imports ADD COLUMN bytes_digest TEXT NOT NULL DEFAULT '';
