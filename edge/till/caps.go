package till

import (
	"maps"
	"sync"
)

// caps counts what this terminal redeemed since HQ has applied its entries, and since
// somebody witnessed its head, with what sales being written reserve. Deciding and
// reserving are one step, so that sales at the same time never pass a cap together.
type caps struct {
	mu sync.Mutex
	// Entries through applied count no more against stand-in, those through witnessed
	// no more against what a terminal without a witness may redeem.
	applied, witnessed uint64
	spent              map[uint64]spend // by entry
	total              tally            // spent and reserved
}

// tally is what counts: without a right, and on any basis.
type tally struct {
	points map[string]int64 // by unit
	uses   int64
	all    int64 // a use counts as one
}

func newCaps() *caps {
	return &caps{spent: map[uint64]spend{}, total: tally{points: map[string]int64{}}}
}

// reserve runs decide with what is spent and reserved, and reserves what it
// returns. A refused decision reserves nothing.
func (c *caps) reserve(decide func(tally) (spend, error)) (*reservation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := decide(c.total)
	if err != nil {
		return nil, err
	}
	c.total.standIn(s, 1)
	c.total.any(s, 1)
	return &reservation{caps: c, spend: s}, nil
}

// sums returns what is spent and reserved, of points in one unit.
func (c *caps) sums(unit string) tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.total
	out.points = map[string]int64{unit: c.total.points[unit]}
	return out
}

// void takes back what entry seq counted.
func (c *caps) void(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(seq)
}

// drop takes back what an entry counts, as far as it still does.
func (c *caps) drop(seq uint64) {
	s, there := c.spent[seq]
	if !there {
		return
	}
	delete(c.spent, seq)
	if seq > c.applied {
		c.total.standIn(s, -1)
	}
	if seq > c.witnessed {
		c.total.any(s, -1)
	}
}

// pass stops counting entries that were applied or witnessed.
func (c *caps) pass(applied, witnessed uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	applied, witnessed = max(applied, c.applied), max(witnessed, c.witnessed)
	for seq, s := range c.spent {
		if seq > c.applied && seq <= applied {
			c.total.standIn(s, -1)
		}
		if seq > c.witnessed && seq <= witnessed {
			c.total.any(s, -1)
		}
		if seq <= min(applied, witnessed) {
			delete(c.spent, seq)
		}
	}
	c.applied, c.witnessed = applied, witnessed
}

// restart sets what is applied and witnessed, back too, and counts the given entries
// above that are not counted yet.
func (c *caps) restart(applied, witnessed uint64, entries map[uint64]spend) {
	c.mu.Lock()
	defer c.mu.Unlock()
	voided := map[uint64]bool{}
	for _, s := range entries {
		voided[s.Voids] = true
	}
	counted := maps.Clone(c.spent) // also those that were journalled after entries was read
	for seq := range counted {
		c.drop(seq)
	}
	for seq, s := range entries {
		if !voided[seq] && s.Voids == 0 {
			counted[seq] = s
		}
	}
	c.applied, c.witnessed = applied, witnessed
	for seq, s := range counted {
		c.count(seq, s)
	}
}

// count counts an entry as far as it is neither applied nor witnessed.
func (c *caps) count(seq uint64, s spend) {
	if seq > c.applied {
		c.total.standIn(s, 1)
	}
	if seq > c.witnessed {
		c.total.any(s, 1)
	}
	if seq > min(c.applied, c.witnessed) {
		c.spent[seq] = s
	}
}

func (t *tally) standIn(s spend, sign int64) {
	for _, p := range s.Points {
		t.points[p.Unit] += sign * p.Amount
	}
	t.uses += sign * s.Uses
}

func (t *tally) any(s spend, sign int64) {
	t.all += sign * s.All
}

// reservation is room under the caps for a sale that is being written.
type reservation struct {
	caps  *caps
	spend spend
	ended bool
}

// keep turns the reservation into the spend of a journalled entry, unless it is counted
// by that already.
func (r *reservation) keep(seq uint64) {
	r.end(func() {
		if _, counted := r.caps.spent[seq]; !counted {
			r.caps.count(seq, r.spend)
		}
	})
}

// release gives the room back, unless the reservation was kept.
func (r *reservation) release() { r.end(func() {}) }

// end gives the room back and runs fn, once.
func (r *reservation) end(fn func()) {
	r.caps.mu.Lock()
	defer r.caps.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	r.caps.total.standIn(r.spend, -1)
	r.caps.total.any(r.spend, -1)
	fn()
}
