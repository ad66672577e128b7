package journal

import "fmt"

// makeSegment makes a zero-filled segment file, whole and durable, and opens it.
func makeSegment(fsys FS, index uint64, size int) (File, error) {
	if err := makeZeroed(fsys, segmentName(index), size); err != nil {
		return nil, fmt.Errorf("make segment %d: %w", index, err)
	}
	f, err := fsys.Open(segmentName(index), true)
	if err != nil {
		return nil, fmt.Errorf("open segment %d: %w", index, err)
	}
	return f, nil
}

// preallocate starts making the next segment, unless it is there or in the making,
// or the last attempt failed: then the next append that needs it tries again.
func (a *appender) preallocate() {
	if a.spare != nil || a.build != nil || a.journal.Err() != nil {
		return
	}
	a.startBuild()
}

func (a *appender) startBuild() {
	done := make(chan built, 1)
	a.build = done
	fsys, index, size, j := a.fs, a.index+1, a.newSize, a.journal
	build := func() {
		f, err := makeSegment(fsys, index, size)
		if err != nil && !diskFull(err) {
			j.stop(fmt.Errorf("%w: %w", ErrStopped, err))
		}
		j.mu.Lock()
		j.append.stats.SpareReady = err == nil
		j.mu.Unlock()
		done <- built{f, err}
	}
	if j.options.alone {
		build()
		return
	}
	go build()
}

// roll goes on to the next segment. It returns ErrDiskFull when there is none and
// none can be made; every call tries again.
func (a *appender) roll() error {
	if a.spare == nil && a.build != nil {
		_ = a.collect() // if it failed, the attempt below says why
	}
	if a.spare == nil {
		if err := a.journal.Err(); err != nil {
			return err
		}
		a.startBuild()
		if err := a.collect(); err != nil {
			return a.refuse(err)
		}
	}
	err := a.file.Close()
	a.file = nil
	if err == nil {
		err = a.enter(a.spare, a.index+1)
	}
	if err != nil {
		err = fmt.Errorf("%w: leave segment %d: %w", ErrStopped, a.index, err)
		a.journal.stop(err)
	}
	return err
}

// refuse makes the failure to preallocate the answer to one append.
func (a *appender) refuse(err error) error {
	if stopped := a.journal.Err(); stopped != nil {
		return stopped
	}
	a.journal.mu.Lock()
	defer a.journal.mu.Unlock()
	a.stats.Refused++
	return fmt.Errorf("%w: %w", ErrDiskFull, err)
}

// collect waits for the segment being made.
func (a *appender) collect() error {
	b := <-a.build
	a.build, a.spare = nil, b.file
	return b.err
}

// enter makes f the segment to write to. Its header goes out with its first group.
func (a *appender) enter(f File, index uint64) error {
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("size segment %d: %w", index, err)
	}
	a.file, a.spare, a.index = f, nil, index
	a.size, a.end = int(size), headerSize
	a.fresh = &header{
		writer: a.writer, size: uint32(size), index: index,
		firstSeq: a.chain.head.Seq + 1, group: a.group + 1, prev: a.chain.head.Hash,
	}
	a.salt = a.fresh.salt()
	return nil
}
