package loyalty

// ID is a UUID. The domain never makes one, it only carries it.
type ID = [16]byte

// The types below are what HQ tells terminals about a programme. They carry the
// integer keys of the wire, so that they exist once; keys only grow. Times are
// Unix milliseconds, zero meaning no limit. Discounts are in minor units.

// Rounding says what becomes of a part of Per. Numbers are on the wire.
type Rounding uint8

// Ways of rounding.
const (
	RoundDown   Rounding = 0 // for every full Per
	RoundHalfUp Rounding = 1
	RoundUp     Rounding = 2 // for every Per begun

	RoundHalfEven Rounding = 3 // a half goes to the even number, so that halves even out
)

// EarnRule gives Points of Unit for every Per minor units spent. What is earned
// expires ExpireMonths after it was earned, or at ExpireOn, or RollDays after the
// account's last activity; the first that is set counts, none is never.
type EarnRule struct {
	Unit         string `cbor:"1,keyasint" json:"unit"`
	Points       int64  `cbor:"2,keyasint" json:"points"`
	Per          int64  `cbor:"3,keyasint" json:"per"`
	Category     string `cbor:"4,keyasint,omitempty" json:"category,omitempty"` // only lines of this category; empty is the basket
	VestDays     int32  `cbor:"5,keyasint,omitempty" json:"vest_days,omitempty"`
	ExpireMonths int32  `cbor:"6,keyasint,omitempty" json:"expire_months,omitempty"`

	Rounding Rounding `cbor:"7,keyasint,omitempty" json:"rounding,omitempty"`
	ExpireOn int64    `cbor:"8,keyasint,omitempty" json:"expire_on,omitempty"` // Unix milliseconds
	RollDays int32    `cbor:"9,keyasint,omitempty" json:"roll_days,omitempty"`
}

// UnitKind says what a unit counts.
type UnitKind uint8

// Kinds of units.
const (
	UnitPoints UnitKind = 0
	UnitStamps UnitKind = 1
	UnitCredit UnitKind = 2 // like money
)

// Unit is a unit of a programme. Amounts are int64 in its smallest part, of which
// ten to the power of Decimals make one.
type Unit struct {
	Name     string   `cbor:"1,keyasint" json:"name"`
	Kind     UnitKind `cbor:"2,keyasint,omitempty" json:"kind,omitempty"`
	Decimals uint8    `cbor:"3,keyasint,omitempty" json:"decimals,omitempty"`
}

// RuleSet is one version of a programme's rules. Its Version is recorded in every
// sale decided under it.
type RuleSet struct {
	Version   uint64     `cbor:"1,keyasint" json:"version"`
	Programme ID         `cbor:"2,keyasint" json:"-"`
	Currency  string     `cbor:"3,keyasint" json:"currency"`
	Earn      []EarnRule `cbor:"4,keyasint" json:"earn"`
	Units     []Unit     `cbor:"5,keyasint,omitempty" json:"units,omitempty"`
}

// Unit finds a unit of the catalogue. A unit that only a rule earns counts points.
func (r RuleSet) Unit(name string) (Unit, bool) {
	for _, u := range r.Units {
		if u.Name == name {
			return u, true
		}
	}
	for _, e := range r.Earn {
		if e.Unit == name {
			return Unit{Name: name}, true
		}
	}
	return Unit{}, false
}

// Policy caps what a terminal may decide by itself (stand-in). Amounts are in the
// smallest part of Unit; a cap of zero refuses, it never means "no cap".
type Policy struct {
	Version            uint64 `cbor:"1,keyasint" json:"version"`
	Unit               string `cbor:"2,keyasint" json:"unit"`
	PerSale            int64  `cbor:"3,keyasint" json:"per_sale"`
	PerMemberDay       int64  `cbor:"4,keyasint" json:"per_member_day"`
	PerTerminal        int64  `cbor:"5,keyasint" json:"per_terminal_since_sync"`
	VouchersPerSale    int64  `cbor:"6,keyasint" json:"vouchers_per_sale"`
	VouchersTerminal   int64  `cbor:"7,keyasint" json:"vouchers_per_terminal_since_sync"`
	MaxCacheAgeSeconds int64  `cbor:"8,keyasint" json:"max_cache_age_seconds"`

	PerStore      int64         `cbor:"9,keyasint,omitempty" json:"per_store_since_sync,omitempty"` // split into shares; 0: each terminal has PerTerminal
	VouchersStore int64         `cbor:"10,keyasint,omitempty" json:"vouchers_per_store_since_sync,omitempty"`
	SoftLimit     int64         `cbor:"11,keyasint,omitempty" json:"soft_limit,omitempty"`   // above it, random refusals; 0: none
	Static        FreshnessCaps `cbor:"12,keyasint,omitzero" json:"static,omitzero"`         // caps for static codes
	Keyed         FreshnessCaps `cbor:"13,keyasint,omitzero" json:"keyed,omitzero"`          // caps for typed numbers
	AgeSteps      []AgeStep     `cbor:"14,keyasint,omitempty" json:"age_steps,omitempty"`    // by age of the cache, ascending
	RestartCap    int64         `cbor:"15,keyasint,omitempty" json:"restart_cap,omitempty"`  // all redemptions of an unwitnessed terminal
	SpendEarned   bool          `cbor:"16,keyasint,omitempty" json:"spend_earned,omitempty"` // points earned here may be spent here at once
	SpendPending  bool          `cbor:"17,keyasint,omitempty" json:"spend_pending,omitempty"`
	Rights        Rights        `cbor:"18,keyasint,omitzero" json:"rights,omitzero"`

	// UnknownSales is how many sales a day a member of whom a terminal knows nothing may
	// make at it. Unlike a cap on redeeming it may be left out: zero is
	// DefaultUnknownSales, less than zero none.
	UnknownSales int64 `cbor:"19,keyasint,omitempty" json:"unknown_sales,omitempty"`

	// Identities is how many members each terminal may enrol before it must hear of HQ
	// again. It may be left out too: zero is DefaultIdentities, less than zero none.
	Identities int64 `cbor:"20,keyasint,omitempty" json:"identities,omitempty"`
	// ClaimDays is for how many days a sale without a card can be claimed by its receipt;
	// zero is not at all.
	ClaimDays int64 `cbor:"21,keyasint,omitempty" json:"claim_days,omitempty"`
	// IssueGraceDays is for how many days a phone may miss an update of its pass and lose
	// nothing. It may be left out: zero is DefaultIssueGrace, less than zero none.
	IssueGraceDays int64 `cbor:"22,keyasint,omitempty" json:"issue_grace_days,omitempty"`
}

// DefaultUnknownSales is the cap where a policy says none.
const DefaultUnknownSales = 10

// UnknownSalesADay is the cap that UnknownSales stands for.
func (p Policy) UnknownSalesADay() int64 {
	if p.UnknownSales == 0 {
		return DefaultUnknownSales
	}
	return max(0, p.UnknownSales)
}

// DefaultIdentities and MostIdentities are the size of a terminal's pool where a policy
// says none, and the largest there is.
const (
	DefaultIdentities = 20
	MostIdentities    = 1000
)

// IdentitiesEach is the size that Identities stands for.
func (p Policy) IdentitiesEach() int64 {
	if p.Identities == 0 {
		return DefaultIdentities
	}
	return min(max(0, p.Identities), MostIdentities)
}

// FreshnessCaps are the caps of one freshness of codes. Off means no stand-in at all;
// zero figures add no cap.
type FreshnessCaps struct {
	Off          bool  `cbor:"1,keyasint,omitempty" json:"off,omitempty"`
	PerSale      int64 `cbor:"2,keyasint,omitempty" json:"per_sale,omitempty"`
	PerMemberDay int64 `cbor:"3,keyasint,omitempty" json:"per_member_day,omitempty"`
}

// AgeStep leaves Percent of every cap when HQ was last heard more than AfterSeconds ago.
type AgeStep struct {
	AfterSeconds int64 `cbor:"1,keyasint" json:"after_seconds"`
	Percent      int64 `cbor:"2,keyasint" json:"percent"`
}

// Rights is how HQ gives rights: for each member SharePercent of what is free, at
// most Cap and nothing below Min, to stores where they shop; a grant lives
// LifeSeconds, an authorisation or loan OneOffSeconds. A terminal stops ClockBound
// seconds before a right's end; HQ takes it back GraceSeconds after it, flagged.
// Clones is the k of the exposure. SharePercent zero gives no grants.
type Rights struct {
	SharePercent      int64 `cbor:"1,keyasint,omitempty" json:"share_percent,omitempty"`
	Cap               int64 `cbor:"2,keyasint,omitempty" json:"cap,omitempty"`
	Min               int64 `cbor:"3,keyasint,omitempty" json:"min,omitempty"`
	LifeSeconds       int64 `cbor:"4,keyasint,omitempty" json:"life_seconds,omitempty"`
	OneOffSeconds     int64 `cbor:"5,keyasint,omitempty" json:"one_off_seconds,omitempty"`
	ClockBoundSeconds int64 `cbor:"6,keyasint,omitempty" json:"clock_bound_seconds,omitempty"`
	GraceSeconds      int64 `cbor:"7,keyasint,omitempty" json:"grace_seconds,omitempty"`
	Clones            int64 `cbor:"8,keyasint,omitempty" json:"clones,omitempty"`
	VoucherUses       bool  `cbor:"9,keyasint,omitempty" json:"voucher_uses,omitempty"` // vouchers too
}

// Reward is an entry in the catalogue: Cost points of Unit buy Discount off a
// basket. Cost zero means it is only given as a voucher.
type Reward struct {
	ID        ID     `cbor:"1,keyasint" json:"-"`
	Name      string `cbor:"2,keyasint" json:"name"`
	Unit      string `cbor:"3,keyasint,omitempty" json:"unit"`
	Cost      int64  `cbor:"4,keyasint,omitempty" json:"cost"`
	Discount  int64  `cbor:"5,keyasint" json:"discount"`
	Currency  string `cbor:"6,keyasint" json:"currency"`
	Active    bool   `cbor:"7,keyasint" json:"active"`
	ValidFrom int64  `cbor:"8,keyasint,omitempty" json:"valid_from,omitempty"`
	ValidTo   int64  `cbor:"9,keyasint,omitempty" json:"valid_to,omitempty"`

	// What the cashier does at a till software that knows nothing of this: the key to
	// press, or the coupon code to type or scan. Either may be empty.
	RegisterKey string `cbor:"10,keyasint,omitempty" json:"register_key,omitempty"`
	CouponCode  string `cbor:"11,keyasint,omitempty" json:"coupon_code,omitempty"`
}

// Voucher is one issued right to a reward. Uses is how many it had when issued,
// Left how many are left as HQ knows it.
type Voucher struct {
	ID        ID    `cbor:"1,keyasint" json:"-"`
	Member    ID    `cbor:"2,keyasint" json:"-"`
	Account   ID    `cbor:"3,keyasint" json:"-"`
	Reward    ID    `cbor:"4,keyasint" json:"-"`
	Uses      int64 `cbor:"5,keyasint" json:"uses"`
	Left      int64 `cbor:"6,keyasint" json:"left"`
	ValidFrom int64 `cbor:"7,keyasint,omitempty" json:"valid_from,omitempty"`
	ValidTo   int64 `cbor:"8,keyasint,omitempty" json:"valid_to,omitempty"`
	Blocked   bool  `cbor:"9,keyasint,omitempty" json:"blocked,omitempty"`
	// Issue counts how often its code was issued; zero is once. An HQ of an older release
	// says nothing of it.
	Issue uint16 `cbor:"10,keyasint,omitempty" json:"issue,omitempty"`
}

// CodeIssue is the issue number of the voucher's own code. Only the newest is good: HQ
// raises it when a gift was taken back or a card was lost, and never as an update.
func (v Voucher) CodeIssue() uint16 { return max(1, v.Issue) }

// CodeGood decides about the issue number of a voucher's code that was shown. A newer one
// than is known here was issued since.
func (v Voucher) CodeGood(shown uint16) bool { return shown >= v.CodeIssue() }

// UseUnit is the unit in which the ledger counts the uses of one voucher.
func UseUnit(voucher string) string { return "use:" + voucher }
