package webshop

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// quoteLife is how long a quote can be turned into a sale.
const quoteLife = 15 * time.Minute

// Store is the storage this room needs. Methods join the transaction in ctx. What
// is missing is problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// LockBranches returns the branches of a journal, locked until the transaction ends.
	LockBranches(ctx context.Context, w journal.Writer, store uuid.UUID) ([]ingest.Branch, error)
	AddQuote(ctx context.Context, id uuid.UUID, body []byte, expiresAt time.Time) error
	Quote(ctx context.Context, id uuid.UUID) (body []byte, expiresAt time.Time, err error)
	AddWebSale(ctx context.Context, p Place) error
	WebSale(ctx context.Context, sale uuid.UUID) (Place, error)
	// SetVoided notes a void, once and only while nothing came back; it reports
	// whether this call did.
	SetVoided(ctx context.Context, sale uuid.UUID) (bool, error)
	// CountReturn counts one more return of a sale, which is locked until the
	// transaction ends, and returns its number. A sale that was voided is
	// problem.NotFound.
	CountReturn(ctx context.Context, sale uuid.UUID) (int, error)
	AddWebReturn(ctx context.Context, p Place, no int) error
	// WebReturns lists the returns of a sale in the order they were made.
	WebReturns(ctx context.Context, sale uuid.UUID) ([]Place, error)
}

// Place is where a sale, or a return of it, stands in a virtual terminal's journal.
// Returns counts those of the sale.
type Place struct {
	Sale     uuid.UUID
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Voided   bool
	Returns  int
}

// Fleet is what this room needs of stores and terminals.
type Fleet interface {
	Store(ctx context.Context, id uuid.UUID) (fleet.Store, error)
	Terminal(ctx context.Context, id uuid.UUID) (fleet.Terminal, error)
	Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]fleet.Terminal, error)
	AddTerminal(ctx context.Context, by, store uuid.UUID, name string) (fleet.Terminal, fleet.OneTimeCode, error)
	Enrol(ctx context.Context, req wire.EnrolRequest) (wire.Enrolment, error)
}

// Programme is what this room needs of rules, rewards and members.
type Programme interface {
	Member(ctx context.Context, id uuid.UUID) (programme.Member, error)
	MemberByReference(ctx context.Context, reference string) (programme.Member, error)
	Reward(ctx context.Context, id uuid.UUID) (programme.Reward, error)
	CurrentRuleSet(ctx context.Context) (loyalty.RuleSet, error)
	CurrentPolicy(ctx context.Context) (loyalty.Policy, error)
}

// Ledger is what this room needs of the books.
type Ledger interface {
	Locked(ctx context.Context, account uuid.UUID, fn func(ctx context.Context, a ledger.Account) error) error
	Vouchers(ctx context.Context, account uuid.UUID) ([]loyalty.Voucher, error)
	PassIssues(ctx context.Context, account, member uuid.UUID) ([]loyalty.Issued, error)
	EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error)
	ApplyNow(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) error
}

// Ingest takes the virtual terminal's entries in.
type Ingest interface {
	Push(ctx context.Context, t ingest.Terminal, b wire.Batch, now time.Time) ([]byte, error)
}

// Env is what this room stands on. Secret is 32 bytes that only HQ knows; the keys
// of the virtual terminals derive from it. Keys verify passes. Lanes is how many
// virtual terminals a store has, DefaultLanes for zero.
type Env struct {
	Store     Store
	Fleet     Fleet
	Programme Programme
	Ledger    Ledger
	Ingest    Ingest
	Clock     clock.Clock
	NewID     func() uuid.UUID
	HQ        uuid.UUID
	Secret    []byte
	Keys      keys.Set
	Lanes     int
	Version   string
}

// Shop is the room. It is safe for concurrent use.
type Shop struct{ env Env }

// New returns the room.
func New(env Env) *Shop {
	if env.Lanes <= 0 {
		env.Lanes = DefaultLanes
	}
	return &Shop{env: env}
}

func (s *Shop) now() time.Time { return s.env.Clock.Now().UTC().Truncate(time.Millisecond) }
