package ledger

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/journal"
)

// auditPage is how many rows verification holds of a table that grows with time.
const auditPage = 500

// AuditBranch is a branch of a terminal's journal as stored.
type AuditBranch struct {
	journal.Writer
	Branch     int
	From, Head journal.Head
	AppliedSeq uint64
}

// AuditBatch is a batch as stored.
type AuditBatch struct {
	journal.Checkpoint
	Branch     int
	PublicKey  []byte
	RecordedAt int64
	Receipt    []byte
}

type auditStore interface {
	// AuditBranches returns all branches, those of one journal together.
	AuditBranches(ctx context.Context) ([]AuditBranch, error)
	// AuditBatches returns batches of a journal in the order of last number, head
	// and first number, from an offset.
	AuditBatches(ctx context.Context, w journal.Writer, offset, limit int) ([]AuditBatch, error)
	AuditHQHeads(ctx context.Context) ([]hqjournal.Head, error)
	AuditHQEntries(ctx context.Context, shard int, epoch uint32, after uint64, limit int) ([]hqjournal.Row, error)
	AuditHQCheckpoints(ctx context.Context, shard int, epoch uint32) ([]hqjournal.Checkpoint, error)
	// AuditSources returns all sources of a shard.
	AuditSources(ctx context.Context, shard int) ([]SourceRow, error)
	AuditPostings(ctx context.Context, shard, offset, limit int) ([]Posting, error)
	AuditHoldings(ctx context.Context, shard int) ([]HoldingRow, error)
	AuditLots(ctx context.Context, shard, offset, limit int) ([]LotRow, error)
	AuditBooks(ctx context.Context, shard int) (map[BookKey]int64, error)
}

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

// audit is a verification under way.
type audit struct {
	store  Store
	hq     keys.Set
	ledger *Ledger
	report Report
	counts map[string]int64
	order  []string
	// expected are the facts that the journals say have been applied, stored are those
	// that have a source. In which account one counts was decided when it was applied.
	expected, stored tally
	// maybe are facts of the set behind the cursors. HQ may have stopped when it had posted
	// them, and not yet noted how far it was; then it finds their sources when it starts again.
	maybe    map[journal.Hash]bool
	setAside map[journal.Hash]bool
	unnamed  map[journal.Hash]bool // what undoes sales and counted for no account at first
	units    map[string]int64      // what all books of a unit add up to
	// rightsNow are the rights of the accounts of the shard that is being checked.
	rightsNow map[AccountKey][]RightRow
}

// tally stands for a set of hashes in little memory: how many there are, and their
// exclusive or. Two tallies are equal when the sets are, and else practically never.
type tally struct {
	n   int64
	sum journal.Hash
}

func (t *tally) add(h journal.Hash) {
	t.n++
	for i := range h {
		t.sum[i] ^= h[i]
	}
}

func (a *audit) count(what string, n int64) {
	if _, ok := a.counts[what]; !ok {
		a.order = append(a.order, what)
	}
	a.counts[what] += n
}

func (a *audit) fail(where, format string, args ...any) {
	a.report.Failures = append(a.report.Failures, Failure{What: fmt.Sprintf(format, args...), Where: where})
}

// Verify re-checks everything from the stored bytes: every terminal's chain, batch
// signature and receipt, HQ's own chains and checkpoints, that each applied fact
// has its source once and no source is without its fact, that no fact is set aside, that postings, lots and
// holdings bear each other out and are what folding each account's facts gives, and that per unit all books sum to zero. hqKeys
// are all statement keys HQ ever had.
//
// The error is about reading; what is wrong is in the report. Run it while nothing
// is being applied, or a fact under way looks like a difference.
func (l *Ledger) Verify(ctx context.Context, hqKeys keys.Set) (Report, error) {
	a := &audit{store: l.o.Store, hq: hqKeys, ledger: l, counts: map[string]int64{}, unnamed: map[journal.Hash]bool{}, setAside: map[journal.Hash]bool{}, maybe: map[journal.Hash]bool{}, units: map[string]int64{}}
	for _, check := range []func(context.Context) error{a.aside, a.journals, a.hqChains, a.shards} {
		if err := check(ctx); err != nil {
			return Report{}, fmt.Errorf("verify: %w", err)
		}
	}
	for _, unit := range sortedKeys(a.units) {
		a.count("units whose books sum to zero", 1)
		if sum := a.units[unit]; sum != 0 {
			a.fail("unit "+unit, "all books sum to %d, not to zero", sum)
		}
	}
	for _, what := range a.order {
		a.report.Checked = append(a.report.Checked, Check{what, a.counts[what]})
	}
	return a.report, nil
}
