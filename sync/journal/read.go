package journal

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
)

// readWindow is how much of a segment is read at once. It holds the longest frame.
const readWindow = 256 << 10

// Run is a piece of a journal.
type Run struct {
	// Prev is the head before the first entry.
	Prev Head
	// Entries are the entry bytes, in order.
	Entries [][]byte
	// Hashes has the hash of each entry.
	Hashes []Hash
}

// Last returns the head after the run's last entry; Prev when it has none.
func (r Run) Last() Head {
	if len(r.Entries) == 0 {
		return r.Prev
	}
	return Head{Seq: r.Prev.Seq + uint64(len(r.Entries)), Hash: r.Hashes[len(r.Hashes)-1]}
}

// shelf is the part of a journal that is read: everything up to the durable head.
type shelf struct {
	fs     FS
	writer Writer
	files  sync.RWMutex // held for reading while a file is open, for writing while one is removed

	mu       sync.Mutex // guards what follows
	segments []*segment
	head     Head
}

func (s *shelf) fill(fsys FS, w Writer, found *loaded) {
	s.fs, s.writer, s.segments = fsys, w, found.segments
	if len(found.segments) > 0 {
		s.head = found.last.head
	}
}

// Writer returns whose journal it is.
func (s *shelf) Writer() Writer { return s.writer }

// Head returns the place of the last durable entry. Only this head may be signed
// or told to others.
func (s *shelf) Head() Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

// First returns the number of the oldest entry kept. In an empty journal it is the
// number the next entry gets.
func (s *shelf) First() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first()
}

func (s *shelf) first() uint64 {
	if len(s.segments) == 0 {
		return 1
	}
	return s.segments[0].header.firstSeq
}

// HashAt returns the hash of the durable entry seq, from the one before the oldest
// kept on; HashAt(0) is Genesis. Errors: [ErrPruned], and *[GapError] when seq is
// past the head.
func (s *shelf) HashAt(ctx context.Context, seq uint64) (Hash, error) {
	switch head := s.Head(); {
	case seq == head.Seq:
		return head.Hash, nil
	case seq > head.Seq:
		return Hash{}, &GapError{Want: head.Seq + 1, Got: seq}
	}
	run, err := s.Read(ctx, seq+1, 1, 0)
	return run.Prev.Hash, err
}

// Read returns entries from number from on: at most maxEntries, and at most
// maxBytes of entry bytes but always one when there is one. At the head the run has
// no entries. Errors: [ErrPruned]; *[GapError] when from is past the head by more
// than one; *[CorruptError] when the disk no longer holds what it did.
func (s *shelf) Read(ctx context.Context, from uint64, maxEntries, maxBytes int) (Run, error) {
	var run Run
	first, bytes := true, 0
	prev, err := s.walk(ctx, from, func(before, at Head, entry []byte) error {
		if first {
			run.Prev, first = before, false
		}
		bytes += len(entry)
		if len(run.Entries) >= maxEntries || (bytes > maxBytes && len(run.Entries) > 0) {
			return errEnough
		}
		run.Entries = append(run.Entries, append([]byte(nil), entry...))
		run.Hashes = append(run.Hashes, at.Hash)
		return nil
	})
	if first {
		run.Prev = prev
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return run, err
}

// errEnough ends a walk early.
var errEnough = errors.New("enough entries")

// Each calls fn for every entry from number from up to the head at the time of the
// call, and stops at fn's first error, which it returns. entry is only valid during
// the call. Other errors are those of Read.
func (s *shelf) Each(ctx context.Context, from uint64, fn func(at Head, entry []byte) error) error {
	_, err := s.walk(ctx, from, func(_, at Head, entry []byte) error { return fn(at, entry) })
	return err
}

// walk calls fn with the entries from number from to the durable head, and returns
// the head it ended at.
func (s *shelf) walk(ctx context.Context, from uint64, fn func(before, at Head, entry []byte) error) (Head, error) {
	s.mu.Lock()
	first, limit := s.first(), s.head
	s.mu.Unlock()
	switch {
	case from == 0:
		return Head{}, &GapError{Want: 1, Got: 0}
	case from < first:
		return Head{}, fmt.Errorf("read entry %d: %w", from, ErrPruned)
	case from > limit.Seq+1:
		return Head{}, &GapError{Want: limit.Seq + 1, Got: from}
	case from == limit.Seq+1:
		return limit, nil
	}
	w := walker{shelf: s, from: from, limit: limit.Seq, fn: fn}
	for next := from; next <= limit.Seq; next = w.head.Seq + 1 {
		if err := w.segmentOf(ctx, next); err != nil {
			return w.head, err
		}
	}
	return w.head, nil
}

// walker reads one segment after the other through a window.
type walker struct {
	shelf       *shelf
	from, limit uint64
	fn          func(before, at Head, entry []byte) error
	head        Head
	buf         []byte
	window      []byte // the part of buf with the segment's bytes from offset at on
	at          int
}

// find returns the segment that holds entry seq, its last number, and the nearest
// place before it to start at.
func (s *shelf) find(seq uint64) (seg *segment, last uint64, start mark, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].header.firstSeq > seq }) - 1
	if i < 0 {
		return nil, 0, mark{}, fmt.Errorf("read entry %d: %w", seq, ErrPruned)
	}
	seg, last = s.segments[i], s.head.Seq
	if i+1 < len(s.segments) {
		last = s.segments[i+1].header.firstSeq - 1
	}
	m := sort.Search(len(seg.marks), func(m int) bool { return seg.marks[m].head.Seq >= seq }) - 1
	return seg, last, seg.marks[max(m, 0)], nil
}

// segmentOf walks the segment that holds entry seq, from there to its end.
func (w *walker) segmentOf(ctx context.Context, seq uint64) error {
	seg, last, start, err := w.shelf.find(seq)
	if err != nil {
		return err
	}
	last = min(last, w.limit)
	w.head, w.at, w.window = start.head, start.at, nil
	c := newChain(w.shelf.writer, start.head)
	for w.head.Seq < last {
		f, payload, err := w.frame(ctx, seg)
		if err != nil {
			return err
		}
		if f.kind == kindEntry {
			before := w.head
			w.head = c.next(payload)
			if f.seq != w.head.Seq {
				return w.corrupt(seg, ReasonOrder)
			}
			if f.seq >= w.from {
				if err := w.fn(before, w.head, payload); err != nil {
					return err
				}
			}
		}
		w.at += f.size()
		w.window = w.window[f.size():]
	}
	return nil
}

// frame returns the frame at the walker's place, reading more of the file when the
// window does not hold it.
func (w *walker) frame(ctx context.Context, seg *segment) (frame, []byte, error) {
	for try := 0; ; try++ {
		if f, ok := parseFrame(w.window, w.at, seg.salt); ok {
			if payload, ok := f.payload(w.window, seg.salt); ok {
				return f, payload, nil
			}
		}
		if try > 0 {
			return frame{}, nil, w.corrupt(seg, ReasonFrame)
		}
		if err := ctx.Err(); err != nil {
			return frame{}, nil, err
		}
		if err := w.load(seg.header.index); err != nil {
			return frame{}, nil, err
		}
	}
}

// load fills the window from the walker's place on.
func (w *walker) load(index uint64) (err error) {
	w.shelf.files.RLock()
	defer w.shelf.files.RUnlock()
	f, err := w.shelf.fs.Open(segmentName(index), false)
	if isMissing(err) && index < w.shelf.oldest() {
		return fmt.Errorf("read segment %d: %w", index, ErrPruned)
	}
	if err != nil {
		return fmt.Errorf("open segment %d: %w", index, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if w.buf == nil {
		w.buf = make([]byte, readWindow)
	}
	n, err := f.ReadAt(w.buf, int64(w.at))
	if ignoreEOF(err) != nil {
		return fmt.Errorf("read segment %d: %w", index, err)
	}
	w.window = w.buf[:n]
	return nil
}

func (s *shelf) oldest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segments[0].header.index
}

func (w *walker) corrupt(seg *segment, reason string) error {
	return &CorruptError{Segment: seg.header.index, Offset: int64(w.at), Seq: w.head.Seq + 1, Reason: reason}
}

// Prune removes whole segments whose entries all have numbers below seq, oldest
// first; the newest segment always stays. Before that it writes the new retention
// floor to the journal, so that a segment missing for another reason still shows.
// After an error the segments not removed can still be read, and Prune may be called
// again, unless the journal has stopped.
func (j *Journal) Prune(ctx context.Context, below uint64) error {
	drop := j.prunable(below)
	if len(drop) == 0 {
		return nil
	}
	r := newRequest()
	r.floor = drop[len(drop)-1].header.index + 1
	if _, err := j.submitOne(ctx, r); err != nil {
		return fmt.Errorf("prune journal: %w", err)
	}
	for _, s := range drop {
		if err := j.removeSegment(s); err != nil {
			return fmt.Errorf("prune journal: %w", err)
		}
	}
	return nil
}

func (j *Journal) prunable(below uint64) []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for n+1 < len(j.segments) && j.segments[n+1].header.firstSeq <= below {
		n++
	}
	return append([]*segment(nil), j.segments[:n]...)
}

// removeSegment removes the oldest segment. The directory is synced each time, so
// that no crash leaves a gap between those that remain.
func (j *Journal) removeSegment(seg *segment) error {
	j.files.Lock()
	defer j.files.Unlock()
	if j.oldest() != seg.header.index {
		return nil // another Prune was faster
	}
	// A file that cannot be removed (Windows, while another program reads it) stays
	// the oldest: the next Prune must not remove the one behind it.
	if err := removeIfThere(j.fs, segmentName(seg.header.index)); err != nil {
		return fmt.Errorf("remove segment %d: %w", seg.header.index, err)
	}
	j.mu.Lock()
	j.segments = j.segments[1:]
	j.mu.Unlock()
	if err := j.fs.SyncDir(); err != nil {
		err = fmt.Errorf("%w: sync directory: %w", ErrStopped, err)
		j.stop(err)
		return err
	}
	return nil
}
