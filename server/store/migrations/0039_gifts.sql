-- The passes of vouchers by themselves (voucher is empty for a member's card): who answers
-- for a voucher may change, and their pass stays in the shard it was issued in.
CREATE INDEX passes_coupons ON passes (member) WHERE length(voucher) > 0;

CREATE INDEX passes_vouchers ON passes (voucher) WHERE length(voucher) > 0;

-- When what a pass says changes by itself next: a voucher on it ends. 0 is never.
ALTER TABLE passes ADD COLUMN next_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX passes_next ON passes (next_at) WHERE next_at > 0;

-- When a voucher was given away by a link that is good; 0 when it was not.
ALTER TABLE vouchers ADD COLUMN given_at BIGINT NOT NULL DEFAULT 0;

-- When the newest callback that was taken of an object ends, in milliseconds.
ALTER TABLE google_objects ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
