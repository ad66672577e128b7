package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// crashRun appends from several goroutines until the power is cut, and returns what
// was acknowledged before.
func crashRun(t *testing.T, d *simDisk, r *rand.Rand, seed uint64) map[uint64]string {
	t.Helper()
	j := openSim(t, d, 4096)
	acked := map[uint64]string{}
	var mu sync.Mutex
	var all sync.WaitGroup
	stopAfter := 1 + r.IntN(120)
	for c := range 4 {
		all.Go(func() {
			for i := 0; ; i++ {
				entry := fmt.Sprintf("seed %d caller %d entry %d %*d", seed, c, i, 1+i*37%700, c)
				pos, err := j.Append(context.Background(), []byte(entry))
				if err != nil {
					return
				}
				mu.Lock()
				acked[pos.Seq] = entry
				if len(acked) == stopAfter {
					d.powerOff()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_ = j.Close()
	return acked
}

// lost counts the acknowledged entries that the journal on d does not hold.
func lost(d *simDisk, acked map[uint64]string) (n int, err error) {
	j, err := Open(context.Background(), "", testWriter, WithFS(d), WithSegmentSize(4096))
	if err != nil {
		return len(acked), err
	}
	held := map[uint64]string{}
	err = j.Each(context.Background(), j.First(), func(at Head, entry []byte) error {
		held[at.Seq] = string(entry)
		return nil
	})
	for seq, entry := range acked {
		if held[seq] != entry {
			n++
		}
	}
	return n, errors.Join(err, j.Close())
}

// TestG3_PowerCut cuts the power at random moments, three times on one disk.
func TestG3_PowerCut(t *testing.T) {
	runs, total := 400, 0
	if testing.Short() {
		runs = 50
	}
	for seed := range uint64(runs) {
		r := seeded(seed)
		d := newSimDisk()
		acked := map[uint64]string{}
		for range 3 {
			for seq, entry := range crashRun(t, d, r, seed) {
				acked[seq] = entry
			}
			d = d.afterCut(r)
			if n, err := lost(d.clone(), acked); n > 0 || err != nil {
				t.Fatalf("seed %d: %d of %d acknowledged entries lost, %v", seed, n, len(acked), err)
			}
		}
		total += len(acked)
	}
	t.Logf("%d power cuts, %d acknowledged, 0 lost", 3*runs, total)
}

// TestG3_SyncOffLosesData is the negative control of TestG3_PowerCut: the same with
// a sync that does nothing must lose acknowledged entries, or that test has no teeth.
func TestG3_SyncOffLosesData(t *testing.T) {
	const runs = 20
	bad := 0
	for seed := range uint64(runs) {
		r := seeded(seed)
		d := newSimDisk()
		mustClose(t, openSim(t, d, 4096))
		d.syncOff = true
		acked := crashRun(t, d, r, seed)
		if n, _ := lost(d.afterCut(r), acked); n > 0 {
			bad++
		}
	}
	t.Logf("%d of %d power cuts lost acknowledged entries with sync off", bad, runs)
	if bad < 5 {
		t.Fatalf("only %d of %d power cuts lost data with sync off", bad, runs)
	}
}

// settle waits for the next segment, so that the Nth call is the same in each run.
func settle(j *Journal) {
	for !j.Stats().SpareReady && j.Err() == nil {
		runtime.Gosched()
	}
}

// script appends until an error, with a reopen and a prune in between.
func script(d *simDisk, acked map[uint64]string) error {
	open := func() (*Journal, error) {
		return Open(context.Background(), "", testWriter, WithFS(d), WithSegmentSize(4096))
	}
	for round := range 2 {
		j, err := open()
		if err != nil {
			return err
		}
		for i := range 12 {
			settle(j)
			entry := fmt.Sprintf("round %d entry %d %0500d", round, i, i)
			pos, err := j.Append(context.Background(), []byte(entry))
			if err != nil {
				if _, again := j.Append(context.Background(), []byte("after the error")); again == nil {
					return fmt.Errorf("acknowledged after %w", err)
				}
				<-j.Done()
				return errors.Join(err, j.Close())
			}
			acked[pos.Seq] = entry
		}
		settle(j)
		err = errors.Join(j.Prune(context.Background(), 9), j.Close())
		for seq := range acked {
			if seq < j.First() {
				delete(acked, seq)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestG3_ErrorAtEveryCall fails the Nth write, sync, rename, remove or create, for
// every N, then restarts; and then cuts the power, since after a failed sync the
// system shows bytes that are not on the platter.
func TestG3_ErrorAtEveryCall(t *testing.T) {
	kinds := map[string]int{}
	for n := 1; ; n++ {
		d := newSimDisk()
		d.failAt = n
		acked := map[uint64]string{}
		err := script(d, acked)
		if d.failed == "" {
			if err != nil {
				t.Fatalf("no fault, and yet: %v", err)
			}
			break
		}
		kinds[d.failed]++
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Fatalf("fault %d (%s): %v, want EIO", n, d.failed, err)
		}
		for cut := range uint64(6) {
			after := d.clone()
			if cut > 0 {
				after = d.afterKill()
				// The restarted process accepts one more, then the power goes.
				j := openSim(t, after, 4096)
				entry := "after restart"
				acked[mustAppend(t, j, []byte(entry)).Seq] = entry
				if cut%2 == 0 {
					mustClose(t, j)
				} else {
					after.powerOff()
					_ = j.Close()
				}
				d = after.afterCut(seeded(cut))
				after = d.clone()
			}
			if lost, err := lost(after, acked); lost > 0 || err != nil {
				t.Fatalf("fault %d (%v), cut %d: %d of %d lost: %v", n, kinds, cut, lost, len(acked), err)
			}
		}
	}
	t.Logf("faults: %v", kinds)
	for _, want := range []string{"write", "sync", "create", "rename", "remove", "syncdir"} {
		if kinds[want] == 0 {
			t.Errorf("no fault in %s", want)
		}
	}
}

// TestDiskFull fills the disk: the next entry that needs a new segment is refused,
// none is torn, and appending works again as soon as there is space.
func TestDiskFull(t *testing.T) {
	d := newSimDisk()
	j := openSim(t, d, 4096)
	var want [][]byte
	put := func() error {
		e := fmt.Appendf(nil, "entry %0200d", len(want))
		_, err := j.Append(context.Background(), e)
		if err == nil {
			want = append(want, e)
		}
		return err
	}
	for _, room := range []int{0, 3000, 4095} {
		d.mu.Lock()
		d.room = room
		d.mu.Unlock()
		var err error
		for err == nil {
			err = put()
		}
		if !errors.Is(err, ErrDiskFull) || !errors.Is(err, syscall.ENOSPC) || j.Err() != nil {
			t.Fatalf("at a full disk: %v", err)
		}
		checkHolds(t, &j.shelf, 1, want)
		mustClose(t, j)
		j = openSim(t, d, 4096) // opens while full
		if err := put(); !errors.Is(err, ErrDiskFull) {
			t.Fatalf("still full: %v", err)
		}
		d.mu.Lock()
		d.room = 3 * 4096
		d.mu.Unlock()
		if err := put(); err != nil {
			t.Fatalf("with space again: %v", err)
		}
		checkHolds(t, &j.shelf, 1, want)
	}
	if j.Stats().Refused == 0 {
		t.Error("no refusal was counted")
	}
	mustClose(t, j)
}
