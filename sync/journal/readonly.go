package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Reader is a journal opened for reading only, such as one on a disk moved to
// another machine. It is safe for concurrent use.
type Reader struct {
	shelf
	damage error
}

// OpenReadOnly reads the journal in dir, whoever wrote it, changes nothing and
// takes no lock: a writer may be at work, and what it adds later is not seen. Of a damaged journal it offers the entries before the damage, which
// [Reader.Damage] names. Without any segment the error wraps fs.ErrNotExist.
func OpenReadOnly(ctx context.Context, dir string, opts ...Option) (*Reader, error) {
	o, err := readOptions(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open journal for reading: %w", err)
	}
	found, err := look(ctx, o.fs)
	if err != nil && !isDamage(err) {
		return nil, fmt.Errorf("open journal for reading: %w", err)
	}
	if len(found.segments) == 0 {
		if err == nil {
			err = fs.ErrNotExist
		}
		return nil, fmt.Errorf("open journal for reading: %w", err)
	}
	r := &Reader{damage: err}
	r.fill(o.fs, found.writer, found)
	return r, nil
}

// looks bounds how often a journal is read that looks different each time.
const looks = 5

// look loads the journal, again when something is wrong with it, until it is twice
// the same: a writer at work changes files between one read and the next, and that
// can look like damage.
func look(ctx context.Context, fsys FS) (*loaded, error) {
	found, err := load(ctx, fsys, nil)
	for range looks - 1 {
		if err == nil {
			break
		}
		before := err.Error()
		if found, err = load(ctx, fsys, nil); err != nil && err.Error() == before {
			break
		}
	}
	return found, err
}

// Damage returns what ends the readable part before its time: an error as of
// [Open], or nil.
func (r *Reader) Damage() error { return r.damage }

// isDamage tells what the files say from what reading them met.
func isDamage(err error) bool {
	var (
		corrupt   *CorruptError
		missing   *MissingError
		foreign   *ForeignError
		misplaced *MisplacedError
		version   *VersionError
	)
	return errors.As(err, &corrupt) || errors.As(err, &missing) || errors.As(err, &foreign) ||
		errors.As(err, &misplaced) || errors.As(err, &version)
}
