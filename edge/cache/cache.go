package cache

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/edge/till"
)

// Cache is the till's state store on Badger.
type Cache struct{}

// Opened says what Open found.
type Opened struct {
	// Fresh: the store is empty, because there was none or because it was damaged.
	Fresh bool
	// Quarantined is where a damaged store was moved to; empty when there was none.
	Quarantined string
	// Damage is what was wrong with it.
	Damage error
}

var errSkeleton = errors.New("not built yet")

// Open opens the store in the directory dir, or begins a new one.
func Open(ctx context.Context, dir string) (*Cache, Opened, error) {
	return nil, Opened{}, errSkeleton
}

// View runs fn on one consistent look at the store.
func (c *Cache) View(ctx context.Context, fn func(till.View) error) error { return errSkeleton }

// Apply makes all changes or none.
func (c *Cache) Apply(ctx context.Context, changes []till.Change) error { return errSkeleton }

// Reset removes everything.
func (c *Cache) Reset(ctx context.Context) error { return errSkeleton }

// Done is closed when the store has failed: the process must exit.
func (c *Cache) Done() <-chan struct{} { return nil }

// Err returns why Done was closed, or nil.
func (c *Cache) Err() error { return nil }

// Close writes everything out and ends the store.
func (c *Cache) Close() error { return nil }
