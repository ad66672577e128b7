package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/platter"
)

// specimen is a small journal of two segments and a spare, and what it holds.
type specimen struct {
	disk    *simDisk
	entries [][]byte
	ends    map[uint64]int // where the frames of each segment end
	tail    int            // where the last group of the last segment begins
}

// newSpecimen makes one that was closed, or lost its power right after the last
// acknowledgement. The head file is as the running system saw it.
func newSpecimen(t *testing.T, closed bool) specimen {
	t.Helper()
	s := specimen{disk: newSimDisk(), ends: map[uint64]int{}}
	j := openSim(t, s.disk, 4096)
	for i := range 14 {
		s.entries = append(s.entries, fmt.Appendf(nil, "entry %d %0300d", i, i))
		mustAppend(t, j, s.entries[i])
	}
	settle(j)
	if closed {
		mustClose(t, j)
		s.disk = s.disk.clone()
	} else {
		before := s.disk.clone()
		mustClose(t, j)
		s.disk = before
	}
	var buf [4096]byte
	found, err := load(context.Background(), s.disk, &testWriter)
	if err != nil || len(found.segments) != 2 || len(found.spares) != 1 {
		t.Fatalf("specimen: %d segments, %v", len(found.segments), err)
	}
	for i, seg := range found.segments {
		f, _ := s.disk.Open(segmentName(seg.header.index), false)
		_, _ = f.ReadAt(buf[:], 0)
		want := expect{index: seg.header.index, writer: &testWriter}
		sc, err := scanSegment(buf[:], want, func(Head) {})
		if err != nil {
			t.Fatal(err)
		}
		s.ends[uint64(i+1)], s.tail = sc.end, sc.tail
	}
	return s
}

// bytes returns the bytes of a file, to be changed in place.
func (s specimen) bytes(name string) []byte { return s.disk.Files[name].Data }

// judge loads the specimen and returns how many entries it answers with and the
// error. It fails the test when any entry answered is wrong.
func (s specimen) judge(t *testing.T, what string) (int, error) {
	t.Helper()
	found, err := load(context.Background(), s.disk, &testWriter)
	if err != nil && !isDamage(err) {
		t.Fatalf("%s: %v is no verdict", what, err)
	}
	if len(found.segments) == 0 {
		return 0, err
	}
	head := found.last.head
	if head.Seq > uint64(len(s.entries)) || head.Hash != headsOf(s.entries)[head.Seq] {
		t.Fatalf("%s: silently wrong: head %v, %v", what, head, err)
	}
	return int(head.Seq), err
}

// headsOf returns the hash at each number, from Genesis on. It is asked for the same
// entries all the time.
func headsOf(entries [][]byte) []Hash {
	if len(knownHeads) != len(entries)+1 {
		knownHeads = append([]Hash{Genesis}, HashRun(testWriter, Head{}, entries)...)
	}
	return knownHeads
}

var knownHeads []Hash

// forget makes the head file as old as it can be after a power cut: it saw only
// the opening.
func (s specimen) forget() {
	head := s.bytes(headName)
	clear(head)
	var slot [slotSize]byte
	encodeSlot(&slot, testWriter, sighting{group: 1})
	copy(head[slotOffset(1):], slot[:])
}

// TestG6_EveryBitFlip flips every bit of every file, one at a time. A flip in
// anything that was durable must be named; one in the padding must change nothing.
// Only where the head file is too old may the last group be cut off instead.
func TestG6_EveryBitFlip(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, c := range []struct {
		name           string
		closed, forget bool
	}{{"closed", true, false}, {"closed, old head file", true, true}, {"crashed", false, false}, {"crashed, old head file", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := newSpecimen(t, c.closed)
			if c.forget {
				s.forget()
			}
			flips, cut := 0, 0
			for index := uint64(1); index <= 3; index++ {
				data := s.bytes(segmentName(index))
				for bit := 0; bit < 8*len(data); bit += step {
					at := bit / 8
					data[at] ^= 1 << (bit % 8)
					what := fmt.Sprintf("segment %d, bit %d of byte %d", index, bit%8, at)
					n, err := s.judge(t, what)
					data[at] ^= 1 << (bit % 8)
					flips++
					switch {
					case at >= s.ends[index]:
						if err != nil || n != len(s.entries) {
							t.Fatalf("%s is padding: %d entries, %v", what, n, err)
						}
					case c.forget && index == 2 && at >= s.tail && err == nil:
						cut++
						if last := len(s.entries) - n; last > 1 || (c.closed && last > 0) {
							t.Fatalf("%s cost %d entries", what, last)
						}
					case err == nil:
						t.Fatalf("%s was not found", what)
					}
				}
			}
			t.Logf("%d flips, %d of them cut the last group", flips, cut)
		})
	}
}

// TestHeadFileFlips: no damage to one slot of the head file harms the journal.
func TestHeadFileFlips(t *testing.T) {
	s := newSpecimen(t, false)
	data := s.bytes(headName)
	for bit := range 8 * len(data) {
		data[bit/8] ^= 1 << (bit % 8)
		if n, err := s.judge(t, "head file"); err != nil || n != len(s.entries) {
			t.Fatalf("bit %d: %d entries, %v", bit, n, err)
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
}

// TestG6_EveryTruncation cuts every file at every length.
func TestG6_EveryTruncation(t *testing.T) {
	for _, state := range []string{"current", "old", "missing"} {
		for _, closed := range []bool{true, false} {
			s := newSpecimen(t, closed)
			switch state {
			case "old":
				s.forget()
			case "missing":
				delete(s.disk.Files, headName)
			}
			for index := uint64(1); index <= 3; index++ {
				node := s.disk.Files[segmentName(index)]
				whole := node.Data
				for n := range len(whole) {
					node.Data = whole[:n]
					what := fmt.Sprintf("head file %s, segment %d cut to %d", state, index, n)
					got, err := s.judge(t, what)
					switch {
					case n >= s.ends[index] && state != "missing":
						if err != nil || got != len(s.entries) {
							t.Fatalf("%s: only padding was lost: %d entries, %v", what, got, err)
						}
					case err != nil, state == "old" && index == 2:
						// Named; or a torn write as far as an old head file can tell.
					case index == 1 && n >= s.ends[1]:
						// Nothing is missing.
					default:
						t.Fatalf("%s was not found", what)
					}
				}
				node.Data = whole
			}
		}
	}
}

// TestG6_FilesMissingOrForeign covers whole files.
func TestG6_FilesMissingOrForeign(t *testing.T) {
	other := newSimDisk()
	j, err := Open(context.Background(), "", Writer{ID: testWriter.ID, Epoch: 4}, WithFS(other), WithSegmentSize(4096))
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	stranger := newSimDisk()
	j, err = Open(context.Background(), "", Writer{ID: uuid.UUID{1}, Epoch: 3}, WithFS(stranger), WithSegmentSize(4096))
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	seg := segmentName
	as := func(target any) func(error) bool {
		return func(err error) bool { return err != nil && errors.As(err, target) }
	}
	for _, c := range []struct {
		name string
		do   func(files map[string]*platter.File)
		want func(error) bool
	}{
		{"first segment missing", func(f map[string]*platter.File) { delete(f, seg(1)) }, as(new(*MissingError))},
		{"middle segment missing", func(f map[string]*platter.File) { delete(f, seg(2)) }, as(new(*MissingError))},
		{"last two missing", func(f map[string]*platter.File) { delete(f, seg(2)); delete(f, seg(3)) }, as(new(*CorruptError))},
		{"all missing", func(f map[string]*platter.File) { delete(f, seg(1)); delete(f, seg(2)); delete(f, seg(3)) }, as(new(*MissingError))},
		{"segment copied over the next", func(f map[string]*platter.File) { f[seg(2)] = f[seg(1)] }, as(new(*MisplacedError))},
		{"segment copied over the spare", func(f map[string]*platter.File) { f[seg(3)] = f[seg(2)] }, as(new(*MisplacedError))},
		{"segment zeroed", func(f map[string]*platter.File) { clear(f[seg(1)].Data) }, as(new(*CorruptError))},
		{"last segment zeroed", func(f map[string]*platter.File) { clear(f[seg(2)].Data) }, as(new(*CorruptError))},
		{"segment of another epoch", func(f map[string]*platter.File) { f[seg(1)] = other.Files[seg(1)] }, as(new(*ForeignError))},
		{"segment of another terminal", func(f map[string]*platter.File) { f[seg(1)] = stranger.Files[seg(1)] }, as(new(*ForeignError))},
		{"head file of another epoch", func(f map[string]*platter.File) { f[headName] = other.Files[headName] }, as(new(*ForeignError))},
		{"newer version", func(f map[string]*platter.File) {
			b := f[seg(2)].Data
			b[9]++
			fixHeaderSum(b)
		}, as(new(*VersionError))},
	} {
		s := newSpecimen(t, false)
		c.do(s.disk.Files)
		if _, err := Open(context.Background(), "", testWriter, WithFS(s.disk), WithSegmentSize(4096)); !c.want(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestHeadFileMissing: it is reported, and made again.
func TestHeadFileMissing(t *testing.T) {
	s := newSpecimen(t, false)
	delete(s.disk.Files, headName)
	for _, lost := range []bool{true, false} {
		j := openSim(t, s.disk, 4096)
		if j.Report().HeadFileLost != lost {
			t.Errorf("report %+v, want lost %v", j.Report(), lost)
		}
		checkHolds(t, &j.shelf, 1, s.entries)
		mustClose(t, j)
	}
}

// TestExportOfDamaged reads what is good before the damage.
func TestExportOfDamaged(t *testing.T) {
	s := newSpecimen(t, true)
	s.bytes(segmentName(2))[headerSize+2*400] ^= 4
	r, err := OpenReadOnly(context.Background(), "", WithFS(s.disk))
	if err != nil {
		t.Fatal(err)
	}
	var bad *CorruptError
	if !errors.As(r.Damage(), &bad) || bad.Segment != 2 || bad.Seq != r.Head().Seq+1 {
		t.Fatalf("damage %v with head %v", r.Damage(), r.Head())
	}
	if n := r.Head().Seq; n < 9 || n >= 14 {
		t.Fatalf("read up to %d", n)
	}
	checkHolds(t, &r.shelf, 1, s.entries[:r.Head().Seq])
}

// TestDamageWhileOpen: bytes that rot after Open are not handed out.
func TestDamageWhileOpen(t *testing.T) {
	s := newSpecimen(t, true)
	j := openSim(t, s.disk, 4096)
	defer mustClose(t, j)
	s.bytes(segmentName(1))[headerSize+700] ^= 1
	var bad *CorruptError
	if err := j.Each(context.Background(), 1, func(Head, []byte) error { return nil }); !errors.As(err, &bad) {
		t.Fatalf("read of rotten bytes: %v", err)
	}
}

// TestTornTail: garbage in the last, unacknowledged group is wiped, whatever it is,
// and never comes back.
func TestTornTail(t *testing.T) {
	for seed := range uint64(300) {
		r := seeded(seed)
		s := newSpecimen(t, false)
		data := s.bytes(segmentName(2))
		h, _, _ := parseHeader(data)
		var group []byte
		for i := range 3 {
			group = appendFrame(group, kindEntry, 16, uint64(15+i), fmt.Appendf(nil, "torn %d %0200d", i, i))
		}
		end := s.ends[2]
		finishGroup(group, uint32(end), h.salt())
		bad := r.IntN(len(group))
		for at := bad; at < len(group); at += 1 + r.IntN(200) {
			group[at] ^= byte(1 + r.IntN(255))
		}
		copy(data[end:], group)
		j := openSim(t, s.disk, 4096)
		kept := int(j.Head().Seq)
		if kept < 14 || kept > 16 || j.Report().CutSegment != 2 {
			t.Fatalf("seed %d: kept %d, report %+v", seed, kept, j.Report())
		}
		want := slices.Clone(s.entries)
		for i := range kept - 14 {
			want = append(want, fmt.Appendf(nil, "torn %d %0200d", i, i))
		}
		for i := range 3 {
			want = append(want, fmt.Appendf(nil, "new %d", i))
			mustAppend(t, j, want[len(want)-1])
		}
		checkHolds(t, &j.shelf, 1, want)
		mustClose(t, j)
		if left := data[4096-j.Stats().SegmentFree:]; !allZero(left) {
			t.Fatalf("seed %d: torn bytes were left behind the end", seed)
		}
		j = openSim(t, s.disk, 4096)
		checkHolds(t, &j.shelf, 1, want)
		mustClose(t, j)
	}
}
