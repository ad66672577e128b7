package till

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
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
	// NewID makes ids of sales, voids, scans and quotes (UUIDv7).
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
	// Limits may be zero: see DefaultLimits.
	Limits Limits
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

// Till is one terminal. It is safe for concurrent use after Recover.
type Till struct {
	cfg Config
}

var errSkeleton = errors.New("not built yet")

// New makes a till. Recover must be called before anything else.
func New(cfg Config) (*Till, error) { return nil, errSkeleton }

// Recovery says what Recover found.
type Recovery struct {
	Replayed uint64 // entries taken from the journal into the state store
	Rebuilt  bool   // the state store was empty or did not belong to this journal
}

// Recover brings the state store up to the journal's head and starts the till. The
// till then writes to the state store until Close.
func (t *Till) Recover(ctx context.Context) (Recovery, error) { return Recovery{}, errSkeleton }

// Close waits until the state store holds everything journalled, and stops. It
// closes neither the journal nor the store.
func (t *Till) Close() error { return errSkeleton }

// Done is closed when the till can go on no more, because the journal or the state
// store failed. The process must exit; nothing acknowledged is lost.
func (t *Till) Done() <-chan struct{} { return nil }

// Err returns why Done was closed, or nil.
func (t *Till) Err() error { return errSkeleton }

// Keys returns the newest key set HQ gave, for verifying what HQ signed.
func (t *Till) Keys() keys.Set { return keys.Set{} }

// Now returns the time the till believes, and whether it trusts its clock.
func (t *Till) Now() (time.Time, bool) { return time.Time{}, false }
