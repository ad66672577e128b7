package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// segment is a segment file that holds entries. marks is never empty.
type segment struct {
	header header
	salt   uint32
	marks  []mark
}

// loaded is a journal as found on the disk.
type loaded struct {
	writer   Writer
	segments []*segment
	last     scan // of the last of segments
	lastLen  int  // its file's length
	floor    uint64
	spares   []spareFile // segment files after it, which hold nothing
	seen     sighting
	hasSeen  bool
	report   Report
}

type spareFile struct {
	index uint64
	size  int
	dirty bool
}

// loader reads all segments in order.
type loader struct {
	fsys    FS
	want    *Writer
	buf     []byte
	out     *loaded
	seenOff bool // the chain has another hash where the head file saw one
}

// load reads the journal in fsys. With an error that is about damage, what was
// read before the damage is returned too, for reading only. It changes nothing.
func load(ctx context.Context, fsys FS, want *Writer) (*loaded, error) {
	l := &loader{fsys: fsys, want: want, out: &loaded{floor: 1}}
	seen, there, ok, err := readHeadFile(fsys, want)
	if err != nil {
		return l.out, err
	}
	l.out.seen, l.out.hasSeen = seen, ok
	names, err := fsys.List()
	if err != nil {
		return l.out, fmt.Errorf("list journal: %w", err)
	}
	indexes := segmentIndexes(names)
	if err := l.readAll(ctx, indexes); err != nil {
		return l.out, err
	}
	o := l.out
	o.report.HeadFileLost = len(o.segments) > 0 && (!there || !ok) && o.last.head.Seq > 0
	if len(indexes) == 0 && ok {
		return o, &MissingError{Segment: 1}
	}
	if len(indexes) > 0 && indexes[0] > o.floor {
		return o, &MissingError{Segment: indexes[0] - 1}
	}
	return o, l.checkEnd()
}

func segmentIndexes(names []string) []uint64 {
	var out []uint64
	for _, name := range names {
		if index, ok := parseSegmentName(name); ok {
			out = append(out, index)
		}
	}
	slices.Sort(out)
	return out
}

// readAll reads the segments and decides, at each, what its content proves of the
// one before: a group in it means that all before it was durable.
func (l *loader) readAll(ctx context.Context, indexes []uint64) error {
	for i, index := range indexes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i > 0 && index != indexes[i-1]+1 {
			return &MissingError{Segment: indexes[i-1] + 1}
		}
		seg, err := l.readFile(index)
		if err != nil {
			return err
		}
		s, err := scanSegment(seg, l.expect(index), l.compare)
		if !s.headed && err == nil {
			if err := l.unheaded(s, index, len(seg), i == 0); err != nil {
				return err
			}
			continue
		}
		if s.headed {
			if linkErr := l.continues(s); linkErr != nil {
				return linkErr
			}
			l.adopt(s, len(seg))
		}
		if err != nil {
			return err
		}
		if s.later {
			return s.corrupt(ReasonFrame)
		}
	}
	return nil
}

func (l *loader) expect(index uint64) expect {
	want := expect{index: index, writer: l.want, known: index == 1}
	if n := len(l.out.segments); n > 0 {
		want.known, want.head, want.group = true, l.out.last.head, l.out.last.group
		want.writer = &l.out.writer
	}
	return want
}

// compare checks the chain at the place where the head file saw it.
func (l *loader) compare(head Head) {
	if l.out.hasSeen && head.Seq == l.out.seen.head.Seq && head.Hash != l.out.seen.head.Hash {
		l.seenOff = true
	}
}

// unheaded is for a file without a header: a spare, or one whose first group was
// being written when the power failed. Neither can have anything after it, and the
// second proves that all before it was durable.
func (l *loader) unheaded(s scan, index uint64, size int, oldest bool) error {
	if s.later || (oldest && index != 1) {
		return &CorruptError{Segment: index, Seq: l.out.last.head.Seq + 1, Reason: ReasonHeader}
	}
	if !s.blank {
		if n := len(l.out.spares); n > 0 {
			return &CorruptError{Segment: l.out.spares[0].index, Seq: l.out.last.head.Seq + 1, Reason: ReasonHeader}
		}
		if len(l.out.segments) > 0 && l.out.last.torn {
			return l.out.last.corrupt(ReasonFrame)
		}
	}
	l.out.spares = append(l.out.spares, spareFile{index: index, size: size, dirty: !s.blank})
	return nil
}

// continues checks that a segment with a header follows what was read before it.
func (l *loader) continues(s scan) error {
	o := l.out
	if len(o.spares) > 0 {
		return &CorruptError{Segment: o.spares[0].index, Seq: o.last.head.Seq + 1, Reason: ReasonHeader}
	}
	if len(o.segments) == 0 {
		if s.header.index == 1 && (s.header.firstSeq != 1 || s.header.prev != Genesis || s.header.group != 1) {
			return &CorruptError{Segment: 1, Seq: 1, Reason: ReasonHeader}
		}
		return nil
	}
	h := s.header
	if h.firstSeq != o.last.head.Seq+1 || h.prev != o.last.head.Hash || h.group != o.last.group+1 {
		return o.last.corrupt(ReasonEnd)
	}
	return nil
}

func (l *loader) adopt(s scan, size int) {
	o := l.out
	o.writer = s.header.writer
	o.segments = append(o.segments, &segment{header: s.header, salt: s.salt, marks: s.marks})
	o.last, o.lastLen = s, size
	if s.floor > o.floor {
		o.floor = s.floor
	}
}

// checkEnd holds the journal's end against the head file.
func (l *loader) checkEnd() error {
	o := l.out
	if o.hasSeen {
		switch {
		case o.seen.group > o.last.group || o.seen.head.Seq > o.last.head.Seq:
			return o.last.corrupt(ReasonTail)
		case l.seenOff:
			e := o.last.corrupt(ReasonFork)
			e.Seq = o.seen.head.Seq
			return e
		}
		return nil
	}
	if len(o.segments) == 0 {
		return nil
	}
	short := o.lastLen < int(o.last.header.size)
	for _, s := range o.spares {
		short = short || s.size < int(o.last.header.size)
	}
	if short {
		return o.last.corrupt(ReasonCut)
	}
	return nil
}

// readFile reads a whole segment file into the loader's one buffer.
func (l *loader) readFile(index uint64) (_ []byte, err error) {
	f, err := l.fsys.Open(segmentName(index), false)
	if err != nil {
		return nil, fmt.Errorf("open segment %d: %w", index, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size segment %d: %w", index, err)
	}
	if size > maxSegmentSize {
		return nil, &CorruptError{Segment: index, Seq: l.out.last.head.Seq + 1, Reason: ReasonSize}
	}
	if int(size) > cap(l.buf) {
		l.buf = make([]byte, size)
	}
	b := l.buf[:size]
	if _, err := f.ReadAt(b, 0); ignoreEOF(err) != nil {
		return nil, fmt.Errorf("read segment %d: %w", index, err)
	}
	return b, nil
}
