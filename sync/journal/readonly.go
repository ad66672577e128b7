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
// takes no lock. Of a damaged journal it offers the entries before the damage, which
// [Reader.Damage] names. Without any segment the error wraps fs.ErrNotExist.
func OpenReadOnly(ctx context.Context, dir string, opts ...Option) (*Reader, error) {
	o, err := readOptions(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open journal for reading: %w", err)
	}
	found, err := load(ctx, o.fs, nil)
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
