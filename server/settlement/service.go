package settlement

import (
	"context"
	"errors"
	"fmt"
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
	// Epoch is HQ's: a restore begins the next, and with it other series of numbers.
	Epoch uint32
}

// Service keeps settlement. It is safe for concurrent use.
type Service struct {
	env Env

	mu    sync.Mutex
	zones map[uuid.UUID]*time.Location
}

// New returns the service.
func New(env Env) *Service { return &Service{env: env} }

// Round follows the ledger, and drafts the month that somebody asked for.
func (s *Service) Round(ctx context.Context) error {
	_, err := s.Follow(ctx)
	return errors.Join(err, s.draftAsked(ctx))
}

// loadPlaces reads what must be known of stores.
func (s *Service) loadPlaces(ctx context.Context) error {
	places, err := s.env.Places(ctx)
	if err != nil {
		return fmt.Errorf("read stores: %w", err)
	}
	zones := make(map[uuid.UUID]*time.Location, len(places))
	for _, p := range places {
		if zone, err := time.LoadLocation(p.Zone); err == nil {
			zones[p.ID] = zone
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones = zones
	return nil
}

// know reads stores again when one of these is not known: it was opened since, and its days
// are not those of UTC.
func (s *Service) know(ctx context.Context, stores map[uuid.UUID]bool) error {
	s.mu.Lock()
	all := true
	for id := range stores {
		all = all && (id == uuid.Nil || s.zones[id] != nil)
	}
	s.mu.Unlock()
	if all {
		return nil
	}
	return s.loadPlaces(ctx)
}

// zone is that of a store, UTC of the programme.
func (s *Service) zone(store uuid.UUID) *time.Location {
	s.mu.Lock()
	defer s.mu.Unlock()
	if z := s.zones[store]; z != nil {
		return z
	}
	return time.UTC
}
