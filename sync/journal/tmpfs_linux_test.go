package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskFullTmpfs fills a real file system with a bystander's file.
func TestDiskFullTmpfs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: mounting a tmpfs needs root; TestDiskFull covers the logic on a simulated disk")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("SKIPPED: cannot mount a tmpfs here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	j := openDir(t, dir, WithSegmentSize(128<<10))
	var want [][]byte
	put := func() error {
		e := fmt.Appendf(nil, "entry %0500d", len(want))
		_, err := j.Append(context.Background(), e)
		if err == nil {
			want = append(want, e)
		}
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 640<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		err = put()
	}
	if !errors.Is(err, ErrDiskFull) || !errors.Is(err, syscall.ENOSPC) || j.Err() != nil {
		t.Fatalf("at a full disk: %v", err)
	}
	checkHolds(t, &j.shelf, 1, want)
	mustClose(t, j)
	j = openDir(t, dir, WithSegmentSize(128<<10))
	if err := put(); !errors.Is(err, ErrDiskFull) {
		t.Fatalf("still full: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := put(); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	checkHolds(t, &j.shelf, 1, want)
	mustClose(t, j)
}
