package settlement

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// Journal is HQ's own journal; see hqjournal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Env is what the service takes from its surroundings.
type Env struct {
	Store   Store
	Journal Journal
	// Places returns all stores.
	Places func(ctx context.Context) ([]clearing.Place, error)
	Clock  clock.Clock
	NewID  func() uuid.UUID
}

// Service keeps settlement. It is safe for concurrent use.
type Service struct {
	env Env

	mu     sync.Mutex
	places []clearing.Place
	zones  map[uuid.UUID]*time.Location
}

// New returns the service.
func New(env Env) *Service { return &Service{env: env} }

// Round follows the ledger, and drafts the month that somebody asked for.
func (s *Service) Round(ctx context.Context) error {
	if _, err := s.Follow(ctx); err != nil {
		return err
	}
	return s.draftAsked(ctx)
}
