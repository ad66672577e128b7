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
	VoucherOfAnother   Reason = "voucher_of_another"
	VoucherUsed        Reason = "voucher_used"
	VoucherExpired     Reason = "voucher_expired"
	VoucherNotYetValid Reason = "voucher_not_yet_valid"
	PointsInsufficient Reason = "points_insufficient"
	CapPerSale         Reason = "cap_per_sale"
	CapMemberDay       Reason = "cap_member_day"
	CapTerminal        Reason = "cap_terminal_since_sync"
	CapRestart         Reason = "cap_restart"
	StandInOff         Reason = "stand_in_off"
	ApprovalNeeded     Reason = "approval_required" // a manager must have seen the card
	StandInByChance    Reason = "stand_in_by_chance"
	ClockUntrusted     Reason = "clock_untrusted"
	DiscountTooLarge   Reason = "discount_exceeds_basket"
	PointsUnknown      Reason = "points_unknown"
	CapUnknownDay      Reason = "cap_unknown_member_day"
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
	// Unknown says that a pass proves the member and nothing else is known here: such a
	// one earns under the base rules, within a cap, and redeems nothing.
	Unknown bool
	Free    map[string]int64 // by unit, without what is set aside as rights
	Owes    map[string]int64 // by unit: an overdraft; optional
}

// Spent is what this terminal has redeemed so far, for the caps: without a right, but
// for the last.
type Spent struct {
	MemberToday       int64 // by this member, this business date
	TerminalSinceSync int64 // not yet applied by HQ
	VouchersSinceSync int64
	UnknownToday      int64 // sales of this member, while unknown here, this business date
	Restart           int64 // on any basis, since the last head that was witnessed; a use counts as one
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
	Rights   []Right        // held here, in any order
	Offered  []Right        // got for this request from lanes or HQ; spent after those held
	Spent    Spent
	CacheAge int64 // seconds since HQ was last heard
	StandIn  StandIn
	// Unwitnessed says that the terminal has started and nobody has confirmed the head
	// of its journal yet.
	Unwitnessed bool
	// Authorised says that HQ decides over its live books: what is free is exact, and
	// no cap of stand-in applies.
	Authorised bool
}

// Earned is one earning a sale gives.
type Earned struct {
	Unit      string
	Amount    int64
	Line      uint16
	VestsAt   int64
	ExpiresAt int64
}

// Redeemed is one redemption a sale makes, or the part of one on one basis. Exactly one
// of Unit (points) or Voucher (uses) is set; Amount counts points or uses. Right is zero
// for stand-in. The first part of a redemption carries its discount.
type Redeemed struct {
	Reward   ID
	Voucher  ID
	Unit     string
	Amount   int64
	Discount int64
	Basis    Basis
	Right    ID
}

// Decision is what the sale will do if it is committed. ToPay is Total − Discount.
type Decision struct {
	Earned   []Earned
	Redeemed []Redeemed
	Kept     []Kept // of Earned, what the terminal may spend at once
	Discount int64
	ToPay    int64
}

// Limits on one request.
const (
	MaxLines  = 500
	MaxWishes = 20
	MaxTimes  = 100
)

// Decide says what a sale will earn and redeem, or why it is refused (DESIGN §7). What
// is wished for is redeemed on the rights held, then on those offered, and the rest
// without a right, when it fits every cap of the policy.
func Decide(r Request) (Decision, *Refusal) {
	if refusal := checkBasket(r.Basket, r.Rules.Currency); refusal != nil {
		return Decision{}, refusal
	}
	redeemed, refusal := Redeemable(r)
	if refusal != nil {
		return Decision{}, refusal
	}
	var discount int64
	for _, x := range redeemed {
		var err error
		if discount, err = Add(discount, x.Discount); err != nil {
			return Decision{}, refuse(AmountOverflow, "discounts do not add up")
		}
	}
	if discount > r.Basket.Total {
		return Decision{}, refuse(DiscountTooLarge, "discounts of %d exceed the basket of %d", discount, r.Basket.Total)
	}
	decision := Decision{Redeemed: redeemed, Discount: discount, ToPay: r.Basket.Total - discount}
	if r.Member != nil {
		if refusal := r.checkUnknown(); refusal != nil {
			return Decision{}, refusal
		}
		earned, err := Earn(r.Rules, r.Basket, discount, r.Now)
		if err != nil {
			return Decision{}, refuse(AmountOverflow, "the earnings are too large")
		}
		decision.Earned = earned
		if !r.Member.Unknown { // where a right to spend would belong is not known
			decision.Kept = r.keep(earned)
		}
	}
	return decision, nil
}

// checkUnknown holds sales of a member who is unknown here to the cap for a day.
func (r Request) checkUnknown() *Refusal {
	most := r.Policy.UnknownSalesADay()
	if !r.Member.Unknown || r.Spent.UnknownToday < most {
		return nil
	}
	return refuse(CapUnknownDay, "%d sales today, at most %d until head office tells more of the member", r.Spent.UnknownToday, most)
}

// Redeemable checks the wishes alone, without a basket: it answers "what can be
// redeemed now" before the basket is known.
func Redeemable(r Request) ([]Redeemed, *Refusal) {
	w, refusal := wished(r)
	if refusal != nil || w == nil {
		return nil, refusal
	}
	if refusal := w.checkFree(); refusal != nil {
		return nil, refusal
	}
	if refusal := w.checkCaps(); refusal != nil {
		return nil, refusal
	}
	return w.split(), nil
}

func checkBasket(b Basket, currency string) *Refusal {
	switch {
	case b.Currency != currency:
		return refuse(CurrencyMismatch, "the basket is in %q, the programme in %q", b.Currency, currency)
	case b.Total <= 0:
		return refuse(AmountInvalid, "the total is %d", b.Total)
	case b.Total > MaxAmount:
		return refuse(AmountOverflow, "the total is %d, at most %d", b.Total, int64(MaxAmount))
	case len(b.Lines) > MaxLines:
		return refuse(AmountInvalid, "%d lines, at most %d", len(b.Lines), MaxLines)
	}
	var sum int64
	for _, line := range b.Lines {
		if line.Amount <= 0 || line.Quantity <= 0 {
			return refuse(AmountInvalid, "line %d has amount %d and quantity %d", line.No, line.Amount, line.Quantity)
		}
		var err error
		if sum, err = Add(sum, line.Amount); err != nil {
			return refuse(AmountOverflow, "the lines do not add up")
		}
	}
	if len(b.Lines) > 0 && sum != b.Total {
		return refuse(AmountInvalid, "the lines add up to %d, the total is %d", sum, b.Total)
	}
	return nil
}
