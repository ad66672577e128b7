package account

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// lookEvery is how often the service looks by itself: what another process decided
// may wake nobody here.
const lookEvery = time.Second

// Service settles what waits, until it is stopped.
type Service struct {
	accounts *Accounts
	log      *slog.Logger
	turn     func(ctx context.Context) (bool, error)
	wake     chan struct{}

	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
}

// NewService returns the service of a room. It logs what it will try again. Before
// each round it asks turn, which may be nil, whether it is this process that settles;
// several that do so at once do no harm, only the same work.
func NewService(a *Accounts, log *slog.Logger, turn func(ctx context.Context) (bool, error)) *Service {
	if turn == nil {
		turn = func(context.Context) (bool, error) { return true, nil }
	}
	return &Service{accounts: a, log: log, turn: turn, wake: make(chan struct{}, 1)}
}

// Start begins settling in a goroutine that Stop ends.
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

// Wake tells the service that there is something to settle. It never blocks.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		n, err := s.round(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("moves between accounts could not be settled; they are tried again", "error", err)
		}
		if err == nil && n > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) round(ctx context.Context) (int, error) {
	mine, err := s.turn(ctx)
	if err != nil || !mine {
		return 0, err
	}
	return s.accounts.Settle(ctx)
}
