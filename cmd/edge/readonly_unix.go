//go:build !windows

package main

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// readOnlyDisk tells whether a write failed because nothing may be written there.
func readOnlyDisk(err error) bool {
	return errors.Is(err, unix.EROFS) || errors.Is(err, fs.ErrPermission)
}
