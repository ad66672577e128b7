package till

import "sync"

// caps counts what this terminal redeemed since HQ's acknowledgement, and what
// sales being written reserve. Deciding and reserving are one step, so that sales
// at the same time never pass a cap together.
type caps struct {
	mu     sync.Mutex
	acked  uint64
	spent  map[uint64]spend // by entry
	points map[string]int64 // spent and reserved, by unit
	uses   int64
}

func newCaps() *caps { return &caps{spent: map[uint64]spend{}, points: map[string]int64{}} }

// reserve runs decide with what is spent and reserved, and reserves what it
// returns. A refused decision reserves nothing.
func (c *caps) reserve(decide func(points map[string]int64, uses int64) (spend, error)) (*reservation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := decide(c.points, c.uses)
	if err != nil {
		return nil, err
	}
	c.count(s, 1)
	return &reservation{caps: c, spend: s}, nil
}

// total returns what is spent and reserved.
func (c *caps) total(unit string) (points, uses int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.points[unit], c.uses
}

// void takes back what entry seq counted.
func (c *caps) void(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(seq)
}

// drop takes back what an entry counted. An acknowledged one counts no more.
func (c *caps) drop(seq uint64) {
	if s, there := c.spent[seq]; there {
		delete(c.spent, seq)
		c.count(s, -1)
	}
}

// ack stops counting entries up to seq.
func (c *caps) ack(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked = max(c.acked, seq)
	for s := range c.spent {
		if s <= c.acked {
			c.drop(s)
		}
	}
}

// restart sets what is acknowledged, back too, and counts the given entries above
// it that are not counted yet.
func (c *caps) restart(acked uint64, entries map[uint64]spend) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked = acked
	voided := map[uint64]bool{}
	for _, s := range entries {
		voided[s.Voids] = true
	}
	for seq, s := range entries {
		if _, counted := c.spent[seq]; !counted && !voided[seq] && s.Voids == 0 && seq > acked {
			c.spent[seq] = s
			c.count(s, 1)
		}
	}
	for seq := range c.spent {
		if seq <= acked {
			c.drop(seq)
		}
	}
}

func (c *caps) count(s spend, sign int64) {
	for _, p := range s.Points {
		c.points[p.Unit] += sign * p.Amount
	}
	c.uses += sign * s.Uses
}

// reservation is room under the caps for a sale that is being written.
type reservation struct {
	caps  *caps
	spend spend
	ended bool
}

// keep turns the reservation into the spend of a journalled entry. An entry that
// HQ has acknowledged meanwhile counts no more.
func (r *reservation) keep(seq uint64) {
	r.end(func() {
		if seq <= r.caps.acked {
			r.caps.count(r.spend, -1)
			return
		}
		r.caps.spent[seq] = r.spend
	})
}

// release gives the room back, unless the reservation was kept.
func (r *reservation) release() { r.end(func() { r.caps.count(r.spend, -1) }) }

func (r *reservation) end(fn func()) {
	r.caps.mu.Lock()
	defer r.caps.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	fn()
}
