package posbooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Work is what is done for a store in the background.
type Work string

// Works.
const (
	WorkImport Work = "import" // files are read and taken in
	WorkMatch  Work = "match"  // days are matched
	WorkLate   Work = "late"   // late entries are looked for
)

// Trouble is work that failed for a store, and when it is tried again.
type Trouble struct {
	Store  uuid.UUID
	Work   Work
	Reason string // in words, for people
	Tries  int64
	// Since is when it failed first, Last when it failed last.
	Since, Last, Next time.Time
}

// The first wait after work failed, and the longest: each is twice the one before.
const (
	firstWait = 2 * time.Second
	mostWait  = 10 * time.Minute
)

// pause is how long work waits after so many tries.
func pause(tries int64) time.Duration {
	for wait := firstWait; wait < mostWait; wait *= 2 {
		if tries--; tries <= 0 {
			return wait
		}
	}
	return mostWait
}

// stint is one work for one store.
type stint struct {
	store uuid.UUID
	work  Work
}

// Which narrows work to one store, or leaves stores out; the zero one means all.
type Which struct {
	Only uuid.UUID
	But  []uuid.UUID
}

// round is one round of work, in which what fails for a store is put off and holds no
// other up.
type round struct {
	*Service
	only   uuid.UUID // when it is for one store
	known  map[stint]Trouble
	failed []error
}

// newRound begins a round with what is known to fail.
func (s *Service) newRound(ctx context.Context, only uuid.UUID) (*round, error) {
	stored, err := s.env.Store.PosTroubles(ctx, only)
	if err != nil {
		return nil, fmt.Errorf("read what failed before: %w", err)
	}
	r := &round{Service: s, only: only, known: map[stint]Trouble{}}
	for _, t := range stored {
		r.known[stint{t.Store, t.Work}] = t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, t := range s.unsaid {
		r.known[at] = t
	}
	return r, nil
}

// which stores a work is for at this moment.
func (r *round) which(w Work) Which {
	out := Which{Only: r.only}
	for at := range r.known {
		if at.work == w && r.waits(at) {
			out.But = append(out.But, at.store)
		}
	}
	return out
}

func (r *round) waits(at stint) bool { return r.known[at].Next.After(r.now()) }

// did takes in how work for a store ended. Only the end of the round's own context ends
// the round.
func (r *round) did(ctx context.Context, store uuid.UUID, w Work, err error) error {
	at := stint{store, w}
	if err != nil && ctx.Err() != nil {
		return err
	}
	t, known := r.known[at]
	if err == nil {
		if !known {
			return nil
		}
		delete(r.known, at)
		r.remember(at, nil)
		if err := r.env.Store.DropPosTrouble(ctx, store, w); err != nil {
			return fmt.Errorf("forget what failed before: %w", err)
		}
		return nil
	}
	now := r.now()
	if t.Tries == 0 {
		t = Trouble{Store: store, Work: w, Since: now}
	}
	t.Tries++
	t.Reason, t.Last, t.Next = printable(reasonOf(err)), now, now.Add(pause(t.Tries))
	r.known[at] = t
	r.failed = append(r.failed, fmt.Errorf("%s of store %s: %w", w, store, err))
	err = r.env.Store.PutPosTrouble(ctx, t)
	if r.remember(at, nil); err != nil {
		r.remember(at, &t) // the database takes nothing in; this process waits all the same
		r.failed = append(r.failed, fmt.Errorf("note what failed: %w", err))
	}
	return nil
}

// reasonOf is what a person is told: what a problem says of itself, else the whole error.
func reasonOf(err error) string {
	var p *problem.Error
	if errors.As(err, &p) && p.Detail != "" {
		return p.Detail
	}
	return err.Error()
}

// remember keeps a trouble that the database did not take in, or forgets it.
func (s *Service) remember(at stint, t *Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t == nil {
		delete(s.unsaid, at)
		return
	}
	s.unsaid[at] = *t
}

// Troubles lists what fails for a store, or for all.
func (s *Service) Troubles(ctx context.Context, store uuid.UUID) ([]Trouble, error) {
	return s.env.Store.PosTroubles(ctx, store)
}

// again has work for a store be tried at once, whatever failed before.
func (s *Service) again(ctx context.Context, store uuid.UUID, w Work) error {
	if err := s.env.Store.DropPosTrouble(ctx, store, w); err != nil {
		return fmt.Errorf("forget what failed before: %w", err)
	}
	s.remember(stint{store, w}, nil)
	return nil
}
