package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// LinkState is where a link stands. Numbers are stored.
type LinkState int16

// States of a link.
const (
	LinkBeginning LinkState = 1 // members are not told or points not moved yet
	LinkInForce   LinkState = 2
	LinkEnding    LinkState = 3 // what is left is on its way back
	LinkEnded     LinkState = 4
)

// String returns the word used in JSON and on screen.
func (s LinkState) String() string {
	return map[LinkState]string{LinkBeginning: "beginning", LinkInForce: "in_force", LinkEnding: "ending", LinkEnded: "ended"}[s]
}

// Link makes facts of Account count for Target while it is in force. From and
// Until are Unix milliseconds; Until is zero while nobody has ended it. Owned is
// what one of the two accounts still has to take over.
type Link struct {
	ID      uuid.UUID
	Account uuid.UUID
	Target  uuid.UUID
	Kind    entry.LinkKind
	State   LinkState
	From    int64
	Until   int64
	Member  uuid.UUID
	Reason  uint8
	By      uuid.UUID
	Owned   ledger.Owned
}

// Move is points on their way, or arrived.
type Move struct {
	Leg       entry.HQTransfer // as it left
	Arrived   bool
	CreatedAt time.Time
}

// Store is the storage this room needs. Methods join the transaction in ctx. What
// is missing is problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	AfterCommit(ctx context.Context, fn func())

	// MemberAccount returns the account a member has now, MemberOf who has a
	// reference in the owner's other systems.
	MemberAccount(ctx context.Context, member uuid.UUID) (uuid.UUID, error)
	MemberOf(ctx context.Context, reference string) (uuid.UUID, error)
	// MoveMemberRecords and MoveVoucherRecords write the new account; of vouchers, and of
	// their passes, who answers for them too.
	MoveMemberRecords(ctx context.Context, members []uuid.UUID, to uuid.UUID) error
	MoveVoucherRecords(ctx context.Context, vouchers []loyalty.Voucher, to uuid.UUID) error
	// LastRecorded returns when the newest posting of an account was recorded.
	LastRecorded(ctx context.Context, account uuid.UUID) (int64, error)

	AddLink(ctx context.Context, l Link) error
	// SetLink writes state, until and owned. It is problem.Conflict unless the stored
	// state is was.
	SetLink(ctx context.Context, l Link, was LinkState) error
	Link(ctx context.Context, id uuid.UUID) (Link, error)
	// Links lists those from or to an account, oldest first.
	Links(ctx context.Context, account uuid.UUID) ([]Link, error)
	// LinksWaiting returns links that are beginning or ending.
	LinksWaiting(ctx context.Context, limit int) ([]Link, error)
	// LinksWithLeft returns links in force whose account has something all the same.
	LinksWithLeft(ctx context.Context, limit int) ([]Link, error)

	AddMove(ctx context.Context, m Move) error
	SetArrived(ctx context.Context, m Move) error
	Move(ctx context.Context, id uuid.UUID) (Move, error)
	MovesWaiting(ctx context.Context, limit int) ([]Move, error)

	// Once inserts a key in the shard of an account and reports whether it was new.
	Once(ctx context.Context, account, id uuid.UUID, body []byte) (bool, error)
	// OnceBody returns the body kept under a key; found is false when there is none.
	OnceBody(ctx context.Context, account, id uuid.UUID) (body []byte, found bool, err error)

	// SourceMembers says for whose card each source in the account's shard was
	// written, where its entry says so.
	SourceMembers(ctx context.Context, account uuid.UUID, sources []journal.Hash) (map[journal.Hash]uuid.UUID, error)

	batchStore
	viewStore
}

// Ledger is what this room needs of the ledger.
type Ledger interface {
	Account(ctx context.Context, account uuid.UUID) (ledger.Account, error)
	AccountAt(ctx context.Context, account uuid.UUID, at int64) (uuid.UUID, error)
	History(ctx context.Context, account uuid.UUID, cursor string, limit int) ([]ledger.Posting, string, error)
	BalanceAsKnown(ctx context.Context, account uuid.UUID, at int64) ([]loyalty.Holding, error)
	BalanceAsOf(ctx context.Context, account uuid.UUID, at int64) ([]loyalty.Holding, error)
	LotSources(ctx context.Context, account uuid.UUID) (map[loyalty.ID]journal.Hash, error)
	Depart(ctx context.Context, t entry.HQTransfer, pick ledger.Pick) (entry.HQTransfer, bool, error)
	Arrive(ctx context.Context, t entry.HQTransfer) (paid []string, err error)
	// Cover ends the exceptions about a debt that another account paid.
	Cover(ctx context.Context, account uuid.UUID, unit string, by uuid.UUID) error
	// Left grows when something may have been left on a linked account.
	Left() uint64
	ReleaseUnits(ctx context.Context, rules loyalty.RuleSet) (int, error)
	Locked(ctx context.Context, account uuid.UUID, fn func(ctx context.Context, a ledger.Account) error) error
	Release(ctx context.Context, account uuid.UUID, only map[uuid.UUID]bool) (ledger.Owned, error)
	Adopt(ctx context.Context, account uuid.UUID, owned ledger.Owned, by uuid.UUID) error
	Correct(ctx context.Context, c entry.HQCorrection) ([]entry.HQTake, error)
	UndoCorrection(ctx context.Context, u entry.HQCorrectionUndo, gave bool) (int64, error)
	BlockVoucher(ctx context.Context, account, voucher uuid.UUID, blocked bool, by uuid.UUID) error
}

// Journal is HQ's own journal; see hqjournal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Units tells which units the programme's catalogue has.
type Units interface {
	KnowsUnit(ctx context.Context, unit string) (bool, error)
	// CurrentRuleSet is problem.NotFound before the first.
	CurrentRuleSet(ctx context.Context) (loyalty.RuleSet, error)
}

// Env is what this room stands on. Wake is called when there is something for
// Settle to do; nil calls nothing.
type Env struct {
	Store   Store
	Ledger  Ledger
	Journal Journal
	Units   Units
	Clock   clock.Clock
	NewID   func() uuid.UUID
	Wake    func()
	// Recall asks terminals for the rights that they hold on an account and returns how
	// many they still hold; nil knows of none.
	Recall func(ctx context.Context, account uuid.UUID) (int, error)
}

// Accounts is the room. It is safe for concurrent use, also by several processes on
// one database.
type Accounts struct {
	env Env
	// between is nil, or a test's: called between the two legs of a move.
	between func() error
	rare    rare
}

// New returns the room.
func New(env Env) *Accounts { return &Accounts{env: env} }

func (a *Accounts) now() time.Time { return a.env.Clock.Now().UTC().Truncate(time.Millisecond) }

// wake says after the transaction in ctx that there is something to do.
func (a *Accounts) wake(ctx context.Context) {
	if a.env.Wake != nil {
		a.env.Store.AfterCommit(ctx, a.env.Wake)
	}
}

// checkUnit refuses a unit that is not in the catalogue.
func (a *Accounts) checkUnit(ctx context.Context, unit string) error {
	known, err := a.env.Units.KnowsUnit(ctx, unit)
	if err == nil && !known {
		return problem.Newf(problem.UnitUnknown, "the catalogue of units has no %q", unit)
	}
	return err
}

// invalid is a refusal of one member of a request.
func invalid(pointer, reason string) *problem.Error {
	return &problem.Error{
		Code: problem.InvalidField, Detail: "the request cannot be carried out", Fields: map[string]string{pointer: reason},
	}
}

// checkReason keeps to the numbers that HQ's journal knows.
func checkReason(reason uint8) error {
	const last = 4
	if reason < 1 || reason > last {
		return invalid("/reason", "is not known")
	}
	return nil
}

// named turns a record that is missing into a member that names nothing.
func named(err error, pointer string) error {
	if problem.CodeOf(err) != problem.NotFound {
		return err
	}
	return invalid(pointer, "names nothing that exists")
}
