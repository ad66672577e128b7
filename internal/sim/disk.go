package sim

import (
	"errors"
	"io"
	"io/fs"

	"github.com/tallystick/tallystick/internal/testkit/platter"
	"github.com/tallystick/tallystick/sync/journal"
)

// errPower is what every call of a disk answers whose machine is off.
var errPower = errors.New("the machine is off")

// moment says when a machine dies in the call that its fuse is set to.
type moment int

const (
	before moment = iota // the call does nothing
	torn                 // a write does its first half
	after                // the call is done, and its caller never learns it
	moments
)

// disk is the directory of a journal, in a machine that can die in any call. What was
// written and not synced survives the end of a process; a power cut leaves of it what
// chance has. It belongs to one goroutine.
type disk struct {
	*platter.Dir
	locked bool
	off    bool
	lying  bool // the broken build: syncing does nothing

	fuse  int // mutating calls until the machine dies; 0 is never
	dies  moment
	burnt string // the call in which it died
}

func newDisk(lying bool) *disk { return &disk{Dir: platter.NewDir(), lying: lying} }

// call counts one mutating call. It returns when in it the machine dies, if it does.
func (d *disk) call(what string) (dies bool, err error) {
	if d.off {
		return false, errPower
	}
	if d.fuse == 0 {
		return false, nil
	}
	if d.fuse--; d.fuse > 0 {
		return false, nil
	}
	d.off, d.burnt = true, what
	return true, nil
}

// do runs one mutating call that cannot be torn.
func (d *disk) do(what string, effect func()) error {
	dies, err := d.call(what)
	if err != nil {
		return err
	}
	if !dies || d.dies == after {
		effect()
	}
	if dies {
		return errPower
	}
	return nil
}

func (d *disk) Open(name string, _ bool) (journal.File, error) {
	if d.off {
		return nil, errPower
	}
	f := d.Files[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return &file{d, f}, nil
}

func (d *disk) Create(name string) (journal.File, error) {
	f := &platter.File{}
	err := d.do("create", func() { f = d.Dir.Create(name) })
	return &file{d, f}, err
}

func (d *disk) Rename(from, to string) error {
	if d.Files[from] == nil {
		return fs.ErrNotExist
	}
	var effect error
	return errors.Join(d.do("rename", func() { effect = d.Dir.Rename(from, to) }), effect)
}

func (d *disk) Remove(name string) error {
	if d.Files[name] == nil {
		return fs.ErrNotExist
	}
	var effect error
	return errors.Join(d.do("remove", func() { effect = d.Dir.Remove(name) }), effect)
}

func (d *disk) List() ([]string, error) {
	if d.off {
		return nil, errPower
	}
	return d.Names(), nil
}

func (d *disk) SyncDir() error {
	return d.do("sync directory", func() {
		if !d.lying {
			d.Sync()
		}
	})
}

type lock struct{ d *disk }

func (l lock) Close() error {
	l.d.locked = false
	return nil
}

func (d *disk) Lock() (io.Closer, error) {
	if d.locked {
		return nil, journal.ErrLocked
	}
	d.locked = true
	return lock{d}, nil
}

// afterKill is the disk as the next process finds it: all that was written is there.
func (d *disk) afterKill() *disk {
	d.off = true
	return &disk{Dir: d.Dir, lying: d.lying}
}

// afterCut is the disk as it is found when the power is back.
func (d *disk) afterCut(r *dice) *disk {
	d.off = true
	return &disk{Dir: d.AfterCut(r), lying: d.lying}
}

// image is a copy of the disk as the running system sees it, all of it durable.
func (d *disk) image() *disk { return &disk{Dir: d.Image(), lying: d.lying} }

type file struct {
	d *disk
	f *platter.File
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if f.d.off {
		return 0, errPower
	}
	return f.f.ReadAt(p, off)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	dies, err := f.d.call("write")
	switch {
	case err != nil:
		return 0, err
	case dies && f.d.dies == before:
		return 0, errPower
	case dies && f.d.dies == torn:
		p = p[:len(p)/2]
	}
	f.f.Write(p, off)
	if dies {
		return 0, errPower
	}
	return len(p), nil
}

func (f *file) Sync() error {
	return f.d.do("sync", func() {
		if !f.d.lying {
			f.f.Sync()
		}
	})
}

func (f *file) Size() (int64, error) { return int64(len(f.f.Data)), nil }

func (f *file) Close() error { return nil }
