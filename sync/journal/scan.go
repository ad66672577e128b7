package journal

import "bytes"

// markEvery is how many entries lie between two places a reader can start at.
const markEvery = 256

// mark is such a place: the frame at offset at follows head.
type mark struct {
	at   int
	head Head
}

// passed notes, now and then, that the frame at offset at follows head. marks is
// never empty.
func passed(marks []mark, at int, head Head) []mark {
	if head.Seq-marks[len(marks)-1].head.Seq >= markEvery {
		marks = append(marks, mark{at, head})
	}
	return marks
}

// expect is what a reader knows of a segment before reading it.
type expect struct {
	index uint64
	// writer is whose journal it is; nil accepts any.
	writer *Writer
	// known says that head and group are those before this segment. They are not
	// for the oldest one of a pruned journal.
	known bool
	head  Head
	group uint64
}

// scan is what a segment holds.
type scan struct {
	// blank: no byte was ever written. headed: the header is intact.
	blank, headed bool
	header        header
	salt          uint32
	// head and group are those after the last good frame, which ends at end;
	// tail is where its group begins.
	head      Head
	group     uint64
	end, tail int
	groupEnd  int
	marks     []mark
	// sealed: the last good frame is a seal. floor is what the last seal said.
	sealed bool
	floor  uint64
	// torn: something was written after end and is not there as it was written.
	// later: and it cannot be the last group written, so it is damage.
	torn, later bool
}

// scanSegment reads a segment's bytes and calls visit with the head after each good
// entry. It is
// linear in len(seg) whatever the bytes are. Errors: *VersionError, *ForeignError,
// *MisplacedError, *CorruptError for an intact frame that should not be there, and
// what visit returns.
func scanSegment(seg []byte, want expect, visit func(Head)) (s scan, err error) {
	s = scan{head: want.head, group: want.group, end: headerSize, tail: headerSize, groupEnd: headerSize}
	s.header, s.headed, err = parseHeader(seg)
	if err != nil {
		return s, err
	}
	if !s.headed {
		s.end, s.tail, s.blank = 0, 0, allZero(seg)
		s.torn = !s.blank
		if want.known && want.writer != nil {
			h := header{writer: *want.writer, index: want.index, firstSeq: want.head.Seq + 1, prev: want.head.Hash}
			s.later = laterGroup(seg, headerSize, h.salt())
		}
		return s, nil
	}
	if err := s.checkHeader(want); err != nil {
		s.headed = false
		return s, err
	}
	// What stands behind the stated size is no part of the journal.
	seg = seg[:min(len(seg), int(s.header.size))]
	s.salt = s.header.salt()
	s.head = Head{Seq: s.header.firstSeq - 1, Hash: s.header.prev}
	s.group = s.header.group - 1
	s.marks = []mark{{headerSize, s.head}}
	return s, s.frames(seg, visit)
}

// checkHeader refuses the header of another journal or another place in this one.
// Whether it continues the segment before is for the caller, who knows what that one
// ended with.
func (s *scan) checkHeader(want expect) error {
	if want.writer != nil && s.header.writer != *want.writer {
		return &ForeignError{Segment: want.index, Want: *want.writer, Got: s.header.writer}
	}
	if s.header.index != want.index {
		return &MisplacedError{Segment: want.index, Got: s.header.index}
	}
	return nil
}

// frames walks the frames of a segment up to the first that is not good.
func (s *scan) frames(seg []byte, visit func(Head)) error {
	c := newChain(s.header.writer, s.head)
	for {
		f, ok := parseFrame(seg[min(s.end, len(seg)):], s.end, s.salt)
		if !ok {
			break
		}
		if !s.follows(f) {
			return s.corrupt(ReasonOrder)
		}
		payload, ok := f.payload(seg[s.end:], s.salt)
		if !ok {
			break
		}
		if f.kind == kindSeal {
			sl := parseSeal(payload)
			if sl.hash != s.head.Hash {
				return s.corrupt(ReasonSeal)
			}
			s.floor = sl.floor
		} else {
			s.marks = passed(s.marks, s.end, s.head)
			s.head = c.next(payload)
			visit(s.head)
		}
		s.sealed = f.kind == kindSeal
		s.group, s.tail, s.groupEnd = f.group, int(f.start), int(f.start)+int(f.groupLen)
		s.end += f.size()
	}
	rest := seg[min(s.end, len(seg)):]
	s.torn = s.end < s.groupEnd || !allZero(rest)
	// Nothing is written past a group before it is durable: bytes beyond the end it
	// was to have belong to a later one, even if no frame of that can be read.
	beyond := s.end < s.groupEnd && s.groupEnd < len(seg) && !allZero(seg[s.groupEnd:])
	s.later = s.torn && (beyond || laterGroup(seg, s.end, s.salt))
	return nil
}

// follows says whether f is the next frame: the next of the same group, or the
// first of the next group. That one may begin before the last group's stated end:
// a recovery cut it there.
func (s *scan) follows(f frame) bool {
	seq := s.head.Seq
	if f.kind == kindEntry {
		seq++
	}
	if f.seq != seq {
		return false
	}
	if f.group == s.group && s.end > headerSize {
		return int(f.start) == s.tail && int(f.start)+int(f.groupLen) == s.groupEnd
	}
	return f.group == s.group+1 && int(f.start) == s.end
}

func (s *scan) corrupt(reason string) *CorruptError {
	return &CorruptError{Segment: s.header.index, Offset: int64(s.end), Seq: s.head.Seq + 1, Reason: reason}
}

// laterGroup says whether a frame after offset damage tells that a group later
// than the one damaged was begun: it says that more than damage was durable. The
// frame's payload does not matter, so each candidate costs the same.
func laterGroup(seg []byte, damage int, salt uint32) bool {
	for at := damage; at < len(seg); at++ {
		next := bytes.Index(seg[at:], []byte(frameMagic))
		if next < 0 {
			return false
		}
		at += next
		if f, ok := parseFrame(seg[at:], at, salt); ok && int64(f.start) > int64(damage) {
			return true
		}
	}
	return false
}

func allZero(b []byte) bool {
	for len(b) >= len(zeroBlock) {
		if !bytes.Equal(b[:len(zeroBlock)], zeroBlock[:]) {
			return false
		}
		b = b[len(zeroBlock):]
	}
	return bytes.Equal(b, zeroBlock[:len(b)])
}

var zeroBlock [4096]byte
