package main

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// readOnlyDisk tells whether a write failed because nothing may be written there.
func readOnlyDisk(err error) bool {
	return errors.Is(err, windows.ERROR_WRITE_PROTECT) || errors.Is(err, fs.ErrPermission)
}
