package cache

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/problem"
)

const openingName = "opening"

// errCrashed means that the process ended while it opened the store.
var errCrashed = errors.New("the last start ended while it opened the store")

// errHeld means that another process has the mark.
var errHeld = errors.New("another process has this cache open")

// mark is the file that says that the store is being opened: Badger panics in
// goroutines of its own, where nothing can catch it, and a store that ends each
// start must not be opened twice. The file is locked as long as the store is open, so
// that a mark left behind is told from that of a process at work. It is one byte,
// written in place: that works on a full disk too.
type mark struct{ f *os.File }

const (
	markClear = '-'
	markSet   = '!'
)

// claim takes the mark, or answers cache_locked. crashed says that the last process
// that had it left it set.
func claim(dir string) (m *mark, crashed bool, err error) {
	f, err := os.OpenFile(filepath.Join(dir, openingName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open cache's mark: %w", err)
	}
	m = &mark{f}
	if err := lockFile(f); err != nil {
		if errors.Is(err, errHeld) {
			err = problem.Wrap(problem.CacheLocked, err, "")
		}
		return nil, false, errors.Join(err, f.Close())
	}
	var state [1]byte
	if _, err := f.ReadAt(state[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, errors.Join(fmt.Errorf("read cache's mark: %w", err), f.Close())
	}
	return m, state[0] == markSet, nil
}

// write sets or clears the mark, durably.
func (m *mark) write(state byte) error {
	if _, err := m.f.WriteAt([]byte{state}, 0); err != nil {
		return fmt.Errorf("write cache's mark: %w", err)
	}
	if err := m.f.Sync(); err != nil {
		return fmt.Errorf("write cache's mark: %w", err)
	}
	return nil
}

// Close lets go of the lock.
func (m *mark) Close() error { return m.f.Close() }
