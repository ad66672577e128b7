package pass

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/rounds"
)

// Settings are what an owner of a programme may choose; zero fields take defaults.
type Settings struct {
	// Gap is between one push to a phone and the next, for what has time: looks, points
	// about to expire. Default 15 minutes.
	Gap time.Duration
	// UrgentGap is the same for what a shopper waits for: a sale. Default 10 seconds.
	UrgentGap time.Duration
	// Notice is how long before points expire a pass says so. Default 30 days.
	Notice time.Duration
	// Reissue has codes that cannot rotate issued anew after a redemption, ReissueAfter
	// later (default 1 minute), at most once in ReissueGap (default 1 hour).
	Reissue      bool
	ReissueAfter time.Duration
	ReissueGap   time.Duration
	// CacheBytes is how much memory signed passes take. Default 32 MiB.
	CacheBytes int
}

// Options are what a service stands on.
type Options struct {
	Store     Store
	Programme Programme
	Books     Books
	Branding  Branding
	Tiers     Tiers
	// Apple, Google and Push are nil when there is no account.
	Apple  AppleWallet
	Google GoogleWallet
	Push   Pusher
	// Wallets are further ones, by their channel; a channel without one is not set up.
	Wallets map[Channel]Wallet
	Clock   clock.Clock
	NewID   func() uuid.UUID // in the order of time, for lists
	// NewSecretID returns ids that cannot be guessed.
	NewSecretID func() uuid.UUID
	// Secret is what tokens and tickets are derived from.
	Secret   []byte
	HQEpoch  uint32
	Settings Settings
	Log      *slog.Logger // nil throws away
	// Turn says whether this process follows the feed and pushes; nil is always.
	Turn rounds.Turn
}

// Service is the passes of one HQ. It is safe for concurrent use.
type Service struct {
	o      Options
	cache  *cache
	marks  *marks
	logged *allowance
	signed atomic.Int64
	loops  []*rounds.Loop
}

// Counts of a round, and how often rounds come.
const (
	followEvery = 500 * time.Millisecond
	pushEvery   = 500 * time.Millisecond
	markEvery   = time.Second
)

// New returns a service that is not started.
func New(o Options) *Service {
	s := &o.Settings
	s.Gap = orElse(s.Gap, 15*time.Minute)
	s.UrgentGap = orElse(s.UrgentGap, 10*time.Second)
	s.Notice = orElse(s.Notice, 30*24*time.Hour)
	s.ReissueAfter = orElse(s.ReissueAfter, time.Minute)
	s.ReissueGap = orElse(s.ReissueGap, time.Hour)
	s.CacheBytes = orElse(s.CacheBytes, 32<<20)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	out := &Service{o: o, cache: newCache(s.CacheBytes), marks: newMarks(), logged: &allowance{}}
	for ch := range o.Wallets {
		failed := ch.String() + " could not be told; it is tried again"
		out.loops = append(out.loops, out.loop(pushEvery, o.Turn, failed, out.pushing(ch)))
	}
	out.loops = append(out.loops,
		out.loop(followEvery, o.Turn, "passes could not follow what changed; it is tried again", out.Round),
		out.loop(pushEvery, o.Turn, "phones could not be told; it is tried again", out.pushing(Apple)),
		out.loop(pushEvery, o.Turn, "Google could not be told; it is tried again", out.pushing(Google)),
		out.loop(markEvery, nil, "marks of passes could not be written; it is tried again", func(ctx context.Context) (bool, error) { return false, out.Flush(ctx) }),
	)
	return out
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// loop is a loop whose rounds say whether there is more to do at once; between them it
// is asked again whose turn it is.
func (s *Service) loop(every time.Duration, turn rounds.Turn, failed string, round func(context.Context) (bool, error)) *rounds.Loop {
	return rounds.New(every, func(ctx context.Context) bool {
		mine, more, err := true, false, error(nil)
		if turn != nil {
			mine, err = turn(ctx)
		}
		if mine && err == nil {
			more, err = round(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.o.Log.Error(failed, "error", err)
		}
		return more && err == nil
	})
}

func (s *Service) pushing(ch Channel) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) { return s.PushRound(ctx, ch) }
}

// Start begins to follow, to push and to write marks.
func (s *Service) Start() {
	for _, l := range s.loops {
		l.Start()
	}
}

// Stop ends it; what phones did last is written first.
func (s *Service) Stop() {
	for _, l := range s.loops {
		l.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		s.o.Log.Error("the last marks of passes are lost", "error", err)
	}
}

func (s *Service) now() time.Time { return s.o.Clock.Now().UTC().Truncate(time.Millisecond) }

// wallet is who keeps the passes of a channel; nil for a channel whose phones ask, or that
// nobody is told of.
func (s *Service) wallet(ch Channel) Wallet {
	if ch == Google && s.o.Google != nil {
		return s.o.Google
	}
	return s.o.Wallets[ch]
}

// HasApple says whether passes of Apple are signed here.
func (s *Service) HasApple() bool { return s.o.Apple != nil }

// HasGoogle says whether there is an account at Google.
func (s *Service) HasGoogle() bool { return s.o.Google != nil }
