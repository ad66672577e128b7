package pass

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/feed"
)

// Registration is a pass on a phone. Device is a digest of what the phone calls itself.
type Registration struct {
	Key
	Device    [32]byte
	PushToken string
	// Tag is the position at which the phone was added.
	Tag uint64
	At  time.Time
}

// Push is what waits for being told, one for a phone or for a channel's object.
// Target is the phone's digest, or the pass. Token is the push token, or the serial.
type Push struct {
	Shard    int
	Target   []byte
	Channel  Channel
	Token    string
	Wanted   uint64        // the newest tag it is to be told of
	DueAt    time.Time     // zero when there is nothing to tell
	Gap      time.Duration // between one push and the next
	PushedAt time.Time
	Attempts int
	Failure  string
}

// Mark is news of how far a pass has come; zero fields are no news.
type Mark struct {
	Key
	Marks
}

// Changed is a pass that a phone has and that changed at a position.
type Changed struct {
	Key
	Tag uint64
}

// Line is what a phone says went wrong.
type Line struct {
	ID   uuid.UUID
	At   time.Time
	Text string
}

// Filter selects passes; zero fields select all.
type Filter struct {
	Channel Channel
	State   State
	Member  uuid.UUID
}

// Place is where a page of passes ended: newest first, by time and id.
type Place struct {
	At time.Time
	ID uuid.UUID
}

// Store is the storage of passes. Methods join the transaction in ctx. Whoever writes a
// pass that exists holds the counter of tags ([Store.AdvanceTags]) and has read the pass
// after that, so that no two overwrite each other and tags become visible in their order.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	// FeedHeads and FeedAfter are those of feed.Store.
	FeedHeads(ctx context.Context) (feed.Heads, error)
	FeedAfter(ctx context.Context, shard int, after uint64, store uuid.UUID, tied bool, limit int) ([]feed.Row, error)
	// PassFeed is how far the feed was followed; false when it never was.
	PassFeed(ctx context.Context) (feed.Heads, bool, error)
	SetPassFeed(ctx context.Context, at map[int]uint64) error

	// AdvanceTags adds to the counter of tags, keeps it locked until the transaction ends,
	// and returns the new position.
	AdvanceTags(ctx context.Context, by int) (uint64, error)
	TagHead(ctx context.Context) (uint64, error)

	// AddPass is problem.Conflict when the member has a good one of the channel.
	AddPass(ctx context.Context, p Pass) error
	Passes(ctx context.Context, keys []Key) ([]Pass, error)
	PassesOf(ctx context.Context, members []uuid.UUID) ([]Pass, error)
	// PassesAfter returns passes that are not voided in the order of their keys.
	PassesAfter(ctx context.Context, after Key, limit int) ([]Pass, error)
	// SavePasses writes passes that exist, all but ErasedAt.
	SavePasses(ctx context.Context, passes []Pass) error
	ErasePasses(ctx context.Context, member uuid.UUID, at time.Time) error
	// ForgetErased drops passes that were erased before a time with all there is of them,
	// at most limit, and returns how many.
	ForgetErased(ctx context.Context, before time.Time, limit int) (int, error)
	// PassesEnding returns passes whose NextAt has come, the earliest first.
	PassesEnding(ctx context.Context, now time.Time, limit int) ([]Pass, error)
	ReissuesDue(ctx context.Context, now time.Time, limit int) ([]Pass, error)

	PutRegistration(ctx context.Context, r Registration) error
	// RenewToken gives all registrations of a phone a push token.
	RenewToken(ctx context.Context, device [32]byte, pushToken string) error
	// DropRegistrations removes those of a pass on phones.
	DropRegistrations(ctx context.Context, k Key, devices [][32]byte) error
	// DropToken removes all registrations of a phone that have a push token and were made
	// by a time.
	DropToken(ctx context.Context, device [32]byte, pushToken string, by time.Time) error
	// ForgetPhones removes phones that have no pass any more from the queue.
	ForgetPhones(ctx context.Context, devices [][32]byte) error
	Registrations(ctx context.Context, keys []Key) ([]Registration, error)
	RegistrationsOn(ctx context.Context, devices [][32]byte) ([]Registration, error)
	// ChangedOn returns which passes of a phone changed after a position, the first ones.
	ChangedOn(ctx context.Context, device [32]byte, after uint64, limit int) ([]Changed, error)

	// WantPushes puts into the queue, where a target stands once: at DueAt, but Gap after
	// its last push. One that is tried again keeps its time.
	WantPushes(ctx context.Context, pushes []Push) error
	PushesDue(ctx context.Context, ch Channel, now time.Time, limit int) ([]Push, error)
	// SetPushes writes what became of pushes. One of which more was wanted meanwhile
	// stays in the queue.
	SetPushes(ctx context.Context, pushes []Push) error

	MarkPasses(ctx context.Context, marks []Mark) error
	PassProgress(ctx context.Context, name string) (n uint64, place []byte, err error)
	// AddPassProgress adds to the number of a name, from zero, whoever else does.
	AddPassProgress(ctx context.Context, name string, by uint64) error
	SetPassProgress(ctx context.Context, name string, n uint64, place []byte) error

	// AddPassLog adds lines and keeps the newest keep.
	AddPassLog(ctx context.Context, lines []Line, keep int) error
	PassLog(ctx context.Context, before uuid.UUID, limit int) ([]Line, error)
	// ListPasses returns passes after a place, newest first.
	ListPasses(ctx context.Context, f Filter, after *Place, limit int) ([]Tracked, error)
	PassFunnel(ctx context.Context, since time.Time) ([]Stage, error)
	// PassLags returns the lags of passes that were fetched since a time, at most limit, the
	// newest first.
	PassLags(ctx context.Context, since time.Time, limit int) ([]Lag, error)
	PushesWaiting(ctx context.Context) (waiting, failing int64, err error)
}
