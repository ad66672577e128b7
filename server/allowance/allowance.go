package allowance

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/rounds"
)

// Ledger is what the decisions rest on, and what carries them out.
type Ledger interface {
	AccountAt(ctx context.Context, account uuid.UUID, at int64) (uuid.UUID, error)
	DecideRight(ctx context.Context, account uuid.UUID, unit string, right uuid.UUID, decide func(ctx context.Context, h ledger.Held) (ledger.RightStep, error)) error
	Progress(ctx context.Context) ([]ledger.Progress, error)
	Losses(ctx context.Context) ([]ledger.Loss, error)
}

// Journal is HQ's own journal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Publisher tells stores.
type Publisher interface {
	Publish(ctx context.Context, changes ...feed.Change) error
	// Changed is closed when the feed next moves.
	Changed() <-chan struct{}
}

// Policies gives the policy in force; problem.NotFound before the first.
type Policies interface {
	CurrentPolicy(ctx context.Context) (loyalty.Policy, error)
}

// Options are what the service stands on.
type Options struct {
	Store    Store
	Ledger   Ledger
	Journal  Journal
	Feed     Publisher
	Policies Policies
	Clock    clock.Clock
	NewID    func() uuid.UUID
	HQ       uuid.UUID
	HQEpoch  uint32
	Signer   keys.Signer // a statement key
	Keys     keys.Set
	Log      *slog.Logger
	Turn     rounds.Turn
}

// Service gives rights, recalls them and takes them back. It is safe for concurrent use,
// also by several processes on one database.
type Service struct {
	*rounds.Loop
	o       Options
	at      place // where the search for accounts goes on
	sampled int64
	left    left // by the round that runs
}

// roundEvery is how often the service looks by itself.
const roundEvery = 5 * time.Second

// New returns the service; its rounds do not run before Start.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Service{o: o}
	s.Loop = rounds.Elected(roundEvery, o.Turn, s.Round, func(err error) { o.Log.Error("rights could not be looked after; it is tried again", "error", err) })
	return s
}

func (s *Service) now() int64 { return s.o.Clock.Now().UnixMilli() }

// policy is the policy in force, the zero one, which gives nothing, before the first.
func (s *Service) policy(ctx context.Context) (loyalty.Policy, error) {
	p, err := s.o.Policies.CurrentPolicy(ctx)
	if problem.CodeOf(err) == problem.NotFound {
		return loyalty.Policy{}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read policy: %w", err)
	}
	return p, nil
}

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	OpenRights(ctx context.Context, keys []ledger.AccountKey) ([]ledger.RightRow, error)
	// RightsOver returns rights that are open and whose time was over by a time.
	RightsOver(ctx context.Context, by int64, limit int) ([]ledger.RightRow, error)
	// RightsOf returns open rights of a terminal's epoch.
	RightsOf(ctx context.Context, holder uuid.UUID, epoch uint32, limit int) ([]ledger.RightRow, error)
	// Holders returns who has open rights.
	Holders(ctx context.Context) ([]Lane, error)
	// RightsUncovered returns the holdings whose rights are more than lots bear.
	RightsUncovered(ctx context.Context, limit int) ([]ledger.UnitKey, error)
	// RightsAbove returns granted rights of more than an amount that are not recalled.
	RightsAbove(ctx context.Context, amount int64, limit int) ([]ledger.RightRow, error)
	// Unspent sums what open rights have left by store, holder and unit; uses of all
	// vouchers are one unit, [Uses].
	Unspent(ctx context.Context) ([]Sum, error)
	// Uncovered sums what of open rights no lots bear, by store and unit; what several
	// stores share counts for each.
	Uncovered(ctx context.Context) ([]Sum, error)

	PutGrant(ctx context.Context, g Grant) error
	Grant(ctx context.Context, key ledger.RightKey) (Grant, bool, error)
	// RecalledSince reports whether a right of an account was recalled since a time.
	RecalledSince(ctx context.Context, key ledger.AccountKey, since int64) (bool, error)
	// GrantsOver returns grants of a shard whose right is over and that were not told so.
	GrantsOver(ctx context.Context, shard, limit int) ([]Grant, error)

	// Rich returns holdings of a shard after an account with at least so much free, of a
	// unit or, with vouchers, of uses.
	Rich(ctx context.Context, shard int, after uuid.UUID, unit string, free int64, vouchers bool, limit int) ([]ledger.HoldingRow, error)
	// Shops returns where an account shops, most visited first.
	Shops(ctx context.Context, key ledger.AccountKey, limit int) ([]Shop, error)
	// Lanes returns all terminals that may hold rights.
	Lanes(ctx context.Context) ([]Lane, error)
	// Retiring are the terminals that are being taken out of service.
	Retiring(ctx context.Context) ([]Lane, error)
	// LostLanes are the epochs of terminals that two people declared lost, named without
	// store, with who confirmed it.
	LostLanes(ctx context.Context) (map[Lane]uuid.UUID, error)

	PutTakenBack(ctx context.Context, t TakenBack) error
	DropTakenBack(ctx context.Context, key ledger.RightKey) error
	TakenBack(ctx context.Context) ([]TakenBack, error)

	PutShare(ctx context.Context, share ShareRow) error
	Shares(ctx context.Context) ([]ShareRow, error)
	// AckShare forgets the shares of a terminal's epoch before a version, and of epochs
	// before, and notes that the terminal holds the version.
	AckShare(ctx context.Context, terminal uuid.UUID, epoch uint32, version uint64) error
	// NotedShare returns what a terminal last noted that it decides under, as far as
	// its journal has been applied.
	NotedShare(ctx context.Context, terminal uuid.UUID, epoch uint32) (Noted, bool, error)

	PutSamples(ctx context.Context, samples []Sample) error
	// Samples returns samples between two times, of one store or (zero) of all.
	Samples(ctx context.Context, store uuid.UUID, from, to int64, limit int) ([]Sample, error)

	// BeginRestore notes an epoch of HQ with the terminals to wait for, once.
	BeginRestore(ctx context.Context, hqEpoch uint32, until int64) error
	// RestoreWaits returns until when at most HQ waits, zero when it waits for nobody.
	RestoreWaits(ctx context.Context, hqEpoch uint32) (until int64, err error)
	Presented(ctx context.Context, hqEpoch uint32, terminal uuid.UUID) error
}

// Uses is the unit in which the uses of all vouchers are summed.
const Uses = "uses"

// Grant is what was told of a right. Told is 1 given, 2 recalled, 3 closed. Signed is
// empty for a right that HQ did not give.
type Grant struct {
	ledger.RightKey
	Store      uuid.UUID
	Signed     []byte
	RecalledAt int64
	Told       uint64
}

// Sum is what rights of a terminal have left.
type Sum struct {
	Store, Holder uuid.UUID
	Unit          string
	Amount        int64
}

// TakenBack is a right that its holder may have used after all.
type TakenBack struct {
	ledger.RightKey
	Lane
	Amount int64
	EndsAt int64
}

// ShareRow is a share as given.
type ShareRow struct {
	Lane
	Version      uint64
	Policy       uint64
	Unit         string
	Points, Uses int64
	Acked        bool
}
