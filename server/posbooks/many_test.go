package posbooks_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
)

// A million rows that nobody has a sale for take a bounded time and flat memory.
func TestAMillionUnmatchedRows(t *testing.T) {
	rows, most := 5_000, uint64(64<<20)
	if os.Getenv("TALLYSTICK_SOAK") != "" {
		rows, most = 1_000_000, 256<<20
	}
	s := newStand(t, books.New(t))
	one := s.Lane(t, "Lane 1")
	s.sell(one, "x", 1000, 0)
	s.Clock.Advance(20 * 24 * time.Hour)
	one.Deliver(t)
	var file strings.Builder
	file.WriteString(head)
	for n := range rows {
		fmt.Fprintf(&file, "%d,Lane 1,2026-03-%02d 10:00,10.00,sale\n", n, 1+n*12/rows)
	}
	stop, peak := watch()
	began := time.Now()
	i := s.bring(rules, file.String())
	took := time.Since(began)
	close(stop)
	high := <-peak
	if i.State != posbooks.Finished || i.Rows != int64(rows) {
		t.Fatalf("%+v", i)
	}
	t.Logf("%d rows: %s, peak %d MB above the start", rows, took, high>>20)
	if high > most {
		t.Errorf("peak of %d bytes", high)
	}
}

// watch samples the heap until it is stopped, and tells by how much it grew at most.
func watch() (chan struct{}, chan uint64) {
	stop, out := make(chan struct{}), make(chan uint64, 1)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		high := uint64(0)
		for {
			select {
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				high = max(high, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			case <-stop:
				out <- high
				return
			}
		}
	}()
	return stop, out
}
