package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is an open file of the journal's directory.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when the written bytes are on the disk. An error means that
	// nobody knows what is.
	Sync() error
	// Size returns the length in bytes.
	Size() (int64, error)
}

// FS is the journal's directory: the seam where tests cut the power. Names have no
// path. Errors wrap fs.ErrNotExist and syscall.ENOSPC as package os does.
type FS interface {
	// Open opens an existing file; only for reading unless write is set.
	Open(name string, write bool) (File, error)
	// Create makes an empty file for writing, replacing one of that name.
	Create(name string) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	// List returns the names of all files, in any order.
	List() ([]string, error)
	// SyncDir makes creations, renames and removals durable.
	SyncDir() error
	// Lock takes the directory for one writer until the returned closer is closed,
	// or fails with ErrLocked.
	Lock() (io.Closer, error)
}

// lockName is the file that the single-writer lock is taken on.
const lockName = "lock"

// diskFS is the real directory.
type diskFS struct {
	dir  string
	sync func(*os.File) error
}

type diskFile struct {
	*os.File
	sync func(*os.File) error
}

func (f diskFile) Sync() error { return f.sync(f.File) }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d diskFS) Open(name string, write bool) (File, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(filepath.Join(d.dir, name), flag, 0)
	if err != nil {
		return nil, err
	}
	return diskFile{f, d.sync}, nil
}

func (d diskFS) Create(name string) (File, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f, d.sync}, nil
}

func (d diskFS) Rename(from, to string) error {
	return os.Rename(filepath.Join(d.dir, from), filepath.Join(d.dir, to))
}

func (d diskFS) Remove(name string) error { return os.Remove(filepath.Join(d.dir, name)) }

func (d diskFS) List() ([]string, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d diskFS) SyncDir() error { return syncDir(d.dir) }

func (d diskFS) Lock() (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	dir, err := lockDir(d.dir)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return locks{dir, f}, nil
}

// locks is the lock on the directory, where there is one, and that on the lock file.
type locks struct{ dir, file *os.File }

func (l locks) Close() error {
	if l.dir == nil {
		return l.file.Close()
	}
	return errors.Join(l.dir.Close(), l.file.Close())
}

// makeZeroed creates name with size zero bytes, all on the disk, under a
// temporary name that becomes name at the end: a file of that name is always whole.
func makeZeroed(fsys FS, name string, size int) (err error) {
	tmp := name + tmpSuffix
	f, err := fsys.Create(tmp)
	if err != nil {
		return fmt.Errorf("create %s: %w", tmp, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(fsys, tmp))
		}
	}()
	err = errors.Join(writeZeros(f, 0, int64(size)), f.Close())
	if err != nil {
		return fmt.Errorf("fill %s: %w", tmp, err)
	}
	if err = fsys.Rename(tmp, name); err != nil {
		return fmt.Errorf("rename %s: %w", tmp, err)
	}
	if err = fsys.SyncDir(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

const tmpSuffix = ".tmp"

// writeZeros writes zeros from offset from up to to, and syncs.
func writeZeros(f File, from, to int64) error {
	zeros := make([]byte, min(to-from, 256<<10))
	for at := from; at < to; {
		n := min(to-at, int64(len(zeros)))
		if _, err := f.WriteAt(zeros[:n], at); err != nil {
			return err
		}
		at += n
	}
	return f.Sync()
}

func removeIfThere(fsys FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
