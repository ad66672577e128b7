package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData flushes f's bytes and, since segments never grow, skips the journal
// commit of the file system that a full fsync would cost.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
