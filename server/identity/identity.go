package identity

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// State says what became of an identity. Stored; numbers are final.
type State uint8

// States of an identity.
const (
	Issued    State = 1
	Used      State = 2
	Withdrawn State = 3
)

// Row is one identity as kept. UsedBy is the hash of the entry that gave it to somebody.
type Row struct {
	allowance.Lane
	Member   uuid.UUID
	Pass     []byte
	IssuedAt int64 // Unix milliseconds
	State    State
	UsedBy   journal.Hash
	Told     bool // the store knows the state
}

// Pool is how many unused identities a terminal has in an epoch.
type Pool struct {
	allowance.Lane
	Left int64
}

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// Lanes returns all terminals in service.
	Lanes(ctx context.Context) ([]allowance.Lane, error)
	Pools(ctx context.Context) ([]Pool, error)
	Identity(ctx context.Context, terminal, member uuid.UUID) (Row, bool, error)
	// PutIdentities adds rows, or sets state, use and whether it was told.
	PutIdentities(ctx context.Context, rows []Row) error
	// Withdraw ends the unused identities of a terminal's epoch; none has been told.
	Withdraw(ctx context.Context, lane allowance.Lane) error
	// Untold returns identities that ended and of which the store does not know it.
	Untold(ctx context.Context, limit int) ([]Row, error)
	// AddExceptions adds those that are not there.
	AddExceptions(ctx context.Context, rows []ledger.Exception) error
}

// Programme knows members and signs passes.
type Programme interface {
	CurrentPolicy(ctx context.Context) (loyalty.Policy, error)
	FirstPass(member uuid.UUID) (passtoken.Token, error)
	AddIssued(ctx context.Context, member, account uuid.UUID, blocked bool) (added bool, err error)
}

// Ledger ties members to stores.
type Ledger interface {
	Tie(ctx context.Context, member, store uuid.UUID) error
}

// Publisher tells stores.
type Publisher interface {
	Publish(ctx context.Context, changes ...feed.Change) error
}

// Options are what the service stands on.
type Options struct {
	Store     Store
	Programme Programme
	Ledger    Ledger
	Feed      Publisher
	Clock     clock.Clock
	NewID     func() uuid.UUID
	Keys      keys.Set
	Log       *slog.Logger
	Turn      rounds.Turn
}

// Service keeps the pools. It is safe for concurrent use, also by several processes on
// one database.
type Service struct {
	*rounds.Loop
	o Options
}

// roundEvery is how often the service looks by itself.
const roundEvery = 5 * time.Second

// New returns the service; its rounds do not run before Start.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Service{o: o}
	s.Loop = rounds.Elected(roundEvery, o.Turn, s.Round, func(err error) { o.Log.Error("identities could not be looked after; it is tried again", "error", err) })
	return s
}
