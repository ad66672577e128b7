//go:build !windows

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeDisk returns the bytes that this user may still write below dir.
func freeDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
