package google

import (
	"context"
	"sync"
	"time"
)

// bucket lets so many requests a second through, evenly after a first few. It is safe
// for concurrent use.
type bucket struct {
	every time.Duration
	burst time.Duration
	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error

	mu   sync.Mutex
	next time.Time // when the request after those promised may go
}

// take waits for this request's turn. A request that is given up keeps its turn.
func (b *bucket) take(ctx context.Context) error {
	b.mu.Lock()
	now := b.now()
	if earliest := now.Add(-b.burst); b.next.Before(earliest) {
		b.next = earliest
	}
	wait := b.next.Sub(now)
	b.next = b.next.Add(b.every)
	b.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	return b.sleep(ctx, wait)
}
