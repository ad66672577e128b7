package platter

import (
	"io"
	"io/fs"
	"slices"
)

// Sector is what reaches a platter whole or not at all, in bytes.
const Sector = 512

// Chance decides what a power cut leaves.
type Chance interface {
	// IntN returns a number from 0 up to n, not n itself.
	IntN(n int) int
}

// File is one file. Data is as the running system sees it.
type File struct {
	Data    []byte
	synced  []byte // on the platter
	pending []piece
}

type piece struct {
	at   int
	data []byte
}

// ReadAt is that of io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(f.Data)) {
		return 0, io.EOF
	}
	n := copy(p, f.Data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write puts bytes where the running system sees them.
func (f *File) Write(p []byte, off int64) {
	f.Data = place(f.Data, int(off), p)
	f.pending = append(f.pending, piece{int(off), slices.Clone(p)})
}

// Sync makes what was written durable.
func (f *File) Sync() {
	for _, p := range f.pending {
		f.synced = place(f.synced, p.at, p.data)
	}
	f.pending = nil
}

// Forget is a sync that failed, as Linux has it: the running system still sees what was
// written, the platter never will.
func (f *File) Forget() { f.pending = nil }

// cut lets each sector that was not synced reach the platter or not.
func (f *File) cut(c Chance) {
	mode := c.IntN(4) // all, none, or each by itself
	for _, p := range f.pending {
		for from := 0; from < len(p.data); {
			to := min(len(p.data), (p.at+from)/Sector*Sector+Sector-p.at)
			if mode == 0 || mode > 1 && c.IntN(2) == 0 {
				f.synced = place(f.synced, p.at+from, p.data[from:to])
			}
			from = to
		}
	}
	f.pending = nil
}

func place(dst []byte, at int, data []byte) []byte {
	if short := at + len(data) - len(dst); short > 0 {
		dst = append(dst, make([]byte, short)...)
	}
	copy(dst[at:], data)
	return dst
}

// Dir is one directory. Files are as the running system sees them. It is for one
// goroutine at a time.
type Dir struct {
	Files   map[string]*File
	durable map[string]*File // names that a power cut leaves
	log     []func(map[string]*File)
}

// NewDir returns an empty directory.
func NewDir() *Dir { return &Dir{Files: map[string]*File{}, durable: map[string]*File{}} }

// Names are those of all files, in order.
func (d *Dir) Names() []string {
	names := make([]string, 0, len(d.Files))
	for name := range d.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Create makes an empty file, in place of one of that name.
func (d *Dir) Create(name string) *File {
	f := &File{}
	d.change(func(m map[string]*File) { m[name] = f })
	return f
}

// Rename is that of a file, or fs.ErrNotExist.
func (d *Dir) Rename(from, to string) error {
	if d.Files[from] == nil {
		return fs.ErrNotExist
	}
	d.change(func(m map[string]*File) {
		if f := m[from]; f != nil {
			m[to] = f
			delete(m, from)
		}
	})
	return nil
}

// Remove takes a name away, or returns fs.ErrNotExist.
func (d *Dir) Remove(name string) error {
	if d.Files[name] == nil {
		return fs.ErrNotExist
	}
	d.change(func(m map[string]*File) { delete(m, name) })
	return nil
}

func (d *Dir) change(fn func(map[string]*File)) {
	fn(d.Files)
	d.log = append(d.log, fn)
}

// Sync makes the changes of the directory durable.
func (d *Dir) Sync() { d.settle(len(d.log)) }

func (d *Dir) settle(n int) {
	for _, change := range d.log[:n] {
		change(d.durable)
	}
	d.log = d.log[n:]
}

// Put makes a durable file.
func (d *Dir) Put(name string, data []byte) {
	f := &File{Data: slices.Clone(data), synced: slices.Clone(data)}
	d.Files[name], d.durable[name] = f, f
}

// AfterCut is the directory as it is found when the power is back.
func (d *Dir) AfterCut(c Chance) *Dir {
	d.settle(c.IntN(len(d.log) + 1))
	names := make([]string, 0, len(d.durable))
	for name := range d.durable {
		names = append(names, name)
	}
	slices.Sort(names) // chance must not follow the order of a map
	out := NewDir()
	for _, name := range names {
		f := d.durable[name]
		f.cut(c)
		out.Put(name, f.synced)
	}
	return out
}

// Image is a copy as the running system sees it, all of it durable.
func (d *Dir) Image() *Dir {
	out := NewDir()
	for name, f := range d.Files {
		out.Put(name, f.Data)
	}
	return out
}
