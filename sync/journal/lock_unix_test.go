//go:build unix

package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Two writers would both answer, and leave a journal that neither can open.
func TestG3_RemovingTheLockFileLetsNobodyIn(t *testing.T) {
	dir := t.TempDir()
	j := openDir(t, dir)
	if err := os.Remove(filepath.Join(dir, lockName)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if second, err := Open(context.Background(), dir, testWriter); !errors.Is(err, ErrLocked) {
			t.Fatalf("second writer: %v, %v", second, err)
		}
	}
	want := mustAppend(t, j, []byte("mine"))
	mustClose(t, j)
	if j = openDir(t, dir); j.Head() != want {
		t.Errorf("head %v, want %v", j.Head(), want)
	}
}
