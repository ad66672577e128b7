-- Days with results that nobody has settled, for the calendar of all stores.
CREATE INDEX pos_days_open ON pos_days (day) WHERE open_results > 0;
