package ledger

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Journal is HQ's own journal, as the ledger needs it.
type Journal interface {
	Write(ctx context.Context, facts ...hqjournal.Fact) ([]hqjournal.Written, error)
}

// Publisher writes feed changes in the transaction in ctx.
type Publisher interface {
	Publish(ctx context.Context, changes ...feed.Change) error
}

// RuleSets gives the rule set of a version, for the re-check of earnings. ok is
// false when HQ never published that version.
type RuleSets interface {
	RuleSet(ctx context.Context, version uint64) (rules loyalty.RuleSet, ok bool, err error)
}

// Options are what a ledger stands on.
type Options struct {
	Store Store
	Journal
	Feed  Publisher
	Rules RuleSets
	Clock clock.Clock
	HQ    uuid.UUID
	// ShardsPerTx is how many shards one applying transaction may touch: all of
	// them (zero) on one database, one where databases are spread by shard.
	ShardsPerTx int
}

// Ledger applies facts and answers what the books say.
type Ledger struct{ o Options }

// New returns a ledger.
func New(o Options) *Ledger { return &Ledger{o: o} }

var errSkeleton = errors.New("not built yet")

// Store is the storage the ledger needs.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// PutMember makes or changes a member in the caller's transaction: the HQ journal
// gets the fact, the feed the member with holdings. Holdings and Marks of m are
// ignored. The account is opened when it does not exist.
func (l *Ledger) PutMember(ctx context.Context, m wire.Member, by uuid.UUID, digest []byte) error {
	return errSkeleton
}

// Adjust changes a holding by hand, in the caller's transaction.
func (l *Ledger) Adjust(ctx context.Context, a entry.HQAdjustment) error { return errSkeleton }

// IssueVoucher gives an account the uses of a voucher, in the caller's transaction.
func (l *Ledger) IssueVoucher(ctx context.Context, v loyalty.Voucher, by uuid.UUID) error {
	return errSkeleton
}

// BlockVoucher blocks a voucher or lifts the block, in the caller's transaction.
func (l *Ledger) BlockVoucher(ctx context.Context, account, voucher uuid.UUID, blocked bool, by uuid.UUID) error {
	return errSkeleton
}

// Apply applies up to one set of waiting entries and returns how many there were.
func (l *Ledger) Apply(ctx context.Context) (int, error) { return 0, errSkeleton }

// Entries lists entries, newest first. The cursor is opaque, empty at both ends.
func (l *Ledger) Entries(ctx context.Context, f EntryFilter, cursor string, limit int) ([]Entry, string, error) {
	return nil, "", errSkeleton
}

// Describe decodes an entry for people: its envelope and body as JSON.
func (l *Ledger) Describe(e Entry) (json.RawMessage, error) { return nil, errSkeleton }

// EntriesAt returns the entries of a terminal with one number: one, or, after a
// fork, several.
func (l *Ledger) EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]Entry, error) {
	return nil, errSkeleton
}

// Exceptions lists exceptions, newest first.
func (l *Ledger) Exceptions(ctx context.Context, f ExceptionFilter, cursor string, limit int) ([]Exception, string, error) {
	return nil, "", errSkeleton
}

// Account returns an account with its holdings and open lots, or problem.NotFound.
func (l *Ledger) Account(ctx context.Context, account uuid.UUID) (Account, error) {
	return Account{}, errSkeleton
}

// Vouchers returns the vouchers of an account as HQ has applied them.
func (l *Ledger) Vouchers(ctx context.Context, account uuid.UUID) ([]loyalty.Voucher, error) {
	return nil, errSkeleton
}

// History lists the postings of an account, newest first.
func (l *Ledger) History(ctx context.Context, account uuid.UUID, cursor string, limit int) ([]Posting, string, error) {
	return nil, "", errSkeleton
}

// TrialBalance returns every book's total.
func (l *Ledger) TrialBalance(ctx context.Context) ([]Balance, error) { return nil, errSkeleton }

// Status counts.
func (l *Ledger) Status(ctx context.Context) (Status, error) { return Status{}, errSkeleton }

// Progress lists how far each journal has come.
func (l *Ledger) Progress(ctx context.Context) ([]Progress, error) { return nil, errSkeleton }

// Report is what Verify checked and what it found wrong.
type Report struct {
	Checked  []Check   `json:"checked"`
	Failures []Failure `json:"failures"`
}

// Check is one thing that was checked, and how many of it.
type Check struct {
	What  string `json:"what"`
	Count int64  `json:"count"`
}

// Failure names one thing that is wrong, and where.
type Failure struct {
	What  string `json:"what"`
	Where string `json:"where"`
}

// OK reports whether nothing was found wrong.
func (r Report) OK() bool { return len(r.Failures) == 0 }

// Verify re-checks everything from the stored bytes. hqKeys are all statement keys
// HQ ever had.
func (l *Ledger) Verify(ctx context.Context, hqKeys keys.Set) (Report, error) {
	return Report{}, errSkeleton
}
