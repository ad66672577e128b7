package powercut

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Fill takes all free space of the disk, as a bystander would, and returns the
// function that gives it back.
func (d *Disk) Fill() (giveBack func() error, err error) {
	name := filepath.Join(d.mount, "bystander")
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("fill disk: %w", err)
	}
	defer f.Close()
	// Ever smaller pieces, until not even one block is left.
	var at int64
	for piece := int64(64 << 20); piece >= 4<<10; {
		err := unix.Fallocate(int(f.Fd()), 0, at, piece)
		switch {
		case err == nil:
			at += piece
		case errors.Is(err, unix.ENOSPC):
			piece /= 2
		default:
			return nil, errors.Join(fmt.Errorf("fill disk: %w", err), os.Remove(name))
		}
	}
	return func() error {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("give space back: %w", err)
		}
		return nil
	}, nil
}
