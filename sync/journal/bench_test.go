package journal

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// The benchmarks compare a durable append with the least it can cost on this disk:
// one write of the same bytes into a preallocated file, and one fdatasync. "raw"
// preallocates as it goes, as a journal must; "reused" writes over one file for ever
// and so spends nothing on that.

const benchEntry = 300

// rawFile writes what a journal writes, without being one.
type rawFile struct {
	b     *testing.B
	reuse bool
	f     *os.File
	at    int64
	buf   []byte
}

func newRaw(b *testing.B, entries int, reuse bool) *rawFile {
	b.Helper()
	r := &rawFile{b: b, reuse: reuse, buf: make([]byte, entries*(frameSize+benchEntry))}
	r.next()
	b.Cleanup(func() { _ = r.f.Close() })
	return r
}

func (r *rawFile) next() {
	if r.at = 0; r.f != nil {
		_ = r.f.Close()
	}
	f, err := os.Create(filepath.Join(r.b.TempDir(), "raw"))
	if err != nil {
		r.b.Fatal(err)
	}
	r.f = f
	if err := writeZeros(diskFile{f, syncData}, 0, DefaultSegmentSize); err != nil {
		r.b.Fatal(err)
	}
}

func (r *rawFile) write() {
	if r.at+int64(len(r.buf)) > DefaultSegmentSize {
		if r.at = 0; !r.reuse {
			r.next()
		}
	}
	r.buf[0]++
	if _, err := r.f.WriteAt(r.buf, r.at); err != nil {
		r.b.Fatal(err)
	}
	r.at += int64(len(r.buf))
	if err := syncData(r.f); err != nil {
		r.b.Fatal(err)
	}
}

func benchRaw(b *testing.B, entries int) {
	for _, name := range []string{"raw", "reused"} {
		b.Run(name, func(b *testing.B) {
			r := newRaw(b, entries, name == "reused")
			for b.Loop() {
				r.write()
			}
		})
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
	benchRaw(b, 1)
}

// BenchmarkAppend100 appends 100 entries a group: one caller with all of them, and
// 100 callers with one each. One operation is 100 entries.
func BenchmarkAppend100(b *testing.B) {
	const callers = 100
	entry := make([]byte, benchEntry)
	b.Run("journal", func(b *testing.B) {
		j := benchJournal(b)
		entries := make([][]byte, callers)
		for i := range entries {
			entries[i] = entry
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := j.AppendAll(context.Background(), entries); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("callers", func(b *testing.B) {
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
	})
	benchRaw(b, callers)
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
