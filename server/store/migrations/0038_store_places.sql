-- Where a store is, for phones that offer a pass nearby: millionths of a degree. placed
-- says whether it is known.
ALTER TABLE stores ADD COLUMN placed SMALLINT NOT NULL DEFAULT 0;

ALTER TABLE stores ADD COLUMN latitude BIGINT NOT NULL DEFAULT 0;

ALTER TABLE stores ADD COLUMN longitude BIGINT NOT NULL DEFAULT 0;
