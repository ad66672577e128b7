package till

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// desk keeps scans and quotes in memory for a while. They are lost with the
// process: neither is a right to anything.
type desk struct {
	mu     sync.Mutex
	mono   func() time.Duration
	limits Limits
	scans  shelf[presented]
	quotes shelf[quoted]
}

func newDesk(mono func() time.Duration, limits Limits) *desk {
	return &desk{
		mono: mono, limits: limits,
		scans:  shelf[presented]{life: limits.ScanLife, kept: map[uuid.UUID]kept[presented]{}},
		quotes: shelf[quoted]{life: limits.QuoteLife, kept: map[uuid.UUID]kept[quoted]{}},
	}
}

// shelf keeps values in the order they came; the oldest makes room.
type shelf[T any] struct {
	life  time.Duration
	kept  map[uuid.UUID]kept[T]
	order []uuid.UUID
}

type kept[T any] struct {
	value T
	until time.Duration
}

func (s *shelf[T]) put(now time.Duration, limit int, id uuid.UUID, value T) {
	for len(s.order) >= limit {
		delete(s.kept, s.order[0])
		s.order = s.order[1:]
	}
	s.kept[id] = kept[T]{value, now + s.life}
	s.order = append(s.order, id)
}

func (s *shelf[T]) get(now time.Duration, id uuid.UUID) (T, error) {
	k, known := s.kept[id]
	switch {
	case !known:
		return k.value, problem.New(problem.QuoteUnknown, "")
	case now >= k.until:
		return k.value, problem.New(problem.QuoteExpired, "")
	}
	return k.value, nil
}

func (d *desk) keepScan(id uuid.UUID, p presented) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scans.put(d.mono(), d.limits.Quotes, id, p)
}

func (d *desk) scan(id uuid.UUID) (presented, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.scans.get(d.mono(), id)
}

// keepQuote keeps a quote. Its hold takes the place of the account's earlier ones,
// so that a basket can be quoted again.
func (d *desk) keepQuote(q quoted) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, k := range d.quotes.kept {
		if k.value.account == q.account {
			k.value.superseded = true
			d.quotes.kept[id] = k
		}
	}
	d.quotes.put(d.mono(), d.limits.Quotes, q.quote.ID, q)
}

func (d *desk) quote(id uuid.UUID) (quoted, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.quotes.get(d.mono(), id)
}

// committed forgets a quote that has become a sale.
func (d *desk) committed(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.quotes.kept, id)
}

// held returns the points of an account that its latest open quote reserves.
func (d *desk) held(account uuid.UUID) map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, held := d.mono(), map[string]int64{}
	for _, k := range d.quotes.kept {
		if k.value.account != account || k.value.superseded || now >= k.until {
			continue
		}
		for _, r := range k.value.quote.Decision.Redeemed {
			if r.Unit != "" {
				held[r.Unit] += r.Amount
			}
		}
	}
	return held
}
