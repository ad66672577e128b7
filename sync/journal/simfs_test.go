package journal

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
)

const sectorSize = 512

// simDisk is a directory on a disk whose power can be cut: bytes written and not
// synced survive sector by sector, each or not at all, as do directory changes in
// their order. It can also run full, and fail its Nth call.
type simDisk struct {
	mu      sync.Mutex
	files   map[string]*simNode // as the running system sees them
	durable map[string]*simNode // names that a power cut leaves
	dirLog  []func(map[string]*simNode)
	locked  bool
	off     bool // every call fails: the power is gone

	syncOff bool // the broken build: Sync and SyncDir do nothing
	room    int  // bytes left to allocate; negative is no limit
	calls   int  // mutating calls so far
	failAt  int  // number of the call that fails with EIO; 0 is none
	failed  string
}

type simNode struct {
	data    []byte // as the running system sees it
	synced  []byte // on the platter
	pending []simWrite
}

type simWrite struct {
	at   int
	data []byte
}

func newSimDisk() *simDisk {
	return &simDisk{files: map[string]*simNode{}, durable: map[string]*simNode{}, room: -1}
}

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
	n, ok := d.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return &simFile{d, n}, nil
}

func (d *simDisk) Create(name string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("create"); err != nil {
		return nil, err
	}
	n := &simNode{}
	d.files[name] = n
	d.dirLog = append(d.dirLog, func(m map[string]*simNode) { m[name] = n })
	return &simFile{d, n}, nil
}

func (d *simDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("rename"); err != nil {
		return err
	}
	if d.files[from] == nil {
		return fs.ErrNotExist
	}
	move := func(m map[string]*simNode) {
		if n := m[from]; n != nil {
			m[to] = n
			delete(m, from)
		}
	}
	move(d.files)
	d.dirLog = append(d.dirLog, move)
	return nil
}

func (d *simDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("remove"); err != nil {
		return err
	}
	n := d.files[name]
	if n == nil {
		return fs.ErrNotExist
	}
	if d.room >= 0 {
		d.room += len(n.data)
	}
	delete(d.files, name)
	d.dirLog = append(d.dirLog, func(m map[string]*simNode) { delete(m, name) })
	return nil
}

func (d *simDisk) List() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func (d *simDisk) SyncDir() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("syncdir"); err != nil {
		return err
	}
	if !d.syncOff {
		d.settleDir(len(d.dirLog))
	}
	return nil
}

func (d *simDisk) settleDir(n int) {
	for _, change := range d.dirLog[:n] {
		change(d.durable)
	}
	d.dirLog = d.dirLog[n:]
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
	d.settleDir(r.IntN(len(d.dirLog) + 1))
	out := newSimDisk()
	for name, n := range d.durable {
		n.cut(r)
		c := &simNode{data: slices.Clone(n.synced), synced: slices.Clone(n.synced)}
		out.files[name], out.durable[name] = c, c
	}
	return out
}

// clone copies the disk as the running system sees it, all durable.
func (d *simDisk) clone() *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := newSimDisk()
	for name, n := range d.files {
		c := &simNode{data: slices.Clone(n.data), synced: slices.Clone(n.data)}
		out.files[name], out.durable[name] = c, c
	}
	return out
}

// afterKill returns the disk as another process finds it after kill -9: what was
// written is seen, what was not synced can still be lost.
func (d *simDisk) afterKill() *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &simDisk{files: d.files, durable: d.durable, dirLog: d.dirLog, room: d.room}
}

// cut lets each unsynced sector reach the platter or not.
func (n *simNode) cut(r *rand.Rand) {
	mode := r.IntN(4) // all, none, or each sector by itself
	for _, w := range n.pending {
		for from := 0; from < len(w.data); {
			to := min(len(w.data), (w.at+from)/sectorSize*sectorSize+sectorSize-w.at)
			if mode == 0 || (mode > 1 && r.IntN(2) == 0) {
				n.synced = place(n.synced, w.at+from, w.data[from:to])
			}
			from = to
		}
	}
	n.pending = nil
}

func place(dst []byte, at int, data []byte) []byte {
	if short := at + len(data) - len(dst); short > 0 {
		dst = append(dst, make([]byte, short)...)
	}
	copy(dst[at:], data)
	return dst
}

type simFile struct {
	d *simDisk
	n *simNode
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.off {
		return 0, errPowerOff
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.call("write"); err != nil {
		return 0, err
	}
	grow := max(0, int(off)+len(p)-len(f.n.data))
	if f.d.room >= 0 {
		if grow > f.d.room {
			return 0, syscall.ENOSPC
		}
		f.d.room -= grow
	}
	f.n.data = place(f.n.data, int(off), p)
	f.n.pending = append(f.n.pending, simWrite{int(off), slices.Clone(p)})
	return len(p), nil
}

// Sync makes the file durable. When it fails, what was pending is forgotten, as
// Linux does: the running system still sees it, the platter never will.
func (f *simFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.call("sync"); err != nil {
		f.n.pending = nil
		return err
	}
	if !f.d.syncOff {
		for _, w := range f.n.pending {
			f.n.synced = place(f.n.synced, w.at, w.data)
		}
		f.n.pending = nil
	}
	return nil
}

func (f *simFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.n.data)), nil
}

func (f *simFile) Close() error { return nil }
