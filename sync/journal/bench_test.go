package journal

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// The benchmarks compare a durable append with the least it can cost on this disk:
// one write of the same bytes into a preallocated file, and one fdatasync. Both run
// in turn in one benchmark, since a shared disk has moods.

const benchEntry = 300

// rawFile writes what a journal writes, without being one.
type rawFile struct {
	f   *os.File
	at  int64
	buf []byte
}

func newRaw(b *testing.B, entries int) *rawFile {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	if err := writeZeros(diskFile{f, syncData}, 0, DefaultSegmentSize); err != nil {
		b.Fatal(err)
	}
	return &rawFile{f: f, buf: make([]byte, entries*(frameSize+benchEntry))}
}

func (r *rawFile) write(b *testing.B) {
	if r.at+int64(len(r.buf)) > DefaultSegmentSize {
		r.at = 0
	}
	r.buf[0]++
	if _, err := r.f.WriteAt(r.buf, r.at); err != nil {
		b.Fatal(err)
	}
	r.at += int64(len(r.buf))
	if err := syncData(r.f); err != nil {
		b.Fatal(err)
	}
}

func benchJournal(b *testing.B) *Journal {
	b.Helper()
	j, err := Open(context.Background(), b.TempDir(), testWriter)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j
}

func BenchmarkAppend1(b *testing.B) {
	entry := make([]byte, benchEntry)
	b.Run("journal", func(b *testing.B) {
		j := benchJournal(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := j.Append(context.Background(), entry); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		r := newRaw(b, 1)
		for b.Loop() {
			r.write(b)
		}
	})
}

// BenchmarkAppend100 has 100 callers; one operation is 100 entries.
func BenchmarkAppend100(b *testing.B) {
	const callers = 100
	entry := make([]byte, benchEntry)
	b.Run("journal", func(b *testing.B) {
		j := benchJournal(b)
		var all sync.WaitGroup
		left := make(chan struct{}, callers)
		for range callers {
			all.Go(func() {
				for range left {
					if _, err := j.Append(context.Background(), entry); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		b.ReportAllocs()
		for b.Loop() {
			for range callers {
				left <- struct{}{}
			}
		}
		close(left)
		all.Wait()
		s := j.Stats()
		b.ReportMetric(float64(s.Entries)/float64(s.Groups), "entries/group")
		runtime.KeepAlive(j)
	})
	b.Run("raw", func(b *testing.B) {
		r := newRaw(b, callers)
		for b.Loop() {
			r.write(b)
		}
	})
}

// BenchmarkOpen is the recovery of 10,000 entries, what a terminal may queue.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	j, err := Open(context.Background(), dir, testWriter, WithSync(func(*os.File) error { return nil }))
	if err != nil {
		b.Fatal(err)
	}
	for range 10_000 {
		if _, err := j.Append(context.Background(), make([]byte, benchEntry)); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(context.Background(), diskFS{dir: dir, sync: syncData}, &testWriter); err != nil {
			b.Fatal(err)
		}
	}
}
