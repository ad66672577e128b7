package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testWriter = Writer{ID: uuid.MustParse("0192f0c4-7d5a-7cc3-98c4-dc0c0c07398f"), Epoch: 3}

// fatal is what tests and rapid have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func openSim(t fatal, d FS, size int) *Journal {
	t.Helper()
	j, err := Open(context.Background(), "", testWriter, WithFS(d), WithSegmentSize(size))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j
}

func openDir(t *testing.T, dir string, opts ...Option) *Journal {
	t.Helper()
	j, err := Open(context.Background(), dir, testWriter, opts...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func mustAppend(t fatal, j *Journal, entry []byte) Position {
	t.Helper()
	pos, err := j.Append(context.Background(), entry)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return pos
}

func mustClose(t fatal, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// checkHolds fails unless s holds exactly the entries of want from first on.
func checkHolds(t fatal, s *shelf, first uint64, want [][]byte) {
	t.Helper()
	ctx := context.Background()
	hashes := HashRun(s.Writer(), Head{}, want)
	if got := s.Head(); got.Seq != uint64(len(want)) || (got.Seq > 0 && got.Hash != hashes[got.Seq-1]) {
		t.Fatalf("head %v, want entry %d", got, len(want))
	}
	next := first
	err := s.Each(ctx, first, func(at Head, entry []byte) error {
		if at.Seq != next || at.Hash != hashes[next-1] || string(entry) != string(want[next-1]) {
			return fmt.Errorf("entry %d is %v %q, want %q", next, at, entry, want[next-1])
		}
		next++
		return nil
	})
	if err != nil || next != uint64(len(want))+1 {
		t.Fatalf("read up to %d of %d: %v", next-1, len(want), err)
	}
}

func TestAppendReadReopen(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	j := openDir(t, dir, WithSegmentSize(4096))
	if r := j.Report(); !r.Created || r.HeadFileLost {
		t.Fatalf("report %+v", r)
	}
	var want [][]byte
	for i := range 200 {
		want = append(want, fmt.Appendf(nil, "entry %d", i))
		if pos := mustAppend(t, j, want[i]); pos.Seq != uint64(i+1) {
			t.Fatalf("entry %d got number %d", i, pos.Seq)
		}
	}
	checkHolds(t, &j.shelf, 1, want)
	if j.Stats().Segments < 3 {
		t.Fatalf("no segment was left: %+v", j.Stats())
	}
	if _, err := Open(ctx, dir, testWriter); !errors.Is(err, ErrLocked) {
		t.Fatalf("second open: %v, want ErrLocked", err)
	}
	mustClose(t, j)
	if _, err := j.Append(ctx, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Fatalf("append after close: %v", err)
	}
	for range 3 {
		j = openDir(t, dir, WithSegmentSize(8192))
		if r := j.Report(); r != (Report{}) {
			t.Fatalf("report %+v, want nothing", r)
		}
		want = append(want, []byte("again"))
		mustAppend(t, j, want[len(want)-1])
		checkHolds(t, &j.shelf, 1, want)
		mustClose(t, j)
	}
	r, err := OpenReadOnly(ctx, dir)
	if err != nil || r.Damage() != nil || r.Writer() != testWriter {
		t.Fatalf("read only: %v", err)
	}
	checkHolds(t, &r.shelf, 1, want)
	if _, err := OpenReadOnly(ctx, filepath.Join(dir, "nowhere")); err == nil {
		t.Fatal("opened a directory that is not there")
	}
}

func TestReadBounds(t *testing.T) {
	j := openDir(t, t.TempDir(), WithSegmentSize(4096))
	ctx := context.Background()
	var want [][]byte
	for i := range 100 {
		want = append(want, fmt.Appendf(nil, "%010d", i))
		mustAppend(t, j, want[i])
	}
	hashes := HashRun(testWriter, Head{}, want)
	for _, c := range []struct {
		from             uint64
		entries, bytes   int
		wantFrom, wantTo int
	}{
		{1, 10, 1 << 20, 0, 10},
		{1, 1000, 1 << 20, 0, 100},
		{50, 1000, 35, 49, 52},
		{50, 1000, 1, 49, 50},
		{100, 5, 100, 99, 100},
		{101, 5, 100, 100, 100},
	} {
		run, err := j.Read(ctx, c.from, c.entries, c.bytes)
		if err != nil || len(run.Entries) != c.wantTo-c.wantFrom || run.Prev.Seq != c.from-1 {
			t.Fatalf("%+v: %d entries after %v: %v", c, len(run.Entries), run.Prev, err)
		}
		if c.from > 1 && run.Prev.Hash != hashes[c.from-2] {
			t.Fatalf("%+v: wrong hash before", c)
		}
		if last := run.Last(); last.Seq != uint64(c.wantTo) || last.Hash != hashes[c.wantTo-1] {
			t.Fatalf("%+v: last %v", c, last)
		}
	}
	for seq := range uint64(101) {
		h, err := j.HashAt(ctx, seq)
		if err != nil || (seq > 0 && h != hashes[seq-1]) || (seq == 0 && h != Genesis) {
			t.Fatalf("hash at %d: %v %v", seq, h, err)
		}
	}
	var gap *GapError
	if _, err := j.Read(ctx, 102, 1, 1); !errors.As(err, &gap) || gap.Want != 101 || gap.Got != 102 {
		t.Fatalf("read past the head: %v", err)
	}
	if _, err := j.HashAt(ctx, 101); !errors.As(err, &gap) {
		t.Fatalf("hash past the head: %v", err)
	}
	if _, err := j.Read(ctx, 0, 1, 1); !errors.As(err, &gap) {
		t.Fatalf("read entry 0: %v", err)
	}
}

func TestAppendRefusals(t *testing.T) {
	j := openDir(t, t.TempDir(), WithSegmentSize(4096))
	ctx := context.Background()
	broken := errors.New("cannot build")
	done, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		b    func(uint64) ([]byte, error)
		want error
	}{
		{"empty", ctx, func(uint64) ([]byte, error) { return nil, nil }, ErrEmpty},
		{"large", ctx, func(uint64) ([]byte, error) { return make([]byte, j.MaxEntry()+1), nil }, ErrTooLarge},
		{"panic", ctx, func(uint64) ([]byte, error) { panic("in build") }, nil},
		{"build", ctx, func(uint64) ([]byte, error) { return nil, broken }, broken},
		{"context", done, func(uint64) ([]byte, error) { return []byte("x"), nil }, context.Canceled},
	} {
		if _, err := j.AppendFunc(c.ctx, c.b); err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	largest := make([]byte, j.MaxEntry())
	for range 3 {
		mustAppend(t, j, largest)
	}
	checkHolds(t, &j.shelf, 1, [][]byte{largest, largest, largest})
	if _, err := Open(ctx, t.TempDir(), testWriter, WithSegmentSize(100)); err == nil {
		t.Error("opened with a segment size of 100")
	}
}

// TestConcurrentAppend checks that what each caller is told is what is stored, and
// that callers share groups.
func TestConcurrentAppend(t *testing.T) {
	j := openDir(t, t.TempDir(), WithSegmentSize(64<<10))
	const callers, each = 32, 50
	told := make([][]byte, callers*each+1)
	var mu sync.Mutex
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				var entry []byte
				pos, err := j.AppendFunc(context.Background(), func(seq uint64) ([]byte, error) {
					entry = fmt.Appendf(nil, "%d: caller %d, %d", seq, c, i)
					return entry, nil
				})
				if err != nil || string(entry[:len(fmt.Sprint(pos.Seq))]) != fmt.Sprint(pos.Seq) {
					t.Errorf("append: %v, %q at %v", err, entry, pos)
					return
				}
				mu.Lock()
				told[pos.Seq] = entry
				mu.Unlock()
			}
		})
	}
	all.Wait()
	checkHolds(t, &j.shelf, 1, told[1:])
	if s := j.Stats(); s.Entries != callers*each || s.LargestGroup < 2 || s.Groups >= s.Entries {
		t.Errorf("nothing was grouped: %+v", s)
	}
}

func TestAppendAll(t *testing.T) {
	j := openDir(t, t.TempDir())
	ctx := context.Background()
	var want [][]byte
	for i := range 40 {
		want = append(want, make([]byte, MaxEntrySize-i))
	}
	places, err := j.AppendAll(ctx, want)
	if err != nil || len(places) != 40 || places[39] != j.Head() {
		t.Fatalf("append all: %v at %v", err, j.Head())
	}
	if s := j.Stats(); s.LargestGroup*MaxEntrySize > maxGroupSize || s.Groups > 5 {
		t.Fatalf("groups are too large or too many: %+v", s)
	}
	places, err = j.AppendAll(ctx, [][]byte{{1}, {}, {2}})
	if !errors.Is(err, ErrEmpty) || places[0].Seq != 41 || places[1].Seq != 0 || places[2].Seq != 42 {
		t.Fatalf("with an empty entry: %v, %v", places, err)
	}
	want = append(want, []byte{1}, []byte{2})
	checkHolds(t, &j.shelf, 1, want)
	mustClose(t, j)
	if _, err := j.AppendAll(ctx, want); !errors.Is(err, ErrClosed) {
		t.Fatalf("after close: %v", err)
	}
	checkHolds(t, &openDir(t, j.options.fs.(diskFS).dir).shelf, 1, want)
}

func TestPrune(t *testing.T) {
	d := newSimDisk()
	ctx := context.Background()
	j := openSim(t, d, 4096)
	var want [][]byte
	for i := range 150 {
		want = append(want, fmt.Appendf(nil, "entry %03d", i))
		mustAppend(t, j, want[i])
	}
	if err := j.Prune(ctx, 100); err != nil {
		t.Fatal(err)
	}
	first := j.First()
	if first < 2 || first > 100 {
		t.Fatalf("first is %d after pruning below 100", first)
	}
	checkHolds(t, &j.shelf, first, want)
	if _, err := j.Read(ctx, first-1, 1, 1); !errors.Is(err, ErrPruned) {
		t.Fatalf("read of a pruned entry: %v", err)
	}
	if h, err := j.HashAt(ctx, first-1); err != nil || h != HashRun(testWriter, Head{}, want)[first-2] {
		t.Fatalf("hash before the oldest: %v", err)
	}
	mustClose(t, j)
	j = openSim(t, d, 4096)
	checkHolds(t, &j.shelf, first, want)
	if err := j.Prune(ctx, 1<<60); err != nil || j.Stats().Segments != 1 {
		t.Fatalf("prune all: %v, %+v", err, j.Stats())
	}
	checkHolds(t, &j.shelf, j.First(), want)
	mustClose(t, j)
	names, _ := d.List()
	oldest := names[slices.IndexFunc(names, func(n string) bool { _, ok := parseSegmentName(n); return ok })]
	if err := d.Remove(oldest); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, "", testWriter, WithFS(d)); !isDamage(err) {
		t.Fatalf("open without the oldest segment: %v", err)
	}
}

// TestModel runs random appends, kills, power cuts, prunes and reopens against a
// slice.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newSimDisk()
		j := openSim(t, d, 4096)
		var want [][]byte
		defer func() { _ = j.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "count") {
					e := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "entry")
					want = append(want, e)
					if pos := mustAppend(t, j, e); pos.Seq != uint64(len(want)) {
						t.Fatalf("entry %d got number %d", len(want), pos.Seq)
					}
				}
			},
			"reopen": func(t *rapid.T) {
				mustClose(t, j)
				j = openSim(t, d, rapid.SampledFrom([]int{4096, 5000, 8192}).Draw(t, "size"))
			},
			"power cut": func(t *rapid.T) {
				d.powerOff()
				_ = j.Close()
				d = d.afterCut(seeded(rapid.Uint64().Draw(t, "cut")))
				j = openSim(t, d, 4096)
			},
			"prune": func(t *rapid.T) {
				below := rapid.Uint64Range(0, uint64(len(want))).Draw(t, "below")
				allowed := max(below, j.First())
				if err := j.Prune(context.Background(), below); err != nil || j.First() > allowed {
					t.Fatalf("prune below %d: %v, first %d", below, err, j.First())
				}
			},
			"": func(t *rapid.T) { checkHolds(t, &j.shelf, j.First(), want) },
		})
	})
}
