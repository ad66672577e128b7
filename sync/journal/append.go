package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// sealGroupSize is the room kept free behind the entries of a segment, so that the
// journal's end can always be sealed.
const sealGroupSize = frameSize + sealSize

// maxHeldBuffer is the largest group buffer kept for the next group.
const maxHeldBuffer = 256 << 10

// linkApart is the number of entries from which on hashing them beside the write
// is worth a goroutine.
const linkApart = 16

// appender writes groups. Only the caller that has the lead touches it, but for
// stats, which are under the journal's mu.
type appender struct {
	journal *Journal
	fs      FS
	writer  Writer
	newSize int    // of new segments
	floor   uint64 // for the next seal
	stated  uint64 // by a durable seal

	chain  *chain // over all entries written
	group  uint64 // last one written
	sealed bool   // the last group written is a seal

	file  File // the segment being written
	index uint64
	salt  uint32
	end   int // behind the last group
	size  int
	fresh *header // of a segment whose header is not written yet
	spare File    // the next segment, when it is ready
	build chan built

	headFile File
	slot     [slotSize]byte

	// The group being made: headerSize bytes of room, then frames.
	buf     []byte
	marks   []mark
	waiters []waiter
	places  []Position

	batch     []*request // being put into groups
	lastGroup int        // requests taken at once before

	stats Stats
}

// built is the outcome of preallocating a segment.
type built struct {
	file File
	err  error
}

// add puts the entries of r into the group being made.
func (a *appender) add(r *request) {
	if r.build == nil && r.entries == nil {
		a.addSeal(waiter{r, 0})
		return
	}
	for i, n := 0, r.left; i < n; i++ {
		a.addEntry(waiter{r, i})
	}
}

// addEntry puts an entry into the group, and writes the group before when the entry
// does not fit in.
func (a *appender) addEntry(w waiter) {
	seq := a.chain.head.Seq + uint64(len(a.waiters)) + 1
	entry, err := w.entry(seq)
	switch stopped := a.journal.Err(); {
	case stopped != nil:
		err = stopped
	case err != nil:
	case len(entry) == 0:
		err = ErrEmpty
	case len(entry) > maxEntry(a.newSize):
		err = ErrTooLarge
	default:
		err = a.makeRoom(frameSize+len(entry), sealGroupSize)
	}
	if err != nil {
		w.answer(Position{}, err)
		return
	}
	a.waiters = append(a.waiters, w)
	a.buf = appendFrame(a.buf, kindEntry, a.group+1, seq, entry)
}

// link hashes the entries of the group being made. Frames carry no hashes, so this
// can go on while they are written.
func (a *appender) link() {
	at := a.end
	for b := a.buf[headerSize:]; len(b) > 0; {
		n := frameSize + int(binary.BigEndian.Uint32(b[4:]))
		a.marks = append(a.marks, mark{at, a.chain.head})
		a.places = append(a.places, a.chain.next(b[frameSize:n]))
		b, at = b[n:], at+n
	}
}

// writeAndLink writes the group and hashes its entries, at the same time when they
// are many.
func (a *appender) writeAndLink() error {
	switch n := len(a.waiters); {
	case n == 0: // a seal
	case n < linkApart:
		a.link()
	default:
		linked := make(chan struct{})
		defer func() { <-linked }()
		go func() {
			a.link()
			close(linked)
		}()
	}
	return a.write()
}

// entry returns the bytes, calling build. Whose goroutine this is, is chance: a
// panic must not end it.
func (w waiter) entry(seq uint64) (entry []byte, err error) {
	if w.r.build == nil {
		return w.r.entries[w.i], nil
	}
	defer func() {
		if p := recover(); p != nil {
			entry, err = nil, fmt.Errorf("build entry %d: panic: %v", seq, p)
		}
	}()
	return w.r.build(seq)
}

// addSeal writes a seal as a group of its own; its request states the new floor. A
// floor that a seal states already needs none: on a full disk there may be no room
// for one, and pruning is what makes room.
func (a *appender) addSeal(w waiter) {
	a.flush()
	a.floor = max(a.floor, w.r.floor)
	err := a.journal.Err()
	if err == nil && w.r.floor > a.stated {
		err = a.seal()
	}
	w.answer(a.chain.head, err)
}

// seal writes a seal of the journal as it stands. No group is being made.
func (a *appender) seal() error {
	if err := a.makeRoom(sealGroupSize, 0); err != nil {
		return err
	}
	a.buf = appendFrame(a.buf, kindSeal, a.group+1, a.chain.head.Seq, seal{a.floor, a.chain.head.Hash}.encode())
	a.flush()
	err := a.journal.Err()
	if err == nil {
		a.stated = a.floor
	}
	return err
}

// makeRoom sees to it that n bytes fit into the group and the segment, with reserve
// left behind them, by writing the group and by going on to the next segment.
func (a *appender) makeRoom(n, reserve int) error {
	made := len(a.buf) - headerSize
	if made > 0 && (made+n > maxGroupSize || a.end+made+n+reserve > a.size) {
		a.flush()
		made = 0
		if err := a.journal.Err(); err != nil {
			return err
		}
	}
	if a.end+made+n+reserve <= a.size {
		return nil
	}
	return a.roll()
}

// flush makes the group durable with one write and one sync, then answers those who
// wait for it.
func (a *appender) flush() {
	if len(a.buf) == headerSize {
		return
	}
	finishGroup(a.buf[headerSize:], uint32(a.end), a.salt)
	err := a.writeAndLink()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
		a.journal.stop(err)
	} else {
		a.publish()
	}
	for i, w := range a.waiters {
		a.waiters[i] = waiter{}
		if err != nil {
			w.answer(Position{}, err)
		} else {
			w.answer(a.places[i], nil)
		}
	}
	a.waiters, a.places, a.marks = a.waiters[:0], a.places[:0], a.marks[:0]
	if cap(a.buf) > maxHeldBuffer {
		a.buf = make([]byte, headerSize)
	}
	a.buf = a.buf[:headerSize]
	if err != nil {
		return
	}
	if err := a.note(); err != nil {
		a.journal.stop(fmt.Errorf("%w: %w", ErrStopped, err))
	}
	a.preallocate()
}

// write puts the group, and the header of a fresh segment before it, on the disk.
func (a *appender) write() error {
	out, at := a.buf[headerSize:], a.end
	if a.fresh != nil {
		a.fresh.encodeTo(a.buf)
		out, at = a.buf, 0
	}
	if _, err := a.file.WriteAt(out, int64(at)); err != nil {
		return fmt.Errorf("write group %d: %w", a.group+1, err)
	}
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("sync group %d: %w", a.group+1, err)
	}
	return nil
}

// publish moves the durable head over the group just written.
func (a *appender) publish() {
	j := a.journal
	written := len(a.buf) - headerSize
	j.mu.Lock()
	defer j.mu.Unlock()
	if a.fresh != nil {
		first := mark{headerSize, Head{Seq: a.fresh.firstSeq - 1, Hash: a.fresh.prev}}
		j.segments = append(j.segments, &segment{header: *a.fresh, salt: a.salt, marks: []mark{first}})
		a.fresh, a.stats.SpareReady = nil, false
	}
	s := j.segments[len(j.segments)-1]
	for _, m := range a.marks {
		s.marks = passed(s.marks, m.at, m.head)
	}
	a.group++
	a.end += written
	a.sealed = len(a.waiters) == 0
	j.head = a.chain.head
	a.stats.Groups++
	a.stats.Entries += uint64(len(a.waiters))
	a.stats.Bytes += uint64(written)
	a.stats.LargestGroup = max(a.stats.LargestGroup, len(a.waiters))
	a.stats.SegmentFree = a.size - a.end
}

// note tells the head file of the last group.
func (a *appender) note() error {
	encodeSlot(&a.slot, a.writer, sighting{group: a.group, head: a.chain.head})
	if _, err := a.headFile.WriteAt(a.slot[:], slotOffset(a.group)); err != nil {
		return fmt.Errorf("write head file: %w", err)
	}
	return nil
}

// begin seals what Open found, unless it is sealed, so that nothing in it can be
// taken for a torn group from now on, and puts the head file on the disk.
func (a *appender) begin(found *loaded) error {
	a.buf = make([]byte, headerSize, 16<<10)
	a.stats.SegmentFree, a.stats.SpareReady = a.size-a.end, a.spare != nil
	if !a.sealed {
		if err := a.seal(); err != nil {
			return err
		}
	} else if err := a.note(); err != nil {
		return err
	}
	if err := a.headFile.Sync(); err != nil {
		return fmt.Errorf("sync head file: %w", err)
	}
	a.preallocate()
	return nil
}

// finish seals the end, when nothing went wrong before.
func (a *appender) finish() {
	if a.journal.Err() == nil {
		var err error
		if !a.sealed {
			err = a.seal()
		}
		if err == nil {
			err = a.headFile.Sync()
		}
		if err != nil {
			a.journal.stop(fmt.Errorf("%w: seal the end: %w", ErrStopped, err))
		}
	}
}

// closeFiles waits for a segment being made and closes what is open.
func (a *appender) closeFiles() error {
	var errs []error
	if a.build != nil {
		b := <-a.build
		a.build = nil
		if b.file != nil {
			errs = append(errs, b.file.Close())
		}
	}
	for _, f := range []File{a.file, a.spare, a.headFile} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
