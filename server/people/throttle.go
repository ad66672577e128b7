package people

import (
	"sync"
	"time"
)

// Guessing is slowed down per name and address together (so nobody can lock
// another person out from elsewhere) and, later, per address alone.
const (
	freeTriesName    = 5
	freeTriesAddress = 20
	longestWait      = 5 * time.Minute
	forgetAfter      = 15 * time.Minute
	maxTracked       = 10_000
)

// Throttle counts failed tries in memory, by whatever key. Each HQ process counts for
// itself. The zero value is ready; it is safe for concurrent use.
type Throttle struct {
	mu    sync.Mutex
	tries map[string]tries
}

type tries struct {
	failed int
	last   time.Time
	until  time.Time
}

// Wait returns how long the key must still wait at now.
func (t *Throttle) Wait(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.tries[key].until.Sub(now))
}

// Fail counts a failure: after the free tries each further one doubles the wait.
func (t *Throttle) Fail(key string, free int, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tries == nil {
		t.tries = map[string]tries{}
	}
	if _, ok := t.tries[key]; !ok && len(t.tries) >= maxTracked {
		t.forget(now)
	}
	entry := t.tries[key]
	if now.Sub(entry.last) > forgetAfter {
		entry = tries{}
	}
	entry.failed++
	entry.last = now
	if over := entry.failed - free; over >= 0 {
		entry.until = now.Add(min(longestWait, time.Second<<min(over, 10)))
	}
	t.tries[key] = entry
}

// Clear forgets the failures of a key.
func (t *Throttle) Clear(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, key)
}

// forget makes room: first what is old, then whichever failed longest ago.
func (t *Throttle) forget(now time.Time) {
	oldest, found := "", false
	for key, entry := range t.tries {
		if now.Sub(entry.last) > forgetAfter {
			delete(t.tries, key)
			continue
		}
		if !found || entry.last.Before(t.tries[oldest].last) {
			oldest, found = key, true
		}
	}
	if len(t.tries) >= maxTracked {
		delete(t.tries, oldest)
	}
}
