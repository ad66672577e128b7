package sim

import (
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/tallystick/tallystick/sync/journal"
)

// sector is what reaches a platter whole or not at all, in bytes.
const sector = 512

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

// disk is the directory of a journal. What was written and not synced survives the end
// of a process, and a power cut sector by sector, each or not at all; so do changes of
// the directory, in their order. It belongs to one goroutine.
type disk struct {
	files   map[string]*node // as the running system sees them
	durable map[string]*node // names that a power cut leaves
	log     []func(map[string]*node)
	locked  bool
	off     bool
	lying   bool // the broken build: syncing does nothing

	fuse  int // mutating calls until the machine dies; 0 is never
	dies  moment
	burnt string // the call in which it died
}

type node struct {
	data    []byte // as the running system sees it
	synced  []byte // on the platter
	pending []piece
}

type piece struct {
	at   int
	data []byte
}

func newDisk(lying bool) *disk {
	return &disk{files: map[string]*node{}, durable: map[string]*node{}, lying: lying}
}

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
	n := d.files[name]
	if n == nil {
		return nil, fs.ErrNotExist
	}
	return &file{d, n}, nil
}

func (d *disk) Create(name string) (journal.File, error) {
	n := &node{}
	err := d.do("create", func() { d.change(func(m map[string]*node) { m[name] = n }) })
	return &file{d, n}, err
}

func (d *disk) Rename(from, to string) error {
	if d.files[from] == nil {
		return fs.ErrNotExist
	}
	return d.do("rename", func() {
		d.change(func(m map[string]*node) {
			if n := m[from]; n != nil {
				m[to] = n
				delete(m, from)
			}
		})
	})
}

func (d *disk) Remove(name string) error {
	if d.files[name] == nil {
		return fs.ErrNotExist
	}
	return d.do("remove", func() { d.change(func(m map[string]*node) { delete(m, name) }) })
}

func (d *disk) change(fn func(map[string]*node)) {
	fn(d.files)
	d.log = append(d.log, fn)
}

func (d *disk) List() ([]string, error) {
	if d.off {
		return nil, errPower
	}
	var names []string
	for name := range d.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func (d *disk) SyncDir() error {
	return d.do("sync directory", func() {
		if !d.lying {
			d.settle(len(d.log))
		}
	})
}

func (d *disk) settle(n int) {
	for _, change := range d.log[:n] {
		change(d.durable)
	}
	d.log = d.log[n:]
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
	return &disk{files: d.files, durable: d.durable, log: d.log, lying: d.lying}
}

// afterCut is the disk as it is found when the power is back.
func (d *disk) afterCut(r *dice) *disk {
	d.off = true
	d.settle(r.IntN(len(d.log) + 1))
	out := newDisk(d.lying)
	names := make([]string, 0, len(d.durable))
	for name := range d.durable {
		names = append(names, name)
	}
	slices.Sort(names) // chance must not follow the order of a map
	for _, name := range names {
		n := d.durable[name]
		n.cut(r)
		out.put(name, n.synced)
	}
	return out
}

// image is a copy of the disk as the running system sees it, all of it durable.
func (d *disk) image() *disk {
	out := newDisk(d.lying)
	for name, n := range d.files {
		out.put(name, n.data)
	}
	return out
}

func (d *disk) put(name string, data []byte) {
	n := &node{data: slices.Clone(data), synced: slices.Clone(data)}
	d.files[name], d.durable[name] = n, n
}

// cut lets each sector that was not synced reach the platter or not.
func (n *node) cut(r *dice) {
	mode := r.IntN(4) // all, none, or each by itself
	for _, p := range n.pending {
		for from := 0; from < len(p.data); {
			to := min(len(p.data), (p.at+from)/sector*sector+sector-p.at)
			if mode == 0 || mode > 1 && r.IntN(2) == 0 {
				n.synced = place(n.synced, p.at+from, p.data[from:to])
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

type file struct {
	d *disk
	n *node
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if f.d.off {
		return 0, errPower
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
	f.n.data = place(f.n.data, int(off), p)
	f.n.pending = append(f.n.pending, piece{int(off), slices.Clone(p)})
	if dies {
		return 0, errPower
	}
	return len(p), nil
}

func (f *file) Sync() error {
	return f.d.do("sync", func() {
		if f.d.lying {
			return
		}
		for _, p := range f.n.pending {
			f.n.synced = place(f.n.synced, p.at, p.data)
		}
		f.n.pending = nil
	})
}

func (f *file) Size() (int64, error) { return int64(len(f.n.data)), nil }

func (f *file) Close() error { return nil }
