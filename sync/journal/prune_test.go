package journal

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// stubborn is a disk that refuses to remove files a number of times, as Windows does
// while another program has them open.
type stubborn struct {
	*simDisk
	refusals int
}

func (s *stubborn) Remove(name string) error {
	if s.refusals > 0 {
		s.refusals--
		return syscall.EACCES
	}
	return s.simDisk.Remove(name)
}

// fill appends n entries.
func fill(t fatal, j *Journal, n int) (want [][]byte) {
	t.Helper()
	for i := range n {
		want = append(want, fmt.Appendf(nil, "entry %03d", i))
		mustAppend(t, j, want[i])
	}
	return want
}

func TestG3_PruneThatCannotRemoveLeavesNoGap(t *testing.T) {
	d := &stubborn{simDisk: newSimDisk(), refusals: 1}
	j := openSim(t, d, 4096)
	want := fill(t, j, 400)
	ctx := context.Background()
	if err := j.Prune(ctx, 200); !errors.Is(err, syscall.EACCES) {
		t.Fatalf("prune: %v", err)
	}
	checkHolds(t, &j.shelf, 1, want)
	if err := j.Prune(ctx, 300); err != nil || j.First() < 200 {
		t.Fatalf("prune again: %v, first %d", err, j.First())
	}
	mustClose(t, j)
	j = openSim(t, d, 4096)
	checkHolds(t, &j.shelf, j.First(), want)
	mustClose(t, j)
}

func TestG3_PruneStopsWhenTheDirectoryCannotBeSynced(t *testing.T) {
	for call := 1; call < 10; call++ {
		d := newSimDisk()
		j := openSim(t, d, 4096)
		fill(t, j, 200)
		settle(j)
		d.failAt = d.calls + call
		err := j.Prune(context.Background(), 150)
		stopped := j.Err()
		if d.failed != "syncdir" {
			_ = j.Close()
			continue
		}
		if !errors.Is(err, ErrStopped) || !errors.Is(stopped, ErrStopped) {
			t.Errorf("prune: %v; the journal: %v", err, stopped)
		}
		_ = j.Close()
		return
	}
	t.Error("no sync of the directory was seen")
}

// TestG3_PruneNeedsNoRoomTwice fills the disk and the last segment, and lets the
// power fail between the seal and the first removal. Only pruning can make room then.
func TestG3_PruneNeedsNoRoomTwice(t *testing.T) {
	ctx := context.Background()
	d := newSimDisk()
	j := openSim(t, d, 4096)
	fill(t, j, 400)
	settle(j)
	d.room = 0
	var err error
	for err == nil {
		_, err = j.Append(ctx, []byte("x"))
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("append: %v", err)
	}
	s := &stubborn{simDisk: d, refusals: 1}
	j.fs = s
	if err := j.Prune(ctx, 1<<60); !errors.Is(err, syscall.EACCES) {
		t.Fatalf("prune: %v", err)
	}
	k := d.clone()
	k.room = 0
	defer func() { _ = j.Close() }()
	for name, at := range map[string]*Journal{"in the same life": j, "after a restart": openSim(t, k, 4096)} {
		if err := at.Prune(ctx, 1<<60); err != nil || at.Stats().Segments != 1 {
			t.Errorf("prune %s: %v, %+v", name, err, at.Stats())
		}
		if name == "after a restart" {
			mustAppend(t, at, []byte("room again"))
			mustClose(t, at)
		}
	}
}
