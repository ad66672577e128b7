package sim

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/edge/till"
)

// cells is a till's state store. The till writes to it in two streams: what HQ said,
// while the caller waits, and what the journal says, a little later and from a goroutine
// of its own. So that one seed stays one run, what a crash leaves never depends on how
// far that goroutine has come: see [cells.crashed].
type cells struct {
	mu     sync.Mutex
	now    tables // everything
	told   tables // without what the journal's stream wrote since the store was opened
	synced tables // told, as of the last Sync
}

// tables are sorted and never changed in place.
type tables [64][]cell

type cell struct{ key, value []byte }

func newCells() *cells { return &cells{} }

// View runs fn on the store as it is now.
func (s *cells) View(ctx context.Context, fn func(till.View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	return fn(now)
}

// Apply makes all changes or none.
func (s *cells) Apply(_ context.Context, changes []till.Change) error {
	for _, c := range changes {
		if len(c.Key) == 0 {
			return errors.New("empty key")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.with(changes)
	if last := changes[len(changes)-1]; last.Table != till.TableMeta || string(last.Key) != "position" {
		s.told = s.told.with(changes)
	}
	return nil
}

// Sync makes what HQ said so far durable.
func (s *cells) Sync(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = s.told
	return nil
}

// Reset removes everything.
func (s *cells) Reset(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.told, s.synced = tables{}, tables{}, tables{}
	return nil
}

// opened says that everything that is in the store is durable.
func (s *cells) opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told, s.synced = s.now, s.now
}

// crashed is the store as the next start finds it: with everything the journal said, or
// with nothing of it since the last opening, and then perhaps only with those words of
// HQ that were synced. All three are what a real store may leave. The till's writer has
// ended; told and synced are those from before that.
func (s *cells) crashed(told, synced tables, how int) *cells {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &cells{now: [...]tables{s.now, told, synced}[how]}
	out.opened()
	return out
}

func (s *cells) streams() (told, synced tables) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told, s.synced
}

// image is a copy of the store, with nothing of what its writer may or may not have
// written yet.
func (s *cells) image() *cells {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &cells{now: s.told}
	out.opened()
	return out
}

func find(rows []cell, key []byte) (int, bool) {
	return slices.BinarySearchFunc(rows, key, func(c cell, key []byte) int { return bytes.Compare(c.key, key) })
}

func (t tables) with(changes []till.Change) tables {
	var own [64]bool
	for _, c := range changes {
		if !own[c.Table] {
			t[c.Table], own[c.Table] = slices.Clone(t[c.Table]), true
		}
		rows := t[c.Table]
		i, there := find(rows, c.Key)
		switch row := (cell{bytes.Clone(c.Key), bytes.Clone(c.Value)}); {
		case c.Value == nil && there:
			rows = slices.Delete(rows, i, i+1)
		case c.Value == nil:
		case there:
			rows[i] = row
		default:
			rows = slices.Insert(rows, i, row)
		}
		t[c.Table] = rows
	}
	return t
}

// Get returns the value, or till.ErrAbsent.
func (t tables) Get(table till.Table, key []byte) ([]byte, error) {
	i, there := find(t[table], key)
	if !there {
		return nil, till.ErrAbsent
	}
	return bytes.Clone(t[table][i].value), nil
}

// Scan calls fn for the keys with a prefix, from a key on.
func (t tables) Scan(table till.Table, prefix, from []byte, fn func(key, value []byte) error) error {
	if bytes.Compare(from, prefix) < 0 {
		from = prefix
	}
	i, _ := find(t[table], from)
	for ; i < len(t[table]) && bytes.HasPrefix(t[table][i].key, prefix); i++ {
		if err := fn(bytes.Clone(t[table][i].key), bytes.Clone(t[table][i].value)); err != nil {
			return err
		}
	}
	return nil
}
