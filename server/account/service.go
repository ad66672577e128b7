package account

import (
	"context"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/server/rounds"
)

// lookEvery is how often the service looks by itself: what another process decided
// may wake nobody here.
const lookEvery = time.Second

// Service settles what waits, from Start until Stop.
type Service struct {
	*rounds.Loop
	accounts *Accounts
	log      *slog.Logger
	turn     func(ctx context.Context) (bool, error)
}

// NewService returns the service of a room. It logs what it will try again. Before
// each round it asks turn, which may be nil, whether it is this process that settles;
// several that do so at once do no harm, only the same work.
func NewService(a *Accounts, log *slog.Logger, turn rounds.Turn) *Service {
	if turn == nil {
		turn = func(context.Context) (bool, error) { return true, nil }
	}
	s := &Service{accounts: a, log: log, turn: turn}
	s.Loop = rounds.New(lookEvery, s.round)
	return s
}

func (s *Service) round(ctx context.Context) (more bool) {
	mine, err := s.turn(ctx)
	n := 0
	if mine && err == nil {
		n, err = s.accounts.Settle(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("moves between accounts could not be settled; they are tried again", "error", err)
	}
	return err == nil && n > 0
}
