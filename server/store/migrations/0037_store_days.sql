-- Certificates of the business days of stores, under the shard of the store. text is the
-- signed JWT, digest its SHA-256 in hex. business_date is YYYYMMDD.
CREATE TABLE store_days (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  number BIGINT NOT NULL,
  business_date BIGINT NOT NULL,
  cut_at BIGINT NOT NULL,
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (shard, store, number)
);

CREATE UNIQUE INDEX store_days_date ON store_days (shard, store, business_date);

-- Through which entry certificates of a store cover each journal.
CREATE TABLE store_day_journals (
  shard SMALLINT NOT NULL,
  store BYTEA NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  through_seq BIGINT NOT NULL,
  PRIMARY KEY (shard, store, terminal, epoch)
);

-- What is known against the entries of a day.
CREATE INDEX exceptions_entry ON exceptions (terminal, epoch, seq);

-- When something last changed, for pages that watch.
CREATE INDEX store_days_cut ON store_days (cut_at);

CREATE INDEX day_closes_recorded ON day_closes (recorded_at);
