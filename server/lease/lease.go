package lease

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Term is how long a lease holds without a new beat.
const Term = 3 * time.Second

// Row is a lease as stored; the zero row is one that nobody ever held. A zero
// Holder has given it back.
type Row struct {
	Holder uuid.UUID
	Beat   int64
}

// Store is the storage a lease needs.
type Store interface {
	Lease(ctx context.Context, name string) (Row, error)
	// TakeLease writes row if the stored beat is the one before row.Beat, and
	// reports whether it did.
	TakeLease(ctx context.Context, name string, row Row) (bool, error)
}

// Lease is one contender for one task. It is safe for concurrent use.
type Lease struct {
	store Store
	name  string
	self  uuid.UUID
	now   func() time.Time

	mu      sync.Mutex
	seen    Row
	since   time.Time // when seen was first seen, or, of an own row, begun to be written
	started bool
}

// New returns a contender. Self is an id of this process alone; now must never run
// back while the process lives.
func New(store Store, name string, self uuid.UUID, now func() time.Time) *Lease {
	return &Lease{store: store, name: name, self: self, now: now}
}

// Hold reports whether this process holds the lease, and takes, renews or waits for
// it. Call it before each piece of work, and at least every third of a Term.
func (l *Lease) Hold(ctx context.Context) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	mine := l.started && l.seen.Holder == l.self
	if mine && now.Sub(l.since) < Term/3 {
		return true, nil
	}
	row, err := l.store.Lease(ctx, l.name)
	if err != nil {
		return false, fmt.Errorf("read lease %s: %w", l.name, err)
	}
	if !l.started || row != l.seen {
		l.seen, l.since, l.started = row, now, true
	}
	if row.Holder != l.self && row.Holder != uuid.Nil && now.Sub(l.since) < Term {
		return false, nil
	}
	return l.take(ctx, Row{Holder: l.self, Beat: row.Beat + 1}, now)
}

func (l *Lease) take(ctx context.Context, row Row, now time.Time) (bool, error) {
	taken, err := l.store.TakeLease(ctx, l.name, row)
	if err != nil {
		return false, fmt.Errorf("take lease %s: %w", l.name, err)
	}
	if taken {
		l.seen, l.since = row, now
	}
	return taken, nil
}

// Release gives the lease back, so that another process need not wait for its end.
func (l *Lease) Release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started || l.seen.Holder != l.self {
		return nil
	}
	_, err := l.take(ctx, Row{Beat: l.seen.Beat + 1}, l.now())
	return err
}
