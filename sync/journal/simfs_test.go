package journal

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/tallystick/tallystick/internal/testkit/platter"
)

// simDisk is a directory on a disk whose power can be cut. It can also run full, and
// fail its Nth call.
type simDisk struct {
	mu sync.Mutex
	*platter.Dir
	locked bool
	off    bool // every call fails: the power is gone

	syncOff bool // the broken build: Sync and SyncDir do nothing
	room    int  // bytes left to allocate; negative is no limit
	calls   int  // mutating calls so far
	failAt  int  // number of the call that fails with EIO; 0 is none
	failed  string
}

func newSimDisk() *simDisk { return &simDisk{Dir: platter.NewDir(), room: -1} }

var errPowerOff = errors.New("power is off")

// call counts one mutating call and says whether it fails.
func (d *simDisk) call(what string) error {
	if d.off {
		return errPowerOff
	}
	d.calls++
	if d.calls == d.failAt {
		d.failed = what
		return syscall.EIO
	}
	return nil
}

func (d *simDisk) Open(name string, _ bool) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, errPowerOff
	}
	f, ok := d.Files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return &simFile{d, f}, nil
}

func (d *simDisk) Create(name string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("create"); err != nil {
		return nil, err
	}
	return &simFile{d, d.Dir.Create(name)}, nil
}

func (d *simDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("rename"); err != nil {
		return err
	}
	return d.Dir.Rename(from, to)
}

func (d *simDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("remove"); err != nil {
		return err
	}
	f := d.Files[name]
	if err := d.Dir.Remove(name); err != nil {
		return err
	}
	if d.room >= 0 {
		d.room += len(f.Data)
	}
	return nil
}

func (d *simDisk) List() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Names(), nil
}

func (d *simDisk) SyncDir() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("syncdir"); err != nil {
		return err
	}
	if !d.syncOff {
		d.Sync()
	}
	return nil
}

type simLock struct{ d *simDisk }

func (l simLock) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	l.d.locked = false
	return nil
}

func (d *simDisk) Lock() (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked {
		return nil, ErrLocked
	}
	d.locked = true
	return simLock{d}, nil
}

// powerOff makes every later call fail.
func (d *simDisk) powerOff() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// afterCut returns the disk as it is found when the power is back.
func (d *simDisk) afterCut(r *rand.Rand) *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &simDisk{Dir: d.AfterCut(r), room: -1}
}

// clone copies the disk as the running system sees it, all durable.
func (d *simDisk) clone() *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &simDisk{Dir: d.Image(), room: -1}
}

// afterKill returns the disk as another process finds it after kill -9: what was
// written is seen, what was not synced can still be lost.
func (d *simDisk) afterKill() *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &simDisk{Dir: d.Dir, room: d.room}
}

type simFile struct {
	d *simDisk
	f *platter.File
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.off {
		return 0, errPowerOff
	}
	return f.f.ReadAt(p, off)
}

func (f *simFile) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.call("write"); err != nil {
		return 0, err
	}
	grow := max(0, int(off)+len(p)-len(f.f.Data))
	if f.d.room >= 0 {
		if grow > f.d.room {
			return 0, syscall.ENOSPC
		}
		f.d.room -= grow
	}
	f.f.Write(p, off)
	return len(p), nil
}

func (f *simFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.call("sync"); err != nil {
		f.f.Forget()
		return err
	}
	if !f.d.syncOff {
		f.f.Sync()
	}
	return nil
}

func (f *simFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.f.Data)), nil
}

func (f *simFile) Close() error { return nil }
