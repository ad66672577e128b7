package feed

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestChangesAreGatheredWhenManyWait(t *testing.T) {
	for _, c := range []struct {
		waiting int64
		want    time.Duration
	}{{1, time.Millisecond}, {40, 40 * time.Millisecond}, {1000, time.Second}, {50_000, longestGather}} {
		if got := gatherFor(c.waiting); got != c.want {
			t.Errorf("%d waiting: %s, want %s", c.waiting, got, c.want)
		}
	}
}

// counted is a store with nothing in it that says when its heads are read.
type counted struct {
	Store
	reads chan struct{}
}

func (c *counted) FeedHeads(context.Context) (Heads, error) {
	c.reads <- struct{}{}
	return Heads{}, nil
}

func TestAllWhoWaitShareOneReadingOfTheHeads(t *testing.T) {
	const readers = 200
	store := &counted{reads: make(chan struct{}, 10*readers)}
	f := New(store, uuid.Nil, 1)
	ctx, stop := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range readers {
		waiting.Go(func() {
			if _, err := f.Wait(ctx, uuid.Nil, "", 10, time.Minute); err == nil {
				t.Error("an endless wait ended without an error")
			}
		})
	}
	for range readers { // each looks by itself, and then waits
		<-store.reads
	}
	for range 3 {
		f.Wake()
		<-store.reads
	}
	stop()
	waiting.Wait()
	// A slow machine may poll meanwhile; each by itself would have been 600 more.
	if more := len(store.reads); more > 50 {
		t.Errorf("%d readers read the heads %d times more than once a wake", readers, more)
	}
}
