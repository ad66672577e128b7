package ledger

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/server/rounds"
)

// pollEvery is how often the service looks by itself: entries that another process
// took in wake nobody here.
const pollEvery = 500 * time.Millisecond

// sweepEvery is how often the service lets time pass for accounts in which nothing
// else happens.
const sweepEvery = time.Minute

// setsATurn is how many sets follow each other before it is asked again whether it is
// this process's turn, and before time may pass.
const setsATurn = 8

// Service applies entries as they come, from Start until Stop.
type Service struct {
	*rounds.Loop
	ledger *Ledger
	log    *slog.Logger
	turn   rounds.Turn
	due    *time.Ticker
	first  bool // it has not looked yet since it was made

	applied  atomic.Int64
	failures atomic.Int64
}

// NewService returns the service of a ledger. It logs what it will try again. Before
// a few sets it asks turn, which may be nil, whether it is this process that applies;
// several that do so at once do no harm, only the same work.
func NewService(l *Ledger, log *slog.Logger, turn rounds.Turn) *Service {
	if turn == nil {
		turn = func(context.Context) (bool, error) { return true, nil }
	}
	s := &Service{ledger: l, log: log, turn: turn, due: time.NewTicker(sweepEvery), first: true}
	s.Loop = rounds.New(pollEvery, s.round)
	return s
}

// Applied is how many entries this service has passed since it was made.
func (s *Service) Applied() int64 { return s.applied.Load() }

// Failures is how often a set could not be applied and was tried again.
func (s *Service) Failures() int64 { return s.failures.Load() }

func (s *Service) round(ctx context.Context) (more bool) {
	n := 0
	mine, err := s.turn(ctx)
	if mine && err == nil {
		if s.first { // a new release may fold what the one before could not
			s.first = false
			s.retry(ctx, true)
		}
		n, err = s.ledger.ApplySets(ctx, setsATurn)
		select {
		case <-s.due.C:
			s.retry(ctx, false)
			s.sweep(ctx)
		default:
		}
	}
	s.applied.Add(int64(n))
	if err != nil && ctx.Err() == nil {
		s.failures.Add(1)
		s.log.Error("entries could not be applied; they are tried again", "error", err)
	}
	return err == nil && n > 0
}

// retry tries again what is set aside; what fails is tried at the next turn.
func (s *Service) retry(ctx context.Context, all bool) {
	if _, err := s.ledger.RetryAside(ctx, all); err != nil && ctx.Err() == nil {
		s.failures.Add(1)
		s.log.Error("facts that are set aside could not be tried again; it is tried later", "error", err)
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
