package powercut

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// namePrefix marks our folders; the id of the owning process follows.
const namePrefix = "tallystick-powercut-"

func dirPrefix() string { return fmt.Sprintf("%s%d-", namePrefix, os.Getpid()) }

// sweep removes the disks of processes that are gone.
func sweep(ctx context.Context) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("read mounts: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() && ctx.Err() == nil {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		dir := filepath.Dir(fields[4]) // field 5 is the mount point (proc(5))
		owner, ok := ownerOf(dir)
		if !ok || alive(owner) {
			continue
		}
		if err := remove(dir); err != nil {
			return fmt.Errorf("remove stale disk: %w", err)
		}
	}
	return errors.Join(lines.Err(), ctx.Err())
}

// ownerOf reads the process id out of the name of one of our folders.
func ownerOf(dir string) (int, bool) {
	rest, ok := strings.CutPrefix(filepath.Base(dir), namePrefix)
	if !ok {
		return 0, false
	}
	id, _, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, false
	}
	pid, err := strconv.Atoi(id)
	return pid, err == nil && pid > 0
}

// alive tells whether a process exists; signal 0 only asks.
func alive(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// remove unmounts what is mounted in one of our folders and deletes the folder.
func remove(dir string) error {
	mount := filepath.Join(dir, "mnt")
	err := unix.Unmount(mount, 0)
	if errors.Is(err, unix.EBUSY) {
		err = unix.Unmount(mount, unix.MNT_DETACH)
	}
	// EINVAL and ENOENT: nothing is mounted there.
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", mount, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove disk: %w", err)
	}
	return nil
}
