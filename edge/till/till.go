package till

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Config is what a till is made of. All fields without a comment that says so are
// needed.
type Config struct {
	Writer  journal.Writer
	Store   uuid.UUID
	HQ      uuid.UUID
	Journal Journal
	State   State
	Clock   clock.Clock
	// Monotonic tells the time since some fixed moment of this process and never
	// follows the wall clock. It should count the time the machine sleeps.
	Monotonic func() time.Duration
	// NewID makes ids of sales, voids, returns, scans and quotes (UUIDv7).
	NewID func() uuid.UUID
	// FreeDisk tells the bytes free for journal and cache. Optional.
	FreeDisk func() (int64, error)
	// Keys is the key set of the enrolment, used until HQ's feed brings a newer one.
	Keys keys.Set
	// PublicKey and Software go into the first entry of the epoch.
	PublicKey []byte
	Software  string
	// EnrolledAt is HQ's signed time at enrolment: the lowest time floor.
	EnrolledAt time.Time
	// CacheRebuilt says that the state store was found missing or damaged and begun
	// anew; Recover then journals a note of it.
	CacheRebuilt bool
	// Signer holds the terminal's own key, for what it says to other lanes. Without it the
	// till lends nothing and shows no heads.
	Signer keys.Signer
	// Limits may be zero: see DefaultLimits.
	Limits Limits
	// DayEnds, when it is not nil, is when a business date is over at this terminal,
	// whatever the store's rules say: counted from the midnight after it, 4 h is four in the
	// morning, −2 h ten in the evening. Within ±12 h.
	DayEnds *time.Duration
	// Mutant is for tests of the simulator only.
	Mutant Mutant
}

// Limits bound what the till keeps and believes. A zero field takes its default.
type Limits struct {
	QuoteLife time.Duration // how long a quote can be committed
	ScanLife  time.Duration // how long a scan can be quoted
	Quotes    int           // quotes and scans kept in memory, each
	// ClockTolerance is how far the wall clock may jump, or lie below the time
	// floor, before it is not trusted.
	ClockTolerance time.Duration
	// MinFreeSale is the free disk space in bytes below which no sale is made,
	// MinFreeFeed that below which nothing of HQ is cached. Negative is no limit.
	MinFreeSale, MinFreeFeed int64
}

// DefaultLimits are used where a Config has none.
var DefaultLimits = Limits{
	QuoteLife: 5 * time.Minute, ScanLife: 15 * time.Minute, Quotes: 1000,
	ClockTolerance: 2 * time.Minute, MinFreeSale: 64 << 20, MinFreeFeed: 128 << 20,
}

// orDefault fills the zero fields of l from DefaultLimits.
func (l Limits) orDefault() Limits {
	d := DefaultLimits
	return Limits{
		QuoteLife: cmp.Or(l.QuoteLife, d.QuoteLife), ScanLife: cmp.Or(l.ScanLife, d.ScanLife),
		Quotes: cmp.Or(l.Quotes, d.Quotes), ClockTolerance: cmp.Or(l.ClockTolerance, d.ClockTolerance),
		MinFreeSale: cmp.Or(l.MinFreeSale, d.MinFreeSale), MinFreeFeed: cmp.Or(l.MinFreeFeed, d.MinFreeFeed),
	}
}

// Till is one terminal. It is safe for concurrent use after Recover.
type Till struct {
	cfg       Config
	time      *timekeeper
	hlc       clock.Hybrid
	caps      *caps
	locks     *locks
	desk      *desk
	sessions  *sessions
	approvals *approvals
	practice  *practice
	catalogue atomic.Pointer[catalogue]
	helpers   atomic.Pointer[Helpers]
	online    atomic.Bool
	witness   witnesses
	said      saidByHQ
	rights    rightsHeld
	days      days
	luck      uuid.UUID   // what refusals by chance are drawn from; new with each start
	keptSince int64       // see forgotten; Unix milliseconds, set by Recover
	headMu    sync.Mutex  // see SignedHead
	headBound clock.Stamp // heads have stamps below it; kept
	tending   sync.Mutex  // one Tend at a time
	prunes    prunes      // under tending
	seen      entry.Date  // under tending: the date by the clock at the last Tend
	// deciding is held for reading from a decision to its entry, and for writing by the
	// note of a new policy: no entry after the note was decided under the one before.
	deciding sync.RWMutex

	// gate is held for reading by every call and for writing by Recover and Close.
	gate  sync.RWMutex
	open  bool
	queue chan *journalled // to the state store
	idle  chan struct{}    // closed when nothing goes there any more

	mu      sync.Mutex
	pending []*journalled // replaced, never changed in place

	feed     sync.Mutex // one word of HQ at a time
	lastPart int64      // under feed: HQ's time of the last page, when more was to follow
	linkMu   sync.Mutex
	link     link

	failure sync.Once
	failed  chan struct{}
	err     error // set before failed is closed
}

// New makes a till. Recover must be called before anything else.
func New(cfg Config) (*Till, error) {
	if cfg.Journal == nil || cfg.State == nil || cfg.Clock == nil || cfg.Monotonic == nil || cfg.NewID == nil {
		return nil, errors.New("make till: journal, state, clock, monotonic and ids are needed")
	}
	cfg.Limits = cfg.Limits.orDefault()
	return &Till{
		cfg:      cfg,
		time:     &timekeeper{wall: cfg.Clock, mono: cfg.Monotonic, tolerance: cfg.Limits.ClockTolerance},
		caps:     newCaps(),
		locks:    newLocks(),
		desk:     newDesk(cfg.Monotonic, cfg.Limits),
		sessions: newSessions(cfg.Monotonic), approvals: newApprovals(cfg.Monotonic), practice: newPractice(),
		luck:   cfg.NewID(),
		failed: make(chan struct{}),
	}, nil
}

// begin opens a call; end closes it.
func (t *Till) begin() (end func(), err error) {
	t.gate.RLock()
	if !t.open {
		t.gate.RUnlock()
		return nil, problem.New(problem.Unavailable, "the till is not started")
	}
	if err := t.Err(); err != nil {
		t.gate.RUnlock()
		return nil, problem.Wrap(problem.JournalStopped, err, "")
	}
	return t.gate.RUnlock, nil
}

// Done is closed when the till can go on no more, because the journal or the state
// store failed. The process must exit; nothing acknowledged is lost.
func (t *Till) Done() <-chan struct{} { return t.failed }

// Err returns why Done was closed, or nil.
func (t *Till) Err() error {
	select {
	case <-t.failed:
		return t.err
	default:
		return nil
	}
}

func (t *Till) fail(err error) {
	t.failure.Do(func() {
		t.err = err
		close(t.failed)
	})
}

// Keys returns the newest key set HQ gave, for verifying what HQ signed.
func (t *Till) Keys() keys.Set {
	if c := t.catalogue.Load(); c != nil {
		return c.keys
	}
	return t.cfg.Keys
}

// Now returns the time the till believes, and whether it trusts its clock.
func (t *Till) Now() (time.Time, bool) { return t.time.now() }
