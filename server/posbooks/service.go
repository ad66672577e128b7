package posbooks

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
)

// Env is what the service stands on.
type Env struct {
	Store Store
	Fleet Fleet
	Clock clock.Clock
	NewID func() uuid.UUID
	// Ends is by how much a store's business day ends after midnight, or before it.
	Ends func(ctx context.Context, store uuid.UUID) (time.Duration, error)
	// Virtual names terminals that are no tills; their sales are in no till's books.
	Virtual func(name string) bool
}

// Service reads books and matches them. It is safe for concurrent use.
type Service struct {
	env   Env
	ofDay int // rows of a day in one file at most

	mu     sync.Mutex
	unsaid map[stint]Trouble // what failed and could not be noted
}

// New returns the service.
func New(env Env) *Service { return &Service{env: env, ofDay: MostOfADay, unsaid: map[stint]Trouble{}} }

// standing is how many rows of a day there are at most, of all files.
func (s *Service) standing() int { return s.ofDay * (MostStanding / MostOfADay) }

func (s *Service) now() time.Time { return s.env.Clock.Now().UTC().Truncate(time.Millisecond) }

// Mappings lists the saved mappings by name: those for all stores, and those for one when
// it is named, or of all.
func (s *Service) Mappings(ctx context.Context, store uuid.UUID) ([]Mapping, error) {
	all, err := s.env.Store.PosMappings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list mappings: %w", err)
	}
	out := []Mapping{}
	for _, m := range all {
		if store == uuid.Nil || m.Store == uuid.Nil || m.Store == store {
			out = append(out, m)
		}
	}
	return out, nil
}

// mostMappings bounds how many mappings there are.
const mostMappings = 1000

// PutMapping saves a mapping: a new one when its version is zero, which then gets an id,
// or the next version of one.
func (s *Service) PutMapping(ctx context.Context, by Person, m Mapping) (Mapping, error) {
	m.Name = strings.TrimSpace(m.Name)
	if err := m.Check(); err != nil {
		return Mapping{}, err
	}
	if m.Store != uuid.Nil {
		if _, err := s.env.Fleet.Store(ctx, m.Store); err != nil {
			return Mapping{}, err
		}
	}
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		if m.Version == 0 {
			all, err := s.env.Store.PosMappings(ctx)
			if err != nil {
				return err
			}
			if len(all) >= mostMappings {
				return problem.Newf(problem.StateConflict, "there are %d mappings, and no more can be", mostMappings)
			}
			m.ID = s.env.NewID()
		}
		m.Version++
		return s.env.Store.PutPosMapping(ctx, m, by, s.now())
	})
	if err != nil {
		return Mapping{}, fmt.Errorf("save mapping: %w", err)
	}
	return m, nil
}

// DeleteMapping forgets a mapping. Imports keep the rules that they were read by.
func (s *Service) DeleteMapping(ctx context.Context, id uuid.UUID) error {
	return s.env.Store.DeletePosMapping(ctx, id)
}

// place is what rows of a store rest on.
func (s *Service) place(ctx context.Context, id uuid.UUID) (Place, error) {
	store, err := s.env.Fleet.Store(ctx, id)
	if err != nil {
		return Place{}, err
	}
	zone, err := time.LoadLocation(store.TimeZone)
	if err != nil {
		return Place{}, fmt.Errorf("load zone of store %s: %w", store.Code, err)
	}
	ends, err := s.env.Ends(ctx, id)
	if err != nil {
		return Place{}, fmt.Errorf("read when the day of store %s ends: %w", store.Code, err)
	}
	return Place{Store: id, Code: store.Code, Zone: zone, Currency: store.Currency, Ends: ends}, nil
}
