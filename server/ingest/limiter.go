package ingest

import (
	"sync"

	"github.com/tallystick/tallystick/internal/problem"
)

// Limiter bounds how many entries are being taken in at once, and so the memory
// that batches under way can hold. It never waits: who comes too many is told to
// come again. It is safe for concurrent use.
type Limiter struct {
	mu    sync.Mutex
	limit int
	inUse int
}

// NewLimiter returns a limiter of this many entries.
func NewLimiter(entries int) *Limiter { return &Limiter{limit: entries} }

// acquire takes room for n entries, or answers problem.Backpressure. A single
// batch is always let in when nothing else is under way.
func (l *Limiter) acquire(n int) (release func(), err error) {
	if l == nil {
		return func() {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inUse > 0 && l.inUse+n > l.limit {
		busy := problem.Newf(problem.Backpressure, "%d entries are under way", l.inUse)
		busy.RetryAfter = 1 + l.inUse/5000 // HQ takes in some thousand entries a second
		return nil, busy
	}
	l.inUse += n
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inUse -= n
	}, nil
}
