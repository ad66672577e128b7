package claim

import (
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// State says how a receipt stands. Stored; numbers are final.
type State uint8

// States of a receipt. One that waits is claimed and its sale has not come.
const (
	Waiting State = 1
	Open    State = 2
	Claimed State = 3
)

// String returns the word used in JSON.
func (s State) String() string {
	return map[State]string{Waiting: "waiting", Open: "open", Claimed: "claimed"}[s]
}

// Row is a receipt as kept. Sale is its entry, empty while it waits; Member and Account
// are whose it is once it is claimed. DueAt is when to look again, zero is never.
type Row struct {
	Claim   uuid.UUID
	State   State
	SaleID  uuid.UUID
	Sale    ledger.Entry
	Member  uuid.UUID
	Account uuid.UUID
	DueAt   int64
}

// FactKind tells what happened to a receipt. Stored; numbers are final.
type FactKind uint8

// Kinds of facts.
const (
	Attempt FactKind = 1
	Undoing FactKind = 2
)

// Fact is a claim, or a void or return of the sale. Done facts need nothing more.
type Fact struct {
	Claim  uuid.UUID
	Kind   FactKind
	Source journal.Hash
	Place  int64 // in the order in which HQ took them in
	Member uuid.UUID
	By     uuid.UUID // who did it at HQ
	Token  []byte    // the receipt's code; of an undoing its entry
	Entry  ledger.Entry
	Done   bool
}

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// LockClaim returns a receipt and keeps it locked until the transaction ends.
	LockClaim(ctx context.Context, claim uuid.UUID) (Row, bool, error)
	// AddClaim adds a receipt that is not there.
	AddClaim(ctx context.Context, row Row) error
	SetClaim(ctx context.Context, row Row) error
	// ClaimFacts returns the facts of a receipt by place.
	ClaimFacts(ctx context.Context, claim uuid.UUID) ([]Fact, error)
	// AddClaimFact adds one that is not there, behind all others.
	AddClaimFact(ctx context.Context, f Fact) error
	ClaimFactDone(ctx context.Context, f Fact) error
	// ClaimsDue returns receipts to look at by a time.
	ClaimsDue(ctx context.Context, at int64, limit int) ([]uuid.UUID, error)
	TerminalKey(ctx context.Context, terminal uuid.UUID, epoch uint32) (ed25519.PublicKey, error)
	AddExceptions(ctx context.Context, rows []ledger.Exception) error
	AccountsOfMembers(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]uuid.UUID, error)
}

// Ledger posts what is claimed.
type Ledger interface {
	AccountAt(ctx context.Context, account uuid.UUID, at int64) (uuid.UUID, error)
	Claim(ctx context.Context, body entry.HQClaimed) error
	UndoClaimed(ctx context.Context, e ledger.Entry, account, sale uuid.UUID) error
}

// Policies gives the policy of a version, and that in force.
type Policies interface {
	PolicyOf(ctx context.Context, version uint64) (loyalty.Policy, error)
}

// Options are what the service stands on.
type Options struct {
	Store    Store
	Ledger   Ledger
	Policies Policies
	Clock    clock.Clock
	Log      *slog.Logger
	Turn     rounds.Turn
}

// Service settles receipts. It is safe for concurrent use, also by several processes on
// one database.
type Service struct {
	*rounds.Loop
	o Options
}

const (
	roundEvery = 5 * time.Second
	// waitFor is how long a claim waits for its sale before somebody must look: a till may
	// be offline for a week, and longer.
	waitFor = 30 * 24 * time.Hour
	// againAfter is when a claim of a member HQ does not know is looked at again.
	againAfter = time.Minute
	dueAtOnce  = 200
)

// New returns the service; its rounds do not run before Start.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Service{o: o}
	s.Loop = rounds.Elected(roundEvery, o.Turn, s.Round, func(err error) { o.Log.Error("receipts could not be settled; it is tried again", "error", err) })
	return s
}

func (s *Service) now() int64 { return s.o.Clock.Now().UnixMilli() }
