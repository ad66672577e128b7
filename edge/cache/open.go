package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	badger "github.com/dgraph-io/badger/v4"
	badgeroptions "github.com/dgraph-io/badger/v4/options"

	"github.com/tallystick/tallystick/internal/problem"
)

// Opened says what Open found.
type Opened struct {
	// Fresh: the store is empty, because there was none or because it was damaged.
	Fresh bool
	// Quarantined is where a damaged store was moved to; empty when there was none.
	Quarantined string
	// Damage is what was wrong with it.
	Damage error
}

const (
	dbName      = "db"
	suspectName = "suspect"
	damagedName = "damaged-"
	keptDamaged = 2
)

// errSuspect means that damage was read before the last end of the process.
var errSuspect = errors.New("damage was read from the store")

// Open opens the store in the directory dir, or begins a new one. A store that is
// damaged, was written under another schema, or ended the last process while it was
// opened, is moved aside. One that another process uses is left alone: the error is
// cache_locked.
func Open(ctx context.Context, dir string) (_ *Cache, opened Opened, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Opened{}, fmt.Errorf("open cache: %w", err)
	}
	m, crashed, err := claim(dir)
	if err != nil {
		return nil, Opened{}, fmt.Errorf("open cache: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	c, opened, err := openOrBegin(ctx, dir, m, crashed)
	if err != nil {
		return nil, opened, err
	}
	c.mark = m
	return c, opened, nil
}

// openOrBegin opens the store, or moves it aside and begins another.
func openOrBegin(ctx context.Context, dir string, m *mark, crashed bool) (*Cache, Opened, error) {
	c, err := (*Cache)(nil), errCrashed
	if _, statErr := os.Stat(filepath.Join(dir, dbName)); !crashed || errors.Is(statErr, os.ErrNotExist) {
		c, err = openMarked(dir, m)
	}
	switch {
	case err == nil:
		return c, Opened{Fresh: c.fresh}, nil
	case isLocked(err):
		return nil, Opened{}, problem.Wrap(problem.CacheLocked, err, "")
	case ctx.Err() != nil:
		return nil, Opened{}, ctx.Err()
	}
	opened := Opened{Fresh: true, Damage: err}
	if opened.Quarantined, err = quarantine(dir); err != nil {
		return nil, opened, fmt.Errorf("move damaged cache aside: %w", err)
	}
	if c, err = openMarked(dir, m); err != nil {
		return nil, opened, fmt.Errorf("begin a new cache: %w", err)
	}
	return c, opened, nil
}

// openMarked opens the store under the mark, which an error clears too: it stays only
// when the process ends in between.
func openMarked(dir string, m *mark) (*Cache, error) {
	if err := m.write(markSet); err != nil {
		return nil, err
	}
	c, err := openStore(dir)
	if clearErr := m.write(markClear); clearErr != nil {
		err = errors.Join(err, clearErr)
		if c != nil {
			err = errors.Join(err, c.db.Close())
		}
		return nil, err
	}
	return c, err
}

// openStore opens db as it is, and answers an error when it cannot be trusted.
func openStore(dir string) (*Cache, error) {
	path := filepath.Join(dir, dbName)
	if err := errors.Join(checkFiles(path), checkTables(path)); err != nil {
		return nil, err
	}
	db, err := openBadger(path)
	if err != nil {
		return nil, err
	}
	c := newCache(dir, db)
	// The lock is ours from here on, so the mark is about this store.
	if _, statErr := os.Stat(filepath.Join(dir, suspectName)); statErr == nil {
		err = errSuspect
	}
	if err == nil {
		err = c.begin()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

// checkFiles refuses a directory with data and no MANIFEST: Badger would delete the
// tables and open as empty, without a word.
func checkFiles(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read cache directory: %w", err)
	}
	data := false
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".sst", ".mem", ".vlog":
			data = true
		}
		if e.Name() == badger.ManifestFilename {
			return nil
		}
	}
	if data {
		return errors.New("cache has data files but no MANIFEST")
	}
	return nil
}

// openBadger tries again once when a crash left a file without size: the first try
// gives it one.
func openBadger(path string) (db *badger.DB, err error) {
	for range 2 {
		db, err = tryBadger(path)
		if err == nil || !strings.Contains(err.Error(), "Create a new file") {
			break
		}
	}
	return db, err
}

func tryBadger(path string) (db *badger.DB, err error) {
	// Badger panics on some damaged tables.
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("open badger: panic: %v", r)
		}
	}()
	if db, err = badger.Open(options(path)); err != nil {
		return nil, fmt.Errorf("open badger: %w", err)
	}
	return db, nil
}

// options are those of a small device. checkTable relies on tables that are neither
// compressed nor encrypted.
func options(path string) badger.Options {
	return badger.DefaultOptions(path).
		WithLogger(nil).
		WithSyncWrites(false).
		WithMemTableSize(4 << 20).WithNumMemtables(2).
		WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(8).WithNumCompactors(2).
		WithBaseTableSize(2 << 20).WithBaseLevelSize(8 << 20).
		WithCompression(badgeroptions.None).WithBlockCacheSize(0).WithIndexCacheSize(0).
		WithValueLogFileSize(8 << 20).WithValueThreshold(128 << 10).
		WithMetricsEnabled(false).WithNumGoroutines(1).
		WithVerifyValueChecksum(true).
		WithDetectConflicts(false).
		// checkTables has read every table. Badger would read them once more, through maps
		// that then count as memory of the process: 150 MB with a million members.
		WithChecksumVerificationMode(badgeroptions.NoVerification)
}

// isLocked recognises Badger's refusal of a directory that somebody has open; it
// has no error value for it.
func isLocked(err error) bool {
	return strings.Contains(err.Error(), "Another process is using this Badger database")
}

// quarantine moves db aside and removes all but the latest such directories. It
// returns the new place, empty when there was nothing to move.
func quarantine(dir string) (string, error) {
	old, err := filepath.Glob(filepath.Join(dir, damagedName+"*"))
	if err != nil {
		return "", err
	}
	slices.Sort(old)
	number := 1
	if len(old) > 0 {
		last := strings.TrimPrefix(filepath.Base(old[len(old)-1]), damagedName)
		if _, err := fmt.Sscanf(last, "%d", &number); err != nil {
			return "", fmt.Errorf("read number of %s: %w", old[len(old)-1], err)
		}
		number++
	}
	place := filepath.Join(dir, fmt.Sprintf("%s%04d", damagedName, number))
	if err := os.Rename(filepath.Join(dir, dbName), place); err != nil {
		return "", err
	}
	if err := os.Remove(filepath.Join(dir, suspectName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return place, err
	}
	for len(old) > keptDamaged-1 {
		if err := os.RemoveAll(old[0]); err != nil {
			return place, err
		}
		old = old[1:]
	}
	return place, nil
}
