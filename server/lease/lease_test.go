package lease_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/lease"
)

// row is a store of one lease.
type row struct {
	mu  sync.Mutex
	row lease.Row
}

func (r *row) Lease(context.Context, string) (lease.Row, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.row, nil
}

func (r *row) TakeLease(_ context.Context, _ string, next lease.Row) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.row.Beat != next.Beat-1 {
		return false, nil
	}
	r.row = next
	return true, nil
}

func TestALeaseIsHeldByOneAndTakenOverAfterItsTerm(t *testing.T) {
	store := &row{}
	now := time.Unix(1000, 0)
	clock := func() time.Time { return now }
	one := lease.New(store, "apply", uuid.NewSHA1(uuid.Nil, []byte("1")), clock)
	// The other's clock is an hour off, which changes nothing.
	two := lease.New(store, "apply", uuid.NewSHA1(uuid.Nil, []byte("2")), func() time.Time { return now.Add(time.Hour) })
	want := func(what string, l *lease.Lease, want bool) {
		t.Helper()
		if got, err := l.Hold(context.Background()); err != nil || got != want {
			t.Fatalf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
	want("the first", one, true)
	want("the second", two, false)
	for range 10 {
		now = now.Add(lease.Term / 2)
		want("the first, renewing", one, true)
		want("the second, meanwhile", two, false)
	}
	now = now.Add(lease.Term - 1) // the first is dead; the second just saw its beat
	want("the second, before the term is over", two, false)
	now = now.Add(1)
	want("the second, after the term", two, true)
	want("the first, back from a pause", one, false)
	if err := two.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
	want("the first, after the second gave it back", one, true)
	want("the second, after it gave it back", two, false)
	if err := two.Release(context.Background()); err != nil {
		t.Fatal(err)
	}
	want("the first, after a release of what is not held", one, true)
}

func TestOfManyContendersOneWins(t *testing.T) {
	store := &row{}
	now := time.Unix(1000, 0)
	var contending sync.WaitGroup
	held := make(chan bool, 32)
	for i := range 32 {
		contending.Go(func() {
			l := lease.New(store, "apply", uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), func() time.Time { return now })
			ok, err := l.Hold(context.Background())
			if err != nil {
				t.Error(err)
			}
			held <- ok
		})
	}
	contending.Wait()
	close(held)
	won := 0
	for ok := range held {
		if ok {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d hold the lease", won)
	}
}
