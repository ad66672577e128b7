package settlement

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Store is the storage settlement needs. Methods join the transaction in ctx. What is
// missing is problem.NotFound; what another process changed first is problem.Conflict.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	followStore
	termStore
	monthStore
}

// Cursor is how far a shard has been followed. Cut is the last month cut off there.
type Cursor struct {
	Shard int
	Pos   uint64
	Cut   Month
}

// Cut says through which set of a shard a month takes what was applied.
type Cut struct {
	Shard int
	Month Month
	Pos   uint64
}

// AppliedFact is a fact of an applied set: where its entry stands, and for which account it
// counted. Writer is nobody for a fact of HQ in the shard.
type AppliedFact struct {
	Pos     uint64
	Account uuid.UUID
	Writer  uuid.UUID
	Epoch   uint32
	Seq     uint64
	Branch  int
}

// FactSource is where a fact comes from; a zero hash when HQ does not hold it.
type FactSource struct {
	Hash       journal.Hash
	RecordedAt int64
	Kind       entry.Kind
}

// undoes says whether the fact takes back what another did. Its postings are recorded when
// both are, which may be later than its entry was.
func (f FactSource) undoes() bool {
	return f.Kind == entry.KindReturn || f.Kind == entry.KindVoid || f.Kind == entry.KindHQClaimed
}

// Recording is the key under which the postings of a fact are found.
type Recording struct {
	ledger.AccountKey
	RecordedAt int64
}

// followStore reads what was applied and keeps what it means.
type followStore interface {
	// SettlementBehind returns the shards with applied sets behind their cursors.
	SettlementBehind(ctx context.Context) ([]int, error)
	// SettlementCursor returns the cursor of a shard, zero when it was never followed, and
	// locks it in a transaction.
	SettlementCursor(ctx context.Context, shard int) (Cursor, error)
	// MoveSettlementCursor is problem.Conflict unless the cursor still stands at from.
	MoveSettlementCursor(ctx context.Context, from, to Cursor) error
	// SettlementCuts returns the cuts of a shard, by month.
	SettlementCuts(ctx context.Context, shard int) ([]Cut, error)
	// PutSettlementCut writes or replaces one, and takes into its month what stands in a
	// later one only because it was applied behind the cut it replaces. The first cut of a
	// shard takes all that stands in months before it: they will have no statements.
	PutSettlementCut(ctx context.Context, c Cut) error
	// AppliedSets returns sets of a shard after a position, in order.
	AppliedSets(ctx context.Context, shard int, after uint64, limit int) ([]ledger.AppliedSet, error)
	// FactSources returns the source of each fact.
	FactSources(ctx context.Context, shard int, facts []AppliedFact) ([]FactSource, error)
	// SettlingPostings returns those postings that moved something into or out of the books
	// of stores, of overdrafts and of clearing.
	SettlingPostings(ctx context.Context, keys []Recording) ([]ledger.Posting, error)
	// SettlingPostingsOf returns all such postings of accounts.
	SettlingPostingsOf(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Posting, error)
	// SettlementSources returns the facts of sources by their keys.
	SettlementSources(ctx context.Context, keys []SourceKey) ([]ledger.SourceRow, error)
	// SourceAt returns the fact of an account whose entry stands at a place.
	SourceAt(ctx context.Context, key ledger.AccountKey, writer uuid.UUID, epoch uint32, seq uint64) (ledger.SourceRow, error)
	// SourcesOfSales returns the facts of a shard that make or undo sales.
	SourcesOfSales(ctx context.Context, shard int, sales []uuid.UUID) ([]ledger.SourceRow, error)
	// LotFacts returns from which fact each of the lots came that are there.
	LotFacts(ctx context.Context, keys []ledger.LotKey) (map[ledger.LotKey]ledger.SourceRow, error)
	// IssuedLots returns the postings by which lots came into accounts.
	IssuedLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Posting, error)
	SourceEntries(ctx context.Context, rows []ledger.SourceRow) ([]ledger.Entry, error)
	// EntryStores returns the store of each entry of a terminal that made a source.
	EntryStores(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash]uuid.UUID, error)
	SourceHQ(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash][]byte, error)
	// AddSettlementMoves adds those that are not there.
	AddSettlementMoves(ctx context.Context, moves []clearing.Move) error
}

// SourceKey names a fact of an account.
type SourceKey struct {
	ledger.AccountKey
	Source journal.Hash
}

// Sort is what a term is about.
type Sort string

// Sorts of terms. Stored.
const (
	SortParty      Sort = "party"
	SortAssignment Sort = "assignment"
	SortPrice      Sort = "price"
	SortFee        Sort = "fee"
	SortTax        Sort = "tax"
	SortRate       Sort = "rate"
	SortAccount    Sort = "account"
)

// Term is one thing that was agreed. Numbers count from 1 without gaps, in the order in
// which terms were recorded. Body is CBOR of the sort's type in package clearing. Of a
// party ID is the party's, of all else its own.
type Term struct {
	Number     uint64
	Sort       Sort
	ID         uuid.UUID
	Body       []byte
	By         uuid.UUID
	RecordedAt int64
}

// termStore keeps what was agreed.
type termStore interface {
	// AddSettlementTerm is problem.Conflict when the number is taken.
	AddSettlementTerm(ctx context.Context, t Term) error
	// SettlementTerms returns terms with numbers above after, in order; of an empty sort all.
	SettlementTerms(ctx context.Context, sort Sort, after uint64, limit int) ([]Term, error)
	LastSettlementTerm(ctx context.Context) (uint64, error)
}

// monthStore keeps months, lines and statements.
type monthStore interface {
	// SettlementMonth returns a month as kept, or problem.NotFound.
	SettlementMonth(ctx context.Context, m Month) (MonthRow, error)
	// SettlementMonths returns months before one, the newest first; before zero means all.
	SettlementMonths(ctx context.Context, before Month, limit int) ([]MonthRow, error)
	// PutSettlementMonth writes a month; problem.Conflict unless the stored version is one below.
	PutSettlementMonth(ctx context.Context, row MonthRow) error
	// FirstSettlementMonth is the first month with moves, zero when there are none.
	FirstSettlementMonth(ctx context.Context) (Month, error)
	// SettlementSpots calls fn for each spot that has moves of the month or, from the date since on,
	// moves of the month and before or lines of months locked before, in one order.
	SettlementSpots(ctx context.Context, m Month, since entry.Date, fn func(clearing.Spot, []clearing.Sum, []Line) error) error

	// FirstTouched is the first day before a date of moves of months before m that were
	// issued or honoured on that date or later; zero when there is none.
	FirstTouched(ctx context.Context, m Month, since entry.Date) (entry.Date, error)

	AddSettlementLines(ctx context.Context, attempt uint64, lines []Line) error
	// SettlementLines returns lines of a party, or of all, with numbers above after.
	SettlementLines(ctx context.Context, m Month, attempt uint64, party uuid.UUID, all bool, after int64, limit int) ([]Line, error)
	SettlementLine(ctx context.Context, m Month, attempt uint64, no int64) (Line, error)
	// SettlementLineMoves returns moves of a spot in a month, by shard and id.
	SettlementLineMoves(ctx context.Context, m Month, of Line, after MovePlace, limit int) ([]clearing.Move, error)
	// DropAttempts removes lines and statements of attempts other than this one.
	DropAttempts(ctx context.Context, m Month, keep uint64) error

	AddSettlementStatements(ctx context.Context, attempt uint64, rows []StatementRow) error
	// NumberStatement writes the number and body of a statement.
	NumberStatement(ctx context.Context, attempt uint64, row StatementRow) error
	SettlementStatement(ctx context.Context, m Month, attempt uint64, party uuid.UUID) (StatementRow, error)
	// SettlementStatements returns statements of a month by party, after one.
	SettlementStatements(ctx context.Context, m Month, attempt uint64, after uuid.UUID, first bool, limit int) ([]StatementRow, error)
	// NextNumbers takes n numbers of a series and returns the first.
	NextNumbers(ctx context.Context, series Series, n int) (uint64, error)
	// PutSettlementNames keeps what things were called when a month was locked.
	PutSettlementNames(ctx context.Context, n Names) error
	// SettlementNames returns that, or problem.NotFound.
	SettlementNames(ctx context.Context, m Month) (Names, error)
	// SettlementUnfinished counts what is not finished at HQ, by what it is and store.
	SettlementUnfinished(ctx context.Context, m Month) ([]Remark, error)
}

// MovePlace is where a list of moves goes on.
type MovePlace struct {
	Shard int
	ID    uuid.UUID
}

// Series is what documents are numbered in.
type Series struct {
	Party uuid.UUID
	Year  int
	Epoch uint32 // of HQ
}

// Names is what a locked month's documents go by: the number of the last term that was
// recorded when it was locked, and in Body the CBOR of all stores as they were.
type Names struct {
	Month Month
	Terms uint64
	Body  []byte
}

// MonthRow is a month as kept. Body is the CBOR of what was missing.
type MonthRow struct {
	Month     Month
	State     clearing.State
	Attempt   uint64
	Version   uint64
	Terms     uint64 // number of the last term it was drafted by
	CutAt     int64
	DraftedBy uuid.UUID
	LockedBy  uuid.UUID
	LockedAt  int64
	Body      []byte
	Failure   Failure
}

// Failure is why a month that somebody asked for is not drafted yet. The zero value: its
// draft has not failed.
type Failure struct {
	Times   uint64 // since somebody asked
	RetryAt int64  // Unix milliseconds
	Code    problem.Code
	Detail  string
}

// StatementRow is a statement as kept; Body is its CBOR.
type StatementRow struct {
	Party  uuid.UUID
	Month  Month
	Number string
	Body   []byte
}
