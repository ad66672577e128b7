package feed

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// lookout shares one reading of the heads among all who wait: ten thousand waiting
// terminals ask the database once a wake and once a pollEvery, not each.
type lookout struct {
	mu    sync.Mutex
	fresh bool
	gen   uint64
	heads Heads
}

// headsSince returns heads read after the wake with number gen, and at most a
// pollEvery old.
func (f *Feed) headsSince(ctx context.Context, gen uint64) (Heads, error) {
	l := &f.shared
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fresh && l.gen >= gen {
		return l.heads, nil
	}
	heads, err := f.store.FeedHeads(ctx)
	if err != nil {
		return heads, fmt.Errorf("read feed heads: %w", err)
	}
	l.fresh, l.gen, l.heads = true, gen, heads
	time.AfterFunc(pollEvery*9/10, func() { l.expire(gen, heads) })
	return heads, nil
}

// expire forgets a reading, unless another has taken its place.
func (l *lookout) expire(gen uint64, heads Heads) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen == gen && l.heads == heads {
		l.fresh = false
	}
}
