package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Position is where an entry was put: its number and its hash.
type Position = Head

// Option changes how a journal is opened.
type Option func(*options)

type options struct {
	segmentSize int
	sync        func(*os.File) error
	fs          FS
	alone       bool
}

// WithSegmentSize sets the size of new segment files in bytes, 4 KiB to 64 MiB.
func WithSegmentSize(bytes int) Option { return func(o *options) { o.segmentSize = bytes } }

// WithSync replaces the call that flushes a file. It is for tests of what a slow
// or a lying disk does; a journal whose sync does nothing loses acknowledged entries.
func WithSync(sync func(*os.File) error) Option { return func(o *options) { o.sync = sync } }

// WithFS replaces the directory. It is for tests; dir is then not used.
func WithFS(fsys FS) Option { return func(o *options) { o.fs = fsys } }

// WithoutBeside makes the next segment in the goroutine of the append that used the
// last one up, and not beside it: for the simulator, in which nothing may happen at an
// order of its own. It costs that append the time of filling a segment.
func WithoutBeside() Option { return func(o *options) { o.alone = true } }

func readOptions(dir string, opts []Option) (options, error) {
	o := options{segmentSize: DefaultSegmentSize, sync: syncData}
	for _, opt := range opts {
		opt(&o)
	}
	if o.segmentSize < minSegmentSize || o.segmentSize > maxSegmentSize {
		return o, fmt.Errorf("segment size %d is not between %d and %d", o.segmentSize, minSegmentSize, maxSegmentSize)
	}
	if o.fs == nil {
		o.fs = diskFS{dir: dir, sync: o.sync}
	}
	return o, nil
}

// Report says what Open found and mended.
type Report struct {
	// Created: there was no journal before.
	Created bool
	// CutAt is the offset in segment CutSegment behind which the bytes of a group
	// that was never acknowledged were wiped; zero when nothing was.
	CutSegment uint64
	CutAt      int64
	// HeadFileLost: the head file was missing or unreadable, so the loss of the
	// last entries could not have been noticed here. Ask another witness.
	HeadFileLost bool
}

// Stats are counters since Open, and the room left.
type Stats struct {
	Segments     int    // files that hold entries
	SegmentFree  int    // bytes left in the newest
	SpareReady   bool   // the next one is preallocated
	Groups       uint64 // synced
	Entries      uint64 // in these groups
	Bytes        uint64 // written, frames included
	LargestGroup int    // in entries
	Refused      uint64 // with ErrDiskFull
}

// Journal is one writer's journal, open for append. It is safe for concurrent use.
type Journal struct {
	shelf
	options options
	lock    io.Closer
	report  Report
	queue   queue
	lead    chan struct{} // holds a value when nobody writes
	append  *appender     // belongs to whoever took that value

	stopOnce sync.Once
	stopped  chan struct{} // closed when nothing can be appended any more
	stopErr  error         // set before stopped is closed
	closing  sync.Once
	closeErr error
}

// Open opens the journal of w in the directory dir, which must exist, and creates
// it when the directory holds none. It reads and checks every entry, cuts off what a
// power failure left of a group that was never acknowledged, and takes the single-
// writer lock.
//
// A damaged journal is not opened: the error is a *[CorruptError], *[MissingError],
// *[ForeignError], *[MisplacedError] or *[VersionError], and [OpenReadOnly] reads
// what is good. Other errors: [ErrLocked], [ErrDiskFull], and those of the disk.
func Open(ctx context.Context, dir string, w Writer, opts ...Option) (_ *Journal, err error) {
	o, err := readOptions(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := o.fs.Lock()
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{options: o, lock: lock, lead: make(chan struct{}, 1), stopped: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open journal: %w", err), j.release())
		}
	}()
	found, err := load(ctx, o.fs, &w)
	if err != nil {
		return nil, err
	}
	if j.append, err = mend(o, w, found); err != nil {
		if diskFull(err) {
			err = fmt.Errorf("%w: %w", ErrDiskFull, err)
		}
		return nil, err
	}
	j.report = found.report
	j.shelf.fill(o.fs, w, found)
	j.append.journal = j
	if err := j.append.begin(found); err != nil {
		return nil, err
	}
	j.lead <- struct{}{}
	return j, nil
}

// Report says what Open found and mended.
func (j *Journal) Report() Report { return j.report }

// MaxEntry returns the longest entry accepted, in bytes.
func (j *Journal) MaxEntry() int { return maxEntry(j.options.segmentSize) }

func maxEntry(segmentSize int) int {
	return min(MaxEntrySize, segmentSize-headerSize-frameSize-sealGroupSize)
}

// Done is closed when the journal can append no more: after Close, or after a write
// or sync error. In the second case the process must exit, see [Journal.Err].
func (j *Journal) Done() <-chan struct{} { return j.stopped }

// Err returns nil while the journal works, ErrClosed after Close, and ErrStopped
// with its cause after a write or sync error.
func (j *Journal) Err() error {
	select {
	case <-j.stopped:
		return j.stopErr
	default:
		return nil
	}
}

// stop ends appending for good. The first cause stays.
func (j *Journal) stop(err error) {
	j.stopOnce.Do(func() {
		j.stopErr = err
		close(j.stopped)
	})
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.append.stats
	s.Segments = len(j.segments)
	return s
}

// Close lets the appends that wait finish, seals the journal's end, and releases
// the directory. Calling it again returns the same error.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		j.queue.close()
		<-j.lead // for good
		j.commit()
		j.append.finish()
		j.stop(ErrClosed)
		j.closeErr = j.release()
		if errors.Is(j.stopErr, ErrStopped) {
			j.closeErr = errors.Join(j.stopErr, j.closeErr)
		}
	})
	return j.closeErr
}

// release closes what is open.
func (j *Journal) release() error {
	var err error
	if j.append != nil {
		err = j.append.closeFiles()
	}
	return errors.Join(err, j.lock.Close())
}
