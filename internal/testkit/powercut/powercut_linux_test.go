package powercut_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tallystick/tallystick/internal/testkit/powercut"
)

func newDisk(t *testing.T) *powercut.Disk {
	t.Helper()
	powercut.Need(t)
	d, err := powercut.New(t.Context(), t.TempDir(), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// write writes a file of 100 KB, synced with its folder or not.
func write(t *testing.T, name string, sync bool) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(bytes.Repeat([]byte("tally"), 20_000)); err != nil {
		t.Fatal(err)
	}
	if !sync {
		return
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := errors.Join(f.Sync(), folder.Sync()); err != nil {
		t.Fatal(err)
	}
}

func TestCutKeepsWhatWasSyncedAndLosesTheRest(t *testing.T) {
	d := newDisk(t)
	kept, lost := filepath.Join(d.Dir(), "kept"), filepath.Join(d.Dir(), "lost")
	write(t, kept, true)
	write(t, lost, false)
	if err := d.Cut(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Dir(), "after"), nil, 0o600); err == nil {
		t.Fatal("the disk still takes writes after the cut")
	}
	if err := d.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(kept); err != nil || info.Size() != 100_000 {
		t.Errorf("the synced file: %v, %v", info, err)
	}
	if info, err := os.Stat(lost); err == nil && info.Size() == 100_000 {
		t.Error("the unsynced file survived: this cut has no teeth")
	}
	if d.Cuts() != 1 {
		t.Errorf("counted %d cuts", d.Cuts())
	}
}

func TestFillLeavesNoByteAndGivesBack(t *testing.T) {
	d := newDisk(t)
	giveBack, err := d.Fill()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(d.Dir(), "sale")
	if err := os.WriteFile(name, make([]byte, 16<<10), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("write to a full disk: %v", err)
	}
	if err := giveBack(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, 16<<10), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCloseLeavesNothingMounted(t *testing.T) {
	d := newDisk(t)
	open, err := os.Create(filepath.Join(d.Dir(), "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(table), d.Dir()) {
		t.Fatalf("%s is still mounted", d.Dir())
	}
}
