package pass

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// Card is all that is needed to make a pass for a phone.
type Card struct {
	Serial string
	// Token is what the phone must show to ask for updates (Apple).
	Token string
	Face  face.Face
	Brand brand.Brand
}

// AppleWallet makes signed passes. An adapter over wallet/apple.
type AppleWallet interface {
	// PassType is the pass type identifier.
	PassType() string
	// Pass returns a .pkpass. It signs, and costs as much.
	Pass(c Card) ([]byte, error)
	// Bundle returns a .pkpasses of up to ten.
	Bundle(passes [][]byte) ([]byte, error)
}

// Wallet keeps what a pass says at a maker of wallets, which shows it on phones: all that
// a further wallet must do. What a pass says, when it changed, who is to be told again and
// when, is the life of passes and the same for all; Apple's phones ask for their passes
// themselves (see [AppleWallet]), and web cards and printed ones need nobody told.
type Wallet interface {
	// Put makes or changes what is kept of a pass, or ends it when its face is voided. It
	// may be called again with the same card, and waits for its turn under a limit.
	Put(ctx context.Context, c Card) Result
}

// GoogleWallet keeps objects at Google. An adapter over wallet/google.
type GoogleWallet interface {
	Wallet
	// Link is the address at which a shopper saves an object that was put.
	Link(serial string, kind face.Kind) (string, error)
}

// Pusher tells a phone that passes of a type have changed. An adapter over wallet/apple/apns.
type Pusher interface {
	Push(ctx context.Context, pushToken string) Result
}

// Outcome is what became of telling a phone or a channel.
type Outcome uint8

// Outcomes.
const (
	Done  Outcome = 1
	Gone  Outcome = 2 // the phone has forgotten us: not to be told again
	Later Outcome = 3 // try again, after After if that is set
	// Failed is refused for good: this change is not told, the next one is tried.
	Failed Outcome = 4
)

// Result is an outcome with its reason, for the console.
type Result struct {
	Outcome Outcome
	After   time.Duration
	// Since is when it became known that a phone is Gone: one that was added later stays.
	// Zero is now.
	Since  time.Time
	Reason string
}

// Programme is what passes need of the programme.
type Programme interface {
	// MembersOf returns the members of these ids that exist, in any order.
	MembersOf(ctx context.Context, ids []uuid.UUID) ([]programme.Member, error)
	Member(ctx context.Context, id uuid.UUID) (programme.Member, error)
	Voucher(ctx context.Context, id uuid.UUID) (programme.Voucher, error)
	Vouchers(ctx context.Context, member, after uuid.UUID, limit int) ([]programme.Voucher, error)
	// TakeBackVoucher issues the code of a voucher anew; tills refuse the one before.
	TakeBackVoucher(ctx context.Context, by, id uuid.UUID) (programme.Voucher, error)
	Rewards(ctx context.Context, after uuid.UUID, limit int) ([]programme.Reward, error)
	CurrentRuleSet(ctx context.Context) (loyalty.RuleSet, error)
	// CodeTerms is what all codes have in common now; it signs nothing.
	CodeTerms() (programme.CodeTerms, error)
	// CodeOf signs the code of a member.
	CodeOf(m programme.Member) (programme.Code, error)
	// VoucherCode signs the code of a voucher, until its last day.
	VoucherCode(voucher uuid.UUID, issue uint16, until time.Time) (programme.Code, error)
	Reissue(ctx context.Context, by, id uuid.UUID) (programme.Member, error)
	// Update issues the code anew in a way that a phone may miss for a while.
	Update(ctx context.Context, id uuid.UUID) (programme.Member, error)
}

// Books are the accounts as applied, many at once.
type Books interface {
	AccountHoldings(ctx context.Context, keys []ledger.AccountKey) ([]ledger.HoldingRow, error)
	OpenLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.LotRow, error)
	AccountVouchers(ctx context.Context, keys []ledger.AccountKey) ([]ledger.VoucherRow, error)
	// Movements returns what was last recorded of accounts since a time.
	Movements(ctx context.Context, keys []ledger.AccountKey, since time.Time) ([]Movement, error)
	// OldestWaiting is when the oldest entry was recorded that is not applied yet; zero
	// when there is none.
	OldestWaiting(ctx context.Context) (time.Time, error)
	// Locales returns the languages of members who chose one.
	Locales(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]string, error)
	// Merged says whether another card of its owner took the place of a member's.
	Merged(ctx context.Context, member uuid.UUID) (bool, error)
	// Places returns the first stores, by id, whose place is known.
	Places(ctx context.Context, limit int) ([]PlacedStore, error)
	// Visits returns where members were seen, as far as that is kept.
	Visits(ctx context.Context, members []programme.Member) ([]Visit, error)
}

// Movement is what was last recorded of an account.
type Movement struct {
	Account    uuid.UUID
	OccurredAt time.Time // of the newest fact
	RecordedAt time.Time // when HQ recorded it
	RedeemedAt time.Time // when HQ recorded the newest redemption; zero for none
}

// Tiers are the tiers of the programme.
type Tiers interface {
	// Ladder is the tiers in force, today.
	Ladder(ctx context.Context) (tier.Ladder, error)
	// Standings returns where accounts stand on a ladder; none when it has no levels.
	Standings(ctx context.Context, l tier.Ladder, accounts []uuid.UUID) (map[uuid.UUID]loyalty.Standing, error)
}

// Branding is the look in force.
type Branding interface {
	// Version counts the changes of the look.
	Version(ctx context.Context) (uint64, error)
	Current(ctx context.Context) (brand.Brand, error)
}
