package till

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
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

// keepQuote keeps a quote. Its hold takes the place of the member's earlier ones, so
// that a basket can be quoted again.
func (d *desk) keepQuote(q quoted) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, k := range d.quotes.kept {
		if !q.quote.Training && k.value.account == q.account && k.value.member == q.member {
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

// open calls fn with each quote that can still be committed and holds something.
func (d *desk) open(fn func(quoted)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.mono()
	for _, k := range d.quotes.kept {
		if !k.value.superseded && !k.value.quote.Training && now < k.until {
			fn(k.value)
		}
	}
}

// held returns the points of an account that open quotes reserve.
func (d *desk) held(account uuid.UUID) map[string]int64 {
	held := map[string]int64{}
	d.open(func(q quoted) {
		for _, r := range q.quote.Decision.Redeemed {
			if q.account == account && r.Unit != "" {
				held[r.Unit] += r.Amount
			}
		}
	})
	return held
}

// holds is what the open quotes of others reserve, seen by one shopper. It makes a quote
// careful; a commit does not look at it.
type holds struct {
	rights map[loyalty.ID]int64           // of rights, by id; uses and points never share one
	free   map[uuid.UUID]map[string]int64 // by account
	uses   map[loyalty.ID]int64           // without a right, by voucher
	spend  spend
}

// holdsFor sums what the open quotes of all but one member hold.
func (d *desk) holdsFor(member uuid.UUID) holds {
	h := holds{rights: map[loyalty.ID]int64{}, free: map[uuid.UUID]map[string]int64{}, uses: map[loyalty.ID]int64{}}
	d.open(func(q quoted) {
		if q.member == member {
			return
		}
		for _, r := range q.quote.Decision.Redeemed {
			h.spend.add(r.Unit, r.Unit == "", r.Amount, r.Basis != loyalty.ByStandIn)
			switch {
			case r.Basis != loyalty.ByStandIn && r.Right != (loyalty.ID{}):
				h.rights[r.Right] += r.Amount
			case r.Unit == "":
				h.uses[r.Voucher] += r.Amount
			default:
				if h.free[q.account] == nil {
					h.free[q.account] = map[string]int64{}
				}
				h.free[q.account][r.Unit] += r.Amount
			}
		}
	})
	return h
}

// apply takes what is held from the facts of a quote.
func (h holds) apply(f *facts, total *tally) {
	total.standIn(h.spend, 1)
	total.any(h.spend, 1)
	for i := range f.request.Rights {
		f.request.Rights[i].Left -= h.rights[f.request.Rights[i].ID]
	}
	for i := range f.elsewhere {
		f.elsewhere[i].Amount -= h.rights[f.elsewhere[i].id]
	}
	for id, v := range f.request.Vouchers {
		v.Left -= h.uses[id]
		f.request.Vouchers[id] = v
	}
	if f.request.Member != nil {
		for unit, n := range h.free[f.party.account] {
			f.request.Member.Free[unit] -= n
		}
	}
}
