-- Where a store is, for phones that offer a pass nearby: millionths of a degree. Both are
-- empty when it is not known.
ALTER TABLE stores ADD COLUMN latitude BIGINT;

ALTER TABLE stores ADD COLUMN longitude BIGINT;
