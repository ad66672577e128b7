package till

import (
	"context"
	"slices"
	"sync"
)

// locks holds one lock for each name somebody wants or has. Names of one call are
// taken in ascending order, so that two calls never wait for each other. A caller
// that holds a key's lock may take subjects, never the other way round.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	token chan struct{} // full while somebody holds the lock
	users int           // holders and waiters
}

func newLocks() *locks { return &locks{held: map[string]*lock{}} }

// lock takes all names or none, and returns what gives them back.
func (l *locks) lock(ctx context.Context, names ...string) (unlock func(), err error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	taken := 0
	unlock = func() {
		for _, name := range names[:taken] {
			l.release(name, true)
		}
	}
	for _, name := range names {
		if err := l.take(ctx, name); err != nil {
			unlock()
			return nil, err
		}
		taken++
	}
	return unlock, nil
}

func (l *locks) take(ctx context.Context, name string) error {
	l.mu.Lock()
	k := l.held[name]
	if k == nil {
		k = &lock{token: make(chan struct{}, 1)}
		l.held[name] = k
	}
	k.users++
	l.mu.Unlock()
	select {
	case k.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		l.release(name, false)
		return ctx.Err()
	}
}

func (l *locks) release(name string, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[name]
	if held {
		<-k.token
	}
	if k.users--; k.users == 0 {
		delete(l.held, name)
	}
}
