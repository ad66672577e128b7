package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	// entryBytes is about the size of a sale with three lines.
	entryBytes = 300
	// frameBytes is what the journal's frame adds, roughly; the raw file writes it too.
	frameBytes = 32
	// measured is how long one round of a rate takes.
	measured = 700 * time.Millisecond
)

var writer = journal.Writer{ID: uuid.MustParse("0190e7a0-0000-7000-8000-000000000002"), Epoch: 1}

// rate calls do until the time is up and returns how many it did a second.
func rate(do func() int) float64 {
	began, n := time.Now(), 0
	for time.Since(began) < measured {
		n += do()
	}
	return float64(n) / time.Since(began).Seconds()
}

func journalAppend1(t *testing.T) []benchtable.Result {
	return []benchtable.Result{journalAppend(t, "journal_append_1", 1)}
}

func journalAppend100(t *testing.T) []benchtable.Result {
	return []benchtable.Result{journalAppend(t, "journal_append_100", 100)}
}

// journalAppend compares the journal with group entries a sync against a raw file
// that is preallocated in pieces of the same size, as it goes.
func journalAppend(t *testing.T, name string, group int) benchtable.Result {
	entries := make([][]byte, group)
	for i := range entries {
		entries[i] = make([]byte, entryBytes)
	}
	j, err := journal.Open(t.Context(), t.TempDir(), writer)
	must(t, err)
	raw := newRaw(t)
	value, baseline := paired(func() float64 {
		return rate(func() int {
			_, err := j.AppendAll(t.Context(), entries)
			must(t, err)
			return group
		})
	}, func() float64 {
		return rate(func() int {
			raw.append(t, group*(entryBytes+frameBytes))
			return group
		})
	})
	closed(t, j, raw)
	return benchtable.Against(name, "entries/s", value, baseline, benchtable.RatioAtLeast(0.8))
}

// raw is the least a durable append can be: one write into a preallocated file and
// one fdatasync.
type raw struct {
	dir   string
	f     *os.File
	at    int64
	files int
	bytes []byte
}

func newRaw(t *testing.T) *raw {
	t.Helper()
	r := &raw{dir: t.TempDir(), bytes: make([]byte, 64<<10)}
	for i := range r.bytes {
		r.bytes[i] = byte(i) | 1
	}
	r.next(t)
	return r
}

// next preallocates the next file, with zeros, on the disk.
func (r *raw) next(t *testing.T) {
	t.Helper()
	if r.f != nil {
		must(t, r.f.Close())
		must(t, os.Remove(r.f.Name()))
	}
	r.files++
	f, err := os.Create(filepath.Join(r.dir, "raw"))
	must(t, err)
	_, err = f.Write(make([]byte, journal.DefaultSegmentSize))
	must(t, err)
	must(t, f.Sync())
	r.f, r.at = f, 0
}

func (r *raw) append(t *testing.T, n int) {
	t.Helper()
	if r.at+int64(n) > journal.DefaultSegmentSize {
		r.next(t)
	}
	_, err := r.f.WriteAt(r.bytes[:n], r.at)
	must(t, err)
	r.at += int64(n)
	must(t, fdatasync(r.f))
}

// Close ends the file.
func (r *raw) Close() error { return r.f.Close() }
