//go:build !linux

package bench

import (
	"errors"
	"os"
)

func fdatasync(f *os.File) error { return f.Sync() }

func dropPages(*os.File) error { return errors.ErrUnsupported }
