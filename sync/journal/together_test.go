package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestG3_AllAtOnce lets callers append, read and prune while the journal is closed:
// whatever was answered with a position is there afterwards, or pruned.
func TestG3_AllAtOnce(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	j := openDir(t, dir, WithSegmentSize(4096))
	var mu sync.Mutex
	acked := map[uint64]string{}
	enough := make(chan struct{})
	var callers sync.WaitGroup
	run := func(n int, do func(caller, turn int) error) {
		for caller := range n {
			callers.Go(func() {
				for turn := 0; ; turn++ {
					if err := do(caller, turn); errors.Is(err, ErrClosed) {
						return
					} else if err != nil && !errors.Is(err, ErrPruned) && !errors.Is(err, context.Canceled) {
						t.Errorf("turn %d: %v", turn, err)
						return
					}
				}
			})
		}
	}
	run(4, func(caller, turn int) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if turn%7 == 6 {
			go cancel()
		}
		text := fmt.Sprintf("entry %d of %d", turn, caller)
		pos, err := j.Append(ctx, []byte(text))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if before, twice := acked[pos.Seq]; twice {
			return fmt.Errorf("entry %d is %q and %q", pos.Seq, before, text)
		}
		if acked[pos.Seq] = text; len(acked) == 500 {
			close(enough)
		}
		return nil
	})
	run(1, func(int, int) error { return errors.Join(j.Prune(ctx, j.Head().Seq/2), j.Err()) })
	run(2, func(int, int) error {
		from := j.First()
		last := Head{Seq: from - 1}
		err := j.Each(ctx, from, func(at Head, _ []byte) error {
			if at.Seq != last.Seq+1 {
				return fmt.Errorf("entry %d after %d", at.Seq, last.Seq)
			}
			last = at
			return nil
		})
		return errors.Join(err, j.Err())
	})
	<-enough
	mustClose(t, j)
	callers.Wait()
	j = openDir(t, dir)
	found := map[uint64]string{}
	if err := j.Each(ctx, j.First(), func(at Head, entry []byte) error {
		found[at.Seq] = string(entry)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for seq, text := range acked {
		if seq >= j.First() && found[seq] != text {
			t.Fatalf("entry %d is %q, was answered as %q", seq, found[seq], text)
		}
	}
}

// On a disk that hangs, callers who give up and try again must not pile up.
func TestWithdrawnCallersLeaveTheQueue(t *testing.T) {
	block, hang := make(chan struct{}), make(chan struct{}, 1)
	var armed atomic.Bool
	j := openDir(t, t.TempDir(), WithSync(func(f *os.File) error {
		if armed.CompareAndSwap(true, false) {
			hang <- struct{}{}
			<-block
		}
		return f.Sync()
	}))
	settle(j)
	armed.Store(true)
	first := make(chan error, 1)
	go func() {
		_, err := j.Append(context.Background(), []byte("first"))
		first <- err
	}()
	<-hang
	for range 100 {
		ctx, cancel := context.WithCancel(context.Background())
		gaveUp := make(chan error, 1)
		go func() {
			_, err := j.Append(ctx, []byte("given up"))
			gaveUp <- err
		}()
		for j.queue.length() == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if n := j.queue.length(); n != 0 {
			t.Fatalf("%d wait after giving up", n)
		}
	}
	close(block)
	if err := <-first; err != nil || j.Head().Seq != 1 {
		t.Errorf("first: %v, head %v", err, j.Head())
	}
}
