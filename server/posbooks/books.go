package posbooks

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/posbooks/match"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Limits of a file.
const (
	// MaxFile is how large a file is at most, PartSize a part of it, in bytes.
	MaxFile  = 256 << 20
	PartSize = 4 << 20
	// MostOfADay is how many rows of one day a file has at most; more are bad rows.
	MostOfADay = 100_000
	// MostStanding is how many rows of one day a store has at most, of all files; one that
	// would bring more is refused whole.
	MostStanding = 2 * MostOfADay
	// MostDays is how many days one file goes over at most, first to last.
	MostDays = 800
	// mostBad is how many bad rows of a file are kept; all are counted.
	mostBad = 10_000
)

// State is where an import stands.
type State string

// States. The last three are ends.
const (
	Arriving  State = "arriving"  // its parts come in
	Queued    State = "queued"    // it is read next
	BeingRead State = "reading"   // row by row; Done of Goal bytes
	Taking    State = "taking"    // day by day; Done of Goal days
	Matching  State = "matching"  // day by day
	Finished  State = "finished"  // its rows count
	Failed    State = "failed"    // nothing of it counts; Reason says why
	Cancelled State = "cancelled" // nothing of it counts
)

// Person is who does something.
type Person struct {
	ID   uuid.UUID
	Name string
}

// Import is one file of a store and what became of it.
type Import struct {
	ID      uuid.UUID
	Store   uuid.UUID
	Name    string // of the file
	Rules   Rules
	Size    int64 // in bytes, as said
	Arrived int64
	Parts   int
	Digest  string // SHA-256 of the bytes and the rules, in hex; empty before it is read
	Bytes   string // SHA-256 of the bytes alone
	State   State
	Reason  string // of a failure
	// Code is that of a failure: problem.FileUnreadable or problem.DayTooFull.
	Code problem.Code
	Same uuid.UUID // the import that took in the same file by the same rules before
	// Done of Goal is how far the State is.
	Done, Goal int64
	Summary
	Replaced  int64 // rows of other imports whose place its rows took
	By        Person
	CreatedAt time.Time
	ChangedAt time.Time
	Version   uint64
	// Stop: somebody wants it cancelled.
	Stop bool
}

// Outcome is what matching found.
type Outcome string

// Outcomes. Missing here means that the books have it and no journal.
const (
	Matched      Outcome = "matched"
	MissingHere  Outcome = "missing_here"
	MissingThere Outcome = "missing_there"
	Different    Outcome = "different"
)

// Side is a sale as one side has it; the zero one has none.
type Side struct {
	Receipt  string
	Lane     string
	At       int64 // Unix milliseconds; zero is unknown
	Kind     match.Kind
	Currency string
	Amount   int64
	Discount int64
	Count    int64 // of a total
}

// Found is one result of a day.
type Found struct {
	ID      uuid.UUID
	Store   uuid.UUID
	Day     entry.Date
	Outcome Outcome
	Total   bool
	By      match.By // of pairs
	Differs match.Field
	// Amount and Discount are theirs less ours, Apart is so many milliseconds.
	Amount, Discount, Apart int64
	Theirs, Ours            Side
	Import                  uuid.UUID // and Line: where theirs stands
	Line                    int64
	Writer                  journal.Writer // and Seq and Source: where ours stands
	Seq                     uint64
	Source                  journal.Hash
}

// Day is what matching a store's day came to. Open are the results other than matched that
// nobody has settled.
type Day struct {
	Store                                                          uuid.UUID
	Date                                                           entry.Date
	Matched, MissingHere, MissingThere, Different, Outside, Undone int64
	Open                                                           int64
	Dirty                                                          bool // it will be matched again
	MatchedAt                                                      time.Time
	// Mark is another one whenever the day is marked to be matched again.
	Mark int64
}

// Standing is how a day matches.
type Standing string

// Standings. Differences are results other than matched that nobody has settled.
const (
	StandingWaiting     Standing = "waiting" // never matched
	StandingDifferences Standing = "differences"
	StandingSettled     Standing = "settled" // there were differences
	StandingMatched     Standing = "matched"
)

// Standing says how a day matches.
func (d Day) Standing() Standing {
	switch {
	case d.MatchedAt.IsZero():
		return StandingWaiting
	case d.Open > 0:
		return StandingDifferences
	case d.MissingHere+d.MissingThere+d.Different > 0:
		return StandingSettled
	}
	return StandingMatched
}

// Filter says which results of a store people decide about. Zero values narrow nothing; IDs
// that are none, but not nil, are refused.
type Filter struct {
	Store    uuid.UUID
	IDs      []uuid.UUID
	From, To entry.Date
	Outcome  Outcome
	Lane     string
	// MostAmount narrows to differences of at most so many minor units either way; below
	// zero it narrows nothing.
	MostAmount int64
}

// Decision is what a person decided about results: that they are settled, or open again.
type Decision struct {
	ID      uuid.UUID
	Store   uuid.UUID
	At      time.Time
	By      Person
	Settled bool
	Reason  string
	Filter  Filter
	Results int64
}

// Kept is a row of the books as it is stored.
type Kept struct {
	Row
	Import uuid.UUID
	N      int64 // its number within the import
}

// Store is the storage of books. Methods join the transaction in ctx. What is missing is
// problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	PosMappings(ctx context.Context) ([]Mapping, error)
	// PutPosMapping is problem.Conflict unless the version is one above the stored one.
	PutPosMapping(ctx context.Context, m Mapping, by Person, at time.Time) error
	DeletePosMapping(ctx context.Context, id uuid.UUID) error

	AddPosImport(ctx context.Context, i Import) error
	PosImport(ctx context.Context, store, id uuid.UUID) (Import, error)
	// PutPosImport is problem.Conflict unless the version is one above the stored one.
	PutPosImport(ctx context.Context, i Import) error
	// PosProgress notes how far an import is and returns whether it is to stop.
	PosProgress(ctx context.Context, store, id uuid.UUID, done int64, at time.Time) (stop bool, err error)
	// StopPosImport has an import stop.
	StopPosImport(ctx context.Context, store, id uuid.UUID) error
	// NextPosImport returns the oldest import that is queued, or that is under way and
	// that nobody has changed since a time. One of a store comes after the other.
	NextPosImport(ctx context.Context, of Which, since time.Time) (Import, error)
	// SamePosImport finds a finished import of a digest of which no row was replaced since.
	SamePosImport(ctx context.Context, store uuid.UUID, digest string) (uuid.UUID, error)
	// StalePosImports lists imports of a state that nothing happened to since a time.
	StalePosImports(ctx context.Context, state State, before time.Time, limit int) ([]Import, error)

	AddPosPart(ctx context.Context, store, id uuid.UUID, n int, part []byte) error
	PosPart(ctx context.Context, store, id uuid.UUID, n int) ([]byte, error)
	DropPosParts(ctx context.Context, store, id uuid.UUID) error

	// AddPosRows keeps rows that do not count yet.
	AddPosRows(ctx context.Context, store uuid.UUID, rows []Kept) error
	AddPosBad(ctx context.Context, store, id uuid.UUID, first int64, rows []Bad) error
	// DropPosRows forgets rows and bad rows of an import that do not count.
	DropPosRows(ctx context.Context, store, id uuid.UUID) error
	// PosRowDays lists the days of an import's rows that do not count yet.
	PosRowDays(ctx context.Context, store, id uuid.UUID) ([]entry.Date, error)
	// FullPosDay returns the first day of which there would be more rows than most if those
	// of an import counted that do not yet, and how many; zeros when there is none.
	FullPosDay(ctx context.Context, i Import, most int) (entry.Date, int64, error)
	// DropSamePosRows forgets rows that count of imports of the same bytes, and returns their
	// days and how many they were.
	DropSamePosRows(ctx context.Context, i Import) ([]entry.Date, int64, error)
	// TakePosRows has the rows of an import count for a day, in the place of those of others
	// with the same lane and number, or, of rows without a number, with the same lane. It
	// returns how many it replaced.
	TakePosRows(ctx context.Context, store, id uuid.UUID, day entry.Date) (int64, error)
	// PosRows returns the rows that count of a day, limit at most, by import, the newest
	// last, and number.
	PosRows(ctx context.Context, store uuid.UUID, day entry.Date, limit int) ([]Kept, error)

	// MarkPosDays has days be matched again; only known ones when known is set.
	MarkPosDays(ctx context.Context, store uuid.UUID, days []entry.Date, known bool) error
	// DirtyPosDays returns a store that has days to be matched again, and these, in order.
	DirtyPosDays(ctx context.Context, of Which, limit int) (uuid.UUID, []Day, error)
	// PosTroubles lists what fails for a store, or for all when it is nil.
	PosTroubles(ctx context.Context, store uuid.UUID) ([]Trouble, error)
	PutPosTrouble(ctx context.Context, t Trouble) error
	DropPosTrouble(ctx context.Context, store uuid.UUID, w Work) error
	PosDays(ctx context.Context, store uuid.UUID, from, to entry.Date) ([]Day, error)
	// DifferingStores lists stores of which days of a span have open results.
	DifferingStores(ctx context.Context, from, to entry.Date) ([]uuid.UUID, error)
	// PutPosResults replaces the results of a day. Decisions stay with results that are the
	// same. It counts the day's open ones by itself. A day whose mark is another one by now
	// will be matched again.
	PutPosResults(ctx context.Context, d Day, results []Found) error
	// CountPosResults counts those that DecidePosResults would change.
	CountPosResults(ctx context.Context, f Filter, settle bool) (int64, error)
	// DecidePosResults settles results or opens them again, and returns of how many.
	DecidePosResults(ctx context.Context, d Decision) (int64, error)

	// PosStores lists stores that have books, and PosSeen through which entry of each journal
	// late entries were looked for.
	PosStores(ctx context.Context) ([]uuid.UUID, error)
	PosSeen(ctx context.Context, store uuid.UUID) (map[journal.Writer]uint64, error)
	SetPosSeen(ctx context.Context, store uuid.UUID, to map[journal.Writer]uint64) error

	// JournalHeads returns the last entries of first branches.
	JournalHeads(ctx context.Context, terminals []uuid.UUID) (map[journal.Writer]uint64, error)
	// MainEntries returns entries of a journal's first branch with numbers from first to
	// last, in order, limit at most.
	MainEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]ledger.Entry, error)
	// SalesOf finds sales of a terminal by their ids.
	SalesOf(ctx context.Context, terminal uuid.UUID, sales []uuid.UUID) (map[uuid.UUID]entry.Sale, error)
	// Rejected names entries of a span that a person let count for nothing.
	Rejected(ctx context.Context, w journal.Writer, first, last uint64) (map[journal.Hash]bool, error)
}

// Fleet knows stores and their terminals.
type Fleet interface {
	Store(ctx context.Context, id uuid.UUID) (fleet.Store, error)
	Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]fleet.Terminal, error)
}
