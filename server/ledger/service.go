package ledger

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// pollEvery is how often the service looks by itself: entries that another process
// took in wake nobody here.
const pollEvery = 500 * time.Millisecond

// sweepEvery is how often the service lets time pass for accounts in which nothing
// else happens.
const sweepEvery = time.Minute

// Service applies entries as they come, until it is stopped.
type Service struct {
	ledger *Ledger
	log    *slog.Logger
	turn   func(ctx context.Context) (bool, error)
	wake   chan struct{}

	applied  atomic.Int64
	failures atomic.Int64

	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
}

// NewService returns the service of a ledger. It logs what it will try again. Before
// each set it asks turn, which may be nil, whether it is this process that applies;
// several that do so at once do no harm, only the same work.
func NewService(l *Ledger, log *slog.Logger, turn func(ctx context.Context) (bool, error)) *Service {
	if turn == nil {
		turn = func(context.Context) (bool, error) { return true, nil }
	}
	return &Service{ledger: l, log: log, turn: turn, wake: make(chan struct{}, 1)}
}

// Start begins applying in a goroutine that Stop ends.
func (s *Service) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, make(chan struct{})
	go s.run(ctx, s.done)
}

// Stop ends the service and waits until it has.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.done
	s.stop = nil
}

// Wake tells the service that there is something to apply. It never blocks.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Applied is how many entries this service has passed since it was made.
func (s *Service) Applied() int64 { return s.applied.Load() }

// Failures is how often a set could not be applied and was tried again.
func (s *Service) Failures() int64 { return s.failures.Load() }

func (s *Service) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		n := 0
		mine, err := s.turn(ctx)
		if mine && err == nil {
			n, err = s.ledger.Apply(ctx)
			select {
			case <-sweep.C:
				s.sweep(ctx)
			default:
			}
		}
		s.applied.Add(int64(n))
		if err != nil && ctx.Err() == nil {
			s.failures.Add(1)
			s.log.Error("entries could not be applied; they are tried again", "error", err)
		}
		if err == nil && n > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep lets time pass until nothing is due; what fails is tried at the next turn.
func (s *Service) sweep(ctx context.Context) {
	for {
		done, err := s.ledger.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			s.failures.Add(1)
			s.log.Error("lots could not be let vest and expire; it is tried again", "error", err)
		}
		if err != nil || done.Accounts < sweepAccounts {
			return
		}
	}
}
