package syncer

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Journal is the part of the terminal's journal that is sent. It gives durable
// entries only.
type Journal interface {
	Writer() journal.Writer
	Head() journal.Head
	First() uint64
	HashAt(ctx context.Context, seq uint64) (journal.Hash, error)
	Read(ctx context.Context, from uint64, maxEntries, maxBytes int) (journal.Run, error)
}

// Till takes in what HQ says. The syncer has verified the signatures.
type Till interface {
	Acked() (journal.Head, uint32)
	Cursor() string
	Keys() keys.Set
	Now() (time.Time, bool)
	ApplyWelcome(ctx context.Context, w wire.Welcome) error
	ApplyReceipt(ctx context.Context, r wire.Receipt) error
	ApplyFeed(ctx context.Context, page wire.FeedPage) error
	// Contradicts tells of an entry of HQ's that is not in this journal; seq is zero when
	// HQ has only said that there is one. Suspend tells that HQ has taken the terminal out
	// of service.
	Contradicts(ctx context.Context, seq uint64) error
	Suspend(ctx context.Context, why problem.Code) error
	// Grants lists the signed grants that HQ may have lost; see till.Till. Presented is
	// the HQ epoch that has seen them all.
	Grants(ctx context.Context, after []byte, limit int) (list []wire.Signed, next []byte, err error)
	Presented() uint32
	SetPresented(ctx context.Context, hqEpoch uint32) error
	ObserveHQTime(hq time.Time)
	// NoteSaid keeps what HQ said at a time, to be shown to other lanes.
	NoteSaid(said wire.Dated, at time.Time) error
	SetOnline(online bool)
}

// Config is what a Service is made of.
type Config struct {
	// Address of HQ, without the paths of the wire.
	Address  string
	HQ       uuid.UUID
	Store    uuid.UUID
	Software string
	// Signer holds the terminal's own key.
	Signer  keys.Signer
	HTTP    *http.Client
	Clock   clock.Clock
	Random  io.Reader
	Journal Journal
	Till    Till
	Log     *slog.Logger
	// Changed is told every change of the state, one after the other; it must return
	// soon and must not call the Service. Optional.
	Changed func(State)
	// EnrolledAt is HQ's time at the enrolment.
	EnrolledAt time.Time
	// Kept is what the terminal keeps for an HQ that has lost it. Optional.
	Kept Keepsakes
	// Past lists the earlier epochs of the terminal whose journals are still there,
	// the latest first. Optional.
	Past func(ctx context.Context) ([]Past, error)
	// Timing may be zero: see DefaultTiming.
	Timing Timing
}

// Timing holds the waits. A zero field takes its default.
type Timing struct {
	// BackoffBase and BackoffLimit bound the waits after failures.
	BackoffBase, BackoffLimit time.Duration
	// Debounce gathers sales made together into one batch.
	Debounce time.Duration
	// PollWait is how long HQ may hold a pull open; whole seconds, at most 30.
	PollWait time.Duration
	// Request bounds one request, in addition to PollWait for a pull.
	Request time.Duration
	// Window is how long after HQ's last word the terminal counts as online.
	Window time.Duration
}

// DefaultTiming is used where a Config has none. Window is longer than a poll, so
// that a quiet feed does not look like an outage.
var DefaultTiming = Timing{
	BackoffBase: time.Second, BackoffLimit: time.Minute, Debounce: 100 * time.Millisecond,
	PollWait: 25 * time.Second, Request: 15 * time.Second, Window: time.Minute,
}

func (t Timing) orDefault() Timing {
	or := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&t.BackoffBase, DefaultTiming.BackoffBase)
	or(&t.BackoffLimit, DefaultTiming.BackoffLimit)
	or(&t.Debounce, DefaultTiming.Debounce)
	or(&t.PollWait, DefaultTiming.PollWait)
	or(&t.Request, DefaultTiming.Request)
	or(&t.Window, DefaultTiming.Window)
	t.PollWait = min(t.PollWait, wire.MaxWaitSeconds*time.Second)
	return t
}

// Service keeps a terminal and HQ in step. Start and Stop may be called in any
// order and any number of times; it is safe for concurrent use.
type Service struct {
	cfg    Config
	timing Timing
	client *client
	board  *board
	wake   chan struct{} // something was journalled
	again  chan struct{} // HQ may have been restored: compare heads again
	floor  clock.Floor   // the latest time HQ has signed, as far as this terminal remembers

	// welcomed is the HQ epoch of the last welcome: what was witnessed before has been
	// shown to it.
	welcomed atomic.Uint32

	greeted sync.Once
	greet   chan struct{} // closed when the first hello has ended

	mu     sync.Mutex
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// New makes a service that is not started.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg, timing: cfg.Timing.orDefault(), wake: make(chan struct{}, 1), again: make(chan struct{}, 1), greet: make(chan struct{})}
	writer := cfg.Journal.Writer()
	s.client = &client{
		address: strings.TrimRight(cfg.Address, "/"), http: plain(cfg.HTTP), clock: cfg.Clock, random: cfg.Random,
		hq: cfg.HQ, terminal: writer.ID, epoch: writer.Epoch, private: cfg.Signer.Private(),
	}
	s.floor.Raise(cfg.EnrolledAt)
	s.floor.Raise(s.witnessedAt())
	s.board = newBoard(cfg.Clock, s.timing.Window, s.changed)
	return s
}

func (s *Service) changed(now State) {
	s.cfg.Till.SetOnline(now.Online)
	if s.cfg.Changed != nil {
		s.cfg.Changed(now)
	}
}

// Start begins to push and pull, until Stop or the end of ctx.
func (s *Service) Start(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		return
	}
	ctx, s.cancel = context.WithCancel(ctx)
	for _, loop := range []func(context.Context){s.pushLoop, s.pullLoop, s.watchLoop} {
		s.done.Go(func() { loop(ctx) })
	}
}

// Stop ends pushing and pulling and waits until nothing runs any more.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel == nil {
		return
	}
	s.cancel()
	s.done.Wait()
	s.cancel = nil
	s.cfg.HTTP.CloseIdleConnections()
}

// Greeted is closed when HQ has answered the first hello, or could not be reached.
func (s *Service) Greeted() <-chan struct{} { return s.greet }

// Wake tells that something was journalled. It never blocks.
func (s *Service) Wake() { signal(s.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// State returns how the sync stands now.
func (s *Service) State() State { return s.board.snapshot() }

// watchLoop notices that HQ has fallen silent, and entries that came without a
// wake, such as a jump of the clock.
func (s *Service) watchLoop(ctx context.Context) {
	tick := time.NewTicker(s.timing.Window / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.board.look()
			s.Wake()
		}
	}
}

// pause waits for d, or until HQ is heard again by the other loop when early says
// so. It reports false when ctx has ended.
func pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-early:
	}
	return ctx.Err() == nil
}
