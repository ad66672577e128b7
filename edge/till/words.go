package till

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Scan is a good code and what it is worth here. Exactly one of Member and Voucher
// is set.
type Scan struct {
	ID        uuid.UUID
	ExpiresAt time.Time // until then it can be quoted by its id
	Kind      passtoken.Kind
	Freshness entry.Freshness
	Repair    passtoken.Repair
	Member    *Member
	Voucher   *Voucher
}

// Member is what this terminal knows of a shopper.
type Member struct {
	ID       uuid.UUID
	Account  uuid.UUID
	Alias    string
	Holdings []Holding
	// Rewards are those that points buy, by name; Vouchers the member's own with
	// uses left. Each says whether one could be redeemed at this moment.
	Rewards  []RewardOffer
	Vouchers []Voucher
}

// Holding is one unit of an account as this terminal reckons it: HQ's figure with
// this terminal's own later entries.
type Holding struct {
	Unit string
	Free int64
	// Allowance is the part of Free that this terminal may redeem without asking anybody.
	Allowance int64
	Held      int64 // part of Free that an open quote reserves; never a right
	Pending   int64 // earned, not spendable yet
	// Expires is what of it expires first, when that is within ExpirySoon and certain
	// (see loyalty.Expiry.After); else the zero value.
	Expires loyalty.Expiry
}

// ExpirySoon is how far ahead a till tells what expires.
const ExpirySoon = 30 * 24 * time.Hour

// RewardOffer is a reward that points buy. Refused is nil when it could be redeemed
// once at this moment; else its code says why not.
type RewardOffer struct {
	Reward  loyalty.Reward
	Refused *problem.Error
}

// Voucher is a voucher with the uses left as this terminal reckons them. Refused is
// nil when one use could be redeemed at this moment; else its code says why not.
type Voucher struct {
	Voucher loyalty.Voucher
	Reward  *loyalty.Reward // nil: the reward is not known here
	Refused *problem.Error
}

// Request is a basket with what the shopper presented and wants. Codes are raw
// scans, Scans ids of earlier ones; together at most one member and MaxCodes in all.
type Request struct {
	Codes  []string
	Scans  []uuid.UUID
	Basket loyalty.Basket
	Wishes []loyalty.Wish
	Caller Caller
}

// Bounds of a Request and of texts in it; those of the basket are in loyalty.
const (
	MaxCodes = 8
	MaxText  = 64  // SKU, category, receipt, cashier: bytes
	MaxKey   = 128 // idempotency key: bytes
)

// Quote says what a sale will do if it is committed before ExpiresAt.
type Quote struct {
	ID        uuid.UUID
	ExpiresAt time.Time
	Member    *Member // nil: a sale without a member
	Decision  loyalty.Decision
	Basket    loyalty.Basket
	Training  bool // it holds nothing, and only training can commit it
}

// Commit makes a sale of a quote, or of Request when Quote is the zero id.
type Commit struct {
	Quote   uuid.UUID
	Request Request
	// Key is the caller's idempotency key, KeyHash the SHA-256 of its request.
	Key     string
	KeyHash [32]byte
	Receipt string
	Cashier string
	Caller  Caller
}

// Void undoes a sale, named by its id or by the idempotency key that made it.
type Void struct {
	Sale    uuid.UUID
	SaleKey string
	Key     string
	KeyHash [32]byte
	Reason  entry.VoidReason
	Cashier string
	Caller  Caller
}

// Entry is where something stands in the journal.
type Entry struct {
	At           journal.Position
	OccurredAt   time.Time
	BusinessDate entry.Date
}

// Sale is a committed sale as the journal has it, so that the answer to a repeated
// call is the same.
type Sale struct {
	Entry
	Body entry.Sale
	// Claim is what the receipt of a sale without a card says, or nil.
	Claim *ReceiptClaim
	// Replayed says that this call did not make the sale; an earlier one with the
	// same key did.
	Replayed bool
	// Training says that it is none: nothing was written, and it has no number.
	Training bool
}

// Discount returns what was taken off the total, in minor units.
func (s Sale) Discount() int64 {
	var sum int64
	for _, r := range s.Body.Redeemed {
		sum += r.Discount
	}
	return sum
}

// ToPay returns the total less the discount, in minor units.
func (s Sale) ToPay() int64 { return s.Body.Total.Minor - s.Discount() }

// Voided is a committed void.
type Voided struct {
	Entry
	Body     entry.Void
	Replayed bool
	Training bool // see Sale
}

// Found is a sale looked up, with its void when there is one, and what came back of
// it. Left is nil when it was voided.
type Found struct {
	Sale     Sale
	Void     *Voided
	Returned *BroughtBack // nil: nothing
	Left     *Left
}

// Status is how the terminal stands.
type Status struct {
	Writer  journal.Writer
	Store   uuid.UUID
	Online  bool
	Head    journal.Head
	Acked   uint64 // last entry HQ acknowledged
	Applied uint64 // last entry that counts no more, because HQ has applied it
	Queue   uint64 // entries HQ has not acknowledged
	Oldest  time.Time
	Contact time.Time // when HQ was last heard; zero: never
	// CacheAge is how old what HQ said is; negative: infinitely.
	CacheAge time.Duration
	// ClockTrusted is false while nothing is redeemed without a right, for the clock.
	ClockTrusted bool
	// Drift is how the wall clock runs against HQ's signed time.
	Drift   Drift
	Now     time.Time
	RuleSet uint64
	Policy  uint64
	KeySet  uint64
	// Spent and Cap are points of Unit, the policy's, and uses of vouchers, redeemed
	// without a right and not applied by HQ, and this terminal's share.
	Unit                   string
	Currency               string // of the rules; empty without
	SpentPoints, CapPoints int64
	SpentUses, CapUses     int64
	Caps                   []loyalty.Cap
	Rights                 RightsHeld
	Exposure               Exposure
	Witness                Witness
	ReceiptNeeded          bool   // no sale of this store without the register's receipt number
	CardPage               string // where shoppers open their card, as HQ says; empty: it does not
}
