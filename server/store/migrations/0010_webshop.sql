-- Returns of sales of the web shop, in the shard of the sale. They are counted from
-- 1 in the sale's row, which is what two of them at once wait for.
ALTER TABLE web_sales ADD COLUMN returns INTEGER NOT NULL DEFAULT 0;

CREATE TABLE web_returns (
  shard SMALLINT NOT NULL,
  sale BYTEA NOT NULL,
  line INTEGER NOT NULL,
  terminal BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (shard, sale, line)
);

-- What waits for a decision is looked for by its cause.
CREATE INDEX exceptions_kind ON exceptions (kind, state, recorded_at, id);
