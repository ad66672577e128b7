package journal

import (
	"errors"
	"fmt"
)

// mend makes what load found ready for appending, and returns an appender that
// stands at its end. All it changes is durable when it returns.
func mend(o options, w Writer, found *loaded) (*appender, error) {
	a := &appender{
		fs: o.fs, writer: w, newSize: o.segmentSize, floor: found.floor, stated: found.floor,
		chain: newChain(w, found.last.head), group: found.last.group, sealed: found.last.sealed,
	}
	if err := dropLeftovers(o.fs); err != nil {
		return a, err
	}
	if len(found.segments) == 0 {
		a.chain, a.group, a.sealed = newChain(w, Head{}), 0, false
		found.report.Created = true
	}
	if err := a.openHeadFile(found); err != nil {
		return a, err
	}
	if err := a.mendSpares(found); err != nil {
		return a, err
	}
	if len(found.segments) == 0 {
		return a, a.create()
	}
	return a, a.mendTail(found)
}

// dropLeftovers removes files that were being made when the process ended, and
// syncs the directory: what it shows may have been renamed just before the sync that
// failed.
func dropLeftovers(fsys FS) error {
	names, err := fsys.List()
	if err != nil {
		return fmt.Errorf("list journal: %w", err)
	}
	for _, name := range names {
		cut := len(name) - len(tmpSuffix)
		if cut < 0 || name[cut:] != tmpSuffix {
			continue
		}
		if _, ok := parseSegmentName(name[:cut]); ok || name[:cut] == headName {
			if err := removeIfThere(fsys, name); err != nil {
				return fmt.Errorf("remove %s: %w", name, err)
			}
		}
	}
	if err := fsys.SyncDir(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// openHeadFile opens the head file, and makes a new one where there is none of the
// right size. It is made before the first segment, so that a journal with entries
// and no head file has lost it.
func (a *appender) openHeadFile(found *loaded) error {
	f, err := a.fs.Open(headName, true)
	if err == nil {
		size, sizeErr := f.Size()
		if sizeErr == nil && size == headFileSize {
			a.headFile = f
			return nil
		}
		err = errors.Join(sizeErr, f.Close())
	} else if isMissing(err) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("open head file: %w", err)
	}
	if err := makeZeroed(a.fs, headName, headFileSize); err != nil {
		return fmt.Errorf("make head file: %w", err)
	}
	if a.headFile, err = a.fs.Open(headName, true); err != nil {
		return fmt.Errorf("open head file: %w", err)
	}
	return nil
}

// mendSpares keeps the one file behind the last segment that can be the next one,
// wiped if a group was being written to it, and removes all others.
func (a *appender) mendSpares(found *loaded) error {
	for i := len(found.spares) - 1; i >= 0; i-- {
		s := found.spares[i]
		if i == 0 && s.size == a.newSize {
			return a.keepSpare(s, found)
		}
		if err := a.fs.Remove(segmentName(s.index)); err != nil {
			return fmt.Errorf("remove spare segment: %w", err)
		}
		if err := a.fs.SyncDir(); err != nil {
			return fmt.Errorf("sync directory: %w", err)
		}
	}
	return nil
}

func (a *appender) keepSpare(s spareFile, found *loaded) error {
	f, err := a.fs.Open(segmentName(s.index), true)
	if err != nil {
		return fmt.Errorf("open spare segment: %w", err)
	}
	a.spare = f
	if s.dirty {
		found.report.CutSegment = s.index
		if err := writeZeros(f, 0, int64(s.size)); err != nil {
			return fmt.Errorf("wipe spare segment: %w", err)
		}
	}
	return nil
}

// create begins a journal: segment 1 with a seal, durable before anything else.
func (a *appender) create() error {
	if a.spare == nil {
		f, err := makeSegment(a.fs, 1, a.newSize)
		if err != nil {
			return err
		}
		a.spare = f
	}
	return a.enter(a.spare, 1)
}

// mendTail wipes what follows the last good frame of the last segment, and writes
// the last group again: after a failed sync the kernel may show bytes that are not on
// the disk and that it would never write by itself.
func (a *appender) mendTail(found *loaded) error {
	last := found.last
	a.index, a.salt, a.end, a.size = last.header.index, last.salt, last.end, int(last.header.size)
	f, err := a.fs.Open(segmentName(a.index), true)
	if err != nil {
		return fmt.Errorf("open segment %d: %w", a.index, err)
	}
	a.file = f
	from := last.tail
	if from <= headerSize {
		from = 0
	}
	kept := make([]byte, last.end-from)
	if _, err := f.ReadAt(kept, int64(from)); err != nil {
		return fmt.Errorf("read last group: %w", err)
	}
	if _, err := f.WriteAt(kept, int64(from)); err != nil {
		return fmt.Errorf("write last group again: %w", err)
	}
	if !last.torn && found.lastLen >= a.size {
		return a.syncTail()
	}
	if last.torn {
		found.report.CutSegment, found.report.CutAt = a.index, int64(last.end)
	}
	a.sealed = false
	if err := writeZeros(f, int64(last.end), int64(a.size)); err != nil {
		return fmt.Errorf("wipe torn group: %w", err)
	}
	return nil
}

func (a *appender) syncTail() error {
	if err := a.file.Sync(); err != nil {
		return fmt.Errorf("sync last group: %w", err)
	}
	return nil
}
