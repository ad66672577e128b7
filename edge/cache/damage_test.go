package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/edge/cache"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
)

const (
	batches  = 600
	perBatch = 20
)

// key and value of record n of a batch; every record of a batch names the batch.
func record(batch, n int) (key, value []byte) {
	return fmt.Appendf(nil, "%02d", n), fmt.Appendf(nil, "%d %s", batch, strings.Repeat(string(rune('a'+n)), 400))
}

// filled makes a store of many batches that all write the same records, and leaves it
// as a killed process does: by copying its files while it is open. Some of it is in
// tables, some in the log.
func filled(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	c, _, err := cache.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for b := range batches {
		var changes []till.Change
		for n := range perBatch {
			key, value := record(b, n)
			changes = append(changes, till.Change{Table: till.TableItem, Key: key, Value: value})
		}
		if err := c.Apply(context.Background(), changes); err != nil {
			t.Fatal(err)
		}
	}
	image := still(t, filepath.Join(dir, "db"))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return image
}

// still copies a store once Badger has stopped moving its files: two copies in a row
// are the same.
func still(t testing.TB, db string) string {
	t.Helper()
	last := ""
	for range 1000 {
		image := t.TempDir()
		if err := os.CopyFS(filepath.Join(image, "db"), os.DirFS(db)); err != nil {
			last = ""
			continue
		}
		if last != "" && listing(t, last) == listing(t, image) && strings.Contains(listing(t, image), ".sst") {
			return image // at rest, and what fills a table is in one
		}
		last = image
	}
	t.Fatal("the store does not come to rest")
	return ""
}

// listing is the names and the sizes in use of all files of a store.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var out strings.Builder
	files, err := filepath.Glob(filepath.Join(dir, "db", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, filepath.Base(name), len(raw), len(bytes.TrimRight(raw, "\x00")))
	}
	return out.String()
}

// wholeOrEmpty fails unless the store is as some batch left it, or empty and said so.
func wholeOrEmpty(t *testing.T, c *cache.Cache, opened cache.Opened) (batch int) {
	t.Helper()
	batch = -1
	seen := 0
	err := c.View(context.Background(), func(v till.View) error {
		return v.Scan(till.TableItem, nil, nil, func(key, value []byte) error {
			var b, n int
			if _, err := fmt.Sscanf(string(key), "%d", &n); err != nil {
				return err
			}
			if _, err := fmt.Sscanf(string(value), "%d ", &b); err != nil {
				return err
			}
			if batch >= 0 && b != batch {
				return fmt.Errorf("record %s is of batch %d, others of %d", key, b, batch)
			}
			batch = b
			if _, want := record(b, n); !bytes.Equal(value, want) {
				return fmt.Errorf("record %s is wrong", key)
			}
			seen++
			return nil
		})
	})
	switch {
	case errors.Is(err, till.ErrDamaged):
		return -1 // refused at reading: the process ends, the next Open moves it aside
	case err != nil:
		t.Error(err)
	case opened.Fresh && (seen != 0 || (opened.Damage == nil) != (opened.Quarantined == "")):
		t.Errorf("fresh with %d records: %+v", seen, opened)
	case !opened.Fresh && seen != perBatch && seen != 0:
		t.Errorf("%d records of %d", seen, perBatch)
	}
	return batch
}

func one(t testing.TB, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "db", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return found[len(found)-1]
}

// flip changes a bit of a file, at a part of what is used of it.
func flip(pattern string, part float64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := one(t, dir, pattern)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		used := len(bytes.TrimRight(raw, "\x00"))
		raw[int(float64(used-1)*part)] ^= 4
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(pattern string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(one(t, dir, pattern)); err != nil {
			t.Fatal(err)
		}
	}
}

func empty(pattern string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Truncate(one(t, dir, pattern), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func half(pattern string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := one(t, dir, pattern)
		info, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, info.Size()/2)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamageIsFoundOrLosesWholeBatchesOnly(t *testing.T) {
	image := filled(t)
	for _, c := range []struct {
		name    string
		damage  func(*testing.T, string)
		rebuilt bool // must be found by Open
	}{
		{"nothing", func(*testing.T, string) {}, false},
		{"no MANIFEST", remove("MANIFEST"), true},
		{"bit in MANIFEST", flip("MANIFEST", 0.5), true},
		{"no table", remove("*.sst"), true},
		{"empty table", empty("*.sst"), true},
		{"half a table", half("*.sst"), true},
		{"half a MANIFEST", half("MANIFEST"), true},
		{"half a log", half("*.mem"), false},
		{"bit in a table", flip("*.sst", 0.3), true},
		{"bit in the middle of the log", flip("*.mem", 0.5), false},
		{"bit at the start of the log", flip("*.mem", 0.01), false},
		{"bit at the end of the log", flip("*.mem", 1), false},
		{"no log", remove("*.mem"), false},
		{"empty log", empty("*.mem"), false},
		{"no DISCARD", remove("DISCARD"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(image)); err != nil {
				t.Fatal(err)
			}
			c.damage(t, dir)
			store, opened := open(t, dir)
			batch := wholeOrEmpty(t, store, opened)
			if c.rebuilt != (opened.Damage != nil) {
				t.Errorf("opened %+v", opened)
			}
			if c.name == "nothing" && batch != batches-1 {
				t.Errorf("an undamaged store is at batch %d", batch)
			}
			closed(t, store)
			store, opened = open(t, dir)
			if opened.Damage != nil {
				t.Errorf("opened again: %+v", opened)
			}
			closed(t, store)
		})
	}
}

// Single bits anywhere in any file, a hundred (twenty under the race detector):
// what is read is always a state that was once written whole.
func TestAnyFlippedBitIsFoundOrLosesWholeBatchesOnly(t *testing.T) {
	image := filled(t)
	files, err := fs.Glob(os.DirFS(image), "db/*")
	if err != nil {
		t.Fatal(err)
	}
	state := uint64(1) // a linear congruential generator: the same bits each time
	next := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int((state >> 33) % uint64(n))
	}
	bits := 100
	if raceEnabled {
		bits = 20
	}
	for i := range bits {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(image)); err != nil {
			t.Fatal(err)
		}
		name := files[i%len(files)]
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		used := len(bytes.TrimRight(raw, "\x00"))
		if used == 0 {
			continue
		}
		at := next(used)
		raw[at] ^= 1 << next(8)
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		store, opened := open(t, dir)
		wholeOrEmpty(t, store, opened)
		_ = store.Close() // one that read damage may not close well
		if t.Failed() {
			t.Fatalf("after a bit at %d of %s", at, name)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// A table that is cut anywhere is found before Badger can end the process over it.
func TestCutTableIsFound(t *testing.T) {
	image := filled(t)
	raw, err := os.ReadFile(one(t, image, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 4, 100, len(raw) / 3, len(raw) / 2, len(raw) - 200, len(raw) - 5, len(raw) - 1} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(image)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(one(t, dir, "*.sst"), int64(size)); err != nil {
			t.Fatal(err)
		}
		store, opened := open(t, dir)
		if opened.Damage == nil || !opened.Fresh {
			t.Errorf("cut to %d bytes: opened %+v", size, opened)
		}
		closed(t, store)
	}
}

// A process that ended while it opened the store leaves the mark; the next one sets
// the store aside instead of ending over it too.
func TestStoreThatEndedTheProcessIsSetAside(t *testing.T) {
	dir := filled(t)
	if err := os.WriteFile(filepath.Join(dir, "opening"), []byte("!"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, opened := open(t, dir)
	if !opened.Fresh || opened.Damage == nil || opened.Quarantined == "" {
		t.Errorf("opened %+v", opened)
	}
	closed(t, store)
	store, opened = open(t, dir)
	if opened.Fresh || opened.Damage != nil {
		t.Errorf("opened again: %+v", opened)
	}
	closed(t, store)
}

func TestLockedCacheIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	first, _ := open(t, dir)
	_, opened, err := cache.Open(context.Background(), dir)
	if problem.CodeOf(err) != problem.CacheLocked || opened.Quarantined != "" {
		t.Errorf("opened %+v, %v", opened, err)
	}
	if err := first.Apply(context.Background(), []till.Change{{Table: 1, Key: []byte("a"), Value: []byte("1")}}); err != nil {
		t.Error(err)
	}
	closed(t, first)
}

func TestOnlyTheLastTwoDamagedStoresAreKept(t *testing.T) {
	dir := t.TempDir()
	for range 4 {
		c, _ := open(t, dir)
		closed(t, c)
		if err := os.Remove(filepath.Join(dir, "db", "MANIFEST")); err != nil {
			t.Fatal(err)
		}
	}
	c, opened := open(t, dir)
	closed(t, c)
	kept, err := filepath.Glob(filepath.Join(dir, "damaged-*"))
	if err != nil || len(kept) != 2 || filepath.Base(kept[1]) != "damaged-0004" || opened.Quarantined != kept[1] {
		t.Errorf("kept %q, %v, opened %+v", kept, err, opened)
	}
}
