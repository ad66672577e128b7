package loyalty

// Reason names why a redemption or sale is refused. It is the same word as the
// code in package problem, so that api rooms translate by conversion.
type Reason string

// Reasons a decision can give.
const (
	AmountInvalid      Reason = "amount_invalid"
	AmountOverflow     Reason = "amount_overflow"
	CurrencyMismatch   Reason = "currency_mismatch"
	MemberUnknown      Reason = "member_unknown"
	CodeBlocked        Reason = "code_blocked"
	RewardUnknown      Reason = "reward_unknown"
	RewardInactive     Reason = "reward_inactive"
	VoucherUnknown     Reason = "voucher_unknown"
	VoucherUsed        Reason = "voucher_used"
	VoucherExpired     Reason = "voucher_expired"
	VoucherNotYetValid Reason = "voucher_not_yet_valid"
	PointsInsufficient Reason = "points_insufficient"
	CapPerSale         Reason = "cap_per_sale"
	CapMemberDay       Reason = "cap_member_day"
	CapTerminal        Reason = "cap_terminal_since_sync"
	StandInOff         Reason = "stand_in_off"
	DiscountTooLarge   Reason = "discount_exceeds_basket"
)

// Refusal is a decision against, with the figures behind it.
type Refusal struct {
	Reason Reason
	// Detail says which figure met which limit, for the POS log and the screen.
	Detail string
}

func (r *Refusal) Error() string { return string(r.Reason) + ": " + r.Detail }

// Line is one line of a basket. Amount is in minor units and must be positive.
type Line struct {
	No       uint16
	SKU      string
	Quantity int64 // thousandths
	Amount   int64
	Category string
}

// Basket is what is being sold. Total must equal the sum of the lines when there
// are lines.
type Basket struct {
	Currency string
	Total    int64
	Lines    []Line
}

// Member is what a terminal knows of the shopper: Free is what HQ says is free,
// less what this terminal has redeemed since and holds reserved.
type Member struct {
	ID      ID
	Account ID
	Blocked bool
	Free    map[string]int64 // by unit
}

// Spent is what this terminal has redeemed so far, for the caps.
type Spent struct {
	MemberToday       int64 // by this member, this business date
	TerminalSinceSync int64 // not yet acknowledged by HQ
	VouchersSinceSync int64
}

// Wish is one redemption asked for: a reward bought with points Times times, or
// one use of a voucher. Voucher is the zero ID for points.
type Wish struct {
	Reward  ID
	Voucher ID
	Times   int64
}

// Request is everything a decision rests on. Rewards and Vouchers hold those the
// wishes name, as far as this terminal knows them.
type Request struct {
	Now      int64 // Unix milliseconds, floor applied
	Basket   Basket
	Member   *Member // nil: a sale without a member
	Wishes   []Wish
	Rules    RuleSet
	Policy   Policy
	Rewards  map[ID]Reward
	Vouchers map[ID]Voucher // Left less what this terminal has used since
	Spent    Spent
	CacheAge int64 // seconds since HQ was last heard
}

// Earned is one earning a sale gives.
type Earned struct {
	Unit      string
	Amount    int64
	Line      uint16
	VestsAt   int64
	ExpiresAt int64
}

// Redeemed is one redemption a sale makes. Exactly one of Unit (points) or Voucher
// (uses) is set; Amount counts points or uses.
type Redeemed struct {
	Reward   ID
	Voucher  ID
	Unit     string
	Amount   int64
	Discount int64
}

// Decision is what the sale will do if it is committed. ToPay is Total − Discount.
type Decision struct {
	Earned   []Earned
	Redeemed []Redeemed
	Discount int64
	ToPay    int64
}
