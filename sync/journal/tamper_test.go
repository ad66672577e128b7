package journal

import (
	"context"
	"errors"
	"testing"
)

// TestG6_Crafted writes intact frames that should not be there, and damage that
// takes two places at once.
func TestG6_Crafted(t *testing.T) {
	type bench struct {
		specimen
		seg, spare []byte
		end        int
		h          header
		head       Head
		group      uint64 // of the next group
	}
	put := func(b bench, kind byte, group, seq uint64, payload []byte) {
		g := appendFrame(nil, kind, group, seq, payload)
		finishGroup(g, uint32(b.end), b.h.salt())
		copy(b.seg[b.end:], g)
	}
	for _, c := range []struct {
		name, want string
		do         func(b bench)
	}{
		{"nothing", "", func(bench) {}},
		{"entry repeated", ReasonOrder, func(b bench) { put(b, kindEntry, b.group, b.head.Seq, b.entries[13]) }},
		{"entry skipped", ReasonOrder, func(b bench) { put(b, kindEntry, b.group, b.head.Seq+2, []byte("x")) }},
		{"group skipped", ReasonOrder, func(b bench) { put(b, kindEntry, b.group+1, b.head.Seq+1, []byte("x")) }},
		{"seal", "", func(b bench) { put(b, kindSeal, b.group, b.head.Seq, seal{1, b.head.Hash}.encode()) }},
		{"seal of another head", ReasonSeal, func(b bench) { put(b, kindSeal, b.group, b.head.Seq, seal{1, Hash{1}}.encode()) }},
		{"header skips a group", ReasonEnd, func(b bench) {
			b.h.group++
			b.h.encodeTo(b.seg)
		}},
		{"header continues another chain", ReasonEnd, func(b bench) {
			b.h.prev[0]++
			b.h.encodeTo(b.seg)
		}},
		{"head file saw another chain", ReasonFork, func(b bench) {
			var slot [slotSize]byte
			encodeSlot(&slot, testWriter, sighting{b.group - 1, Head{b.head.Seq, Hash{1}}})
			copy(b.bytes(headName)[slotOffset(b.group-1):], slot[:])
		}},
		{"torn group", "", func(b bench) { copy(b.seg[b.end:], "TJF1 torn") }},
		{"torn group and a spare that was begun", ReasonFrame, func(b bench) {
			copy(b.seg[b.end:], "TJF1 torn")
			copy(b.spare[headerSize:], "TJF1 begun")
		}},
		{"bytes behind a torn group", ReasonFrame, func(b bench) {
			g := appendFrame(nil, kindEntry, b.group, b.head.Seq+1, []byte("x"))
			g = appendFrame(g, kindEntry, b.group, b.head.Seq+2, []byte("y"))
			finishGroup(g, uint32(b.end), b.h.salt())
			g[len(g)-1]++
			copy(b.seg[b.end:], append(g, "rest of a later group"...))
		}},
	} {
		s := newSpecimen(t, false)
		b := bench{specimen: s, seg: s.bytes(segmentName(2)), spare: s.bytes(segmentName(3)), end: s.ends[2], group: 16}
		b.h, _, _ = parseHeader(b.seg)
		b.head = Head{14, headsOf(s.entries)[14]}
		c.do(b)
		_, err := load(context.Background(), s.disk, &testWriter)
		var bad *CorruptError
		if (c.want == "") != (err == nil) || (err != nil && (!errors.As(err, &bad) || bad.Reason != c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTornSpare: a group that was being written as the first of the next segment is
// wiped.
func TestTornSpare(t *testing.T) {
	s := newSpecimen(t, false)
	spare := s.bytes(segmentName(3))
	copy(spare[100:], "part of a header and of a first group")
	j := openSim(t, s.disk, 4096)
	if r := j.Report(); r.CutSegment != 3 || !allZero(spare) {
		t.Fatalf("report %+v, wiped %v", r, allZero(spare))
	}
	checkHolds(t, &j.shelf, 1, s.entries)
	mustClose(t, j)
	if _, err := load(context.Background(), s.disk, &testWriter); err != nil {
		t.Fatal(err)
	}
}
