package googlewallet

import (
	"sync"
	"time"
)

// gate keeps all passes from Google while it does not answer, or has had enough: one
// bad answer is one for all of them.
type gate struct {
	jitter func() float64

	mu     sync.Mutex
	failed int
	until  time.Time
}

// How long the gate stays shut after the first bad answer in a row, doubling.
const (
	firstShut   = time.Second
	longestShut = 5 * time.Minute
)

// closed returns for how long the gate is still shut; 0 when it is open.
func (g *gate) closed(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, g.until.Sub(now))
}

// shut shuts the gate, for at least as long as Google asks, and returns for how long.
// Requests that were under way together count once.
func (g *gate) shut(now time.Time, asked time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until.After(now) && g.until.Sub(now) >= asked {
		return g.until.Sub(now)
	}
	wait := min(firstShut<<min(g.failed, 20), longestShut)
	wait = wait/2 + time.Duration(g.jitter()*float64(wait/2))
	g.failed++
	g.until = now.Add(max(wait, asked))
	return g.until.Sub(now)
}

// open notes a good answer.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed, g.until = 0, time.Time{}
}
