//go:build linux

package ledger

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// stormLanes and stormMembers are those of each store.
	stormLanes, stormMembers = 10, 100
	// fairness is how much longer than the middle one the slowest terminal may take.
	fairness = 3
)

// storm measures terminals that all come back at once with full queues.
func storm(t *testing.T, o options) []benchtable.Result {
	e := newEngine(t, o, o.on)
	f := openOffice(t, o, e.database(t, "storm"), "storm_"+o.on)
	fl := openField(t, f, layout{stores: max(1, o.lanes/stormLanes), lanes: min(o.lanes, stormLanes), members: stormMembers, shared: true})
	idle := peakMemory(t, f.proc.PID())
	var slowest, middle, rate, away []float64
	for range o.storms {
		s := prepare(t, fl, o.backlog)
		s.run(t)
		slowest, middle = append(slowest, s.slowest()), append(middle, benchtable.Median(s.drained))
		rate = append(rate, s.rate)
		away = append(away, float64(s.refusals.Load())/float64(len(fl.terminals)))
	}
	fl.check(t)
	return []benchtable.Result{
		benchtable.Against("storm_fairness", "s", benchtable.Median(slowest), benchtable.Median(middle), benchtable.RatioAtMost(fairness)),
		benchtable.Against("storm_hq_peak_rss", "MB", peakMemory(t, f.proc.PID()), idle, benchtable.ValueAtMost(o.rssLimit)),
		benchtable.Alone("storm_applied", "entries/s", benchtable.Median(rate), benchtable.Target{}),
		benchtable.Alone("storm_refusals", "a terminal", benchtable.Median(away), benchtable.Target{}),
	}
}

// rush is one storm: for each terminal its batches, ready to send.
type rush struct {
	field    *field
	parcels  [][]parcel
	acked    []journal.Head // of each terminal before the storm
	entries  int
	drained  []float64 // seconds until each terminal had its last receipt
	rate     float64   // entries applied a second
	refusals atomic.Int64
}

// prepare writes every terminal's backlog and packs it, so that during the storm
// this process only sends. Packed it is a quarter of the size.
func prepare(t *testing.T, fl *field, backlog int) *rush {
	t.Helper()
	s := &rush{field: fl, drained: make([]float64, len(fl.terminals))}
	for _, one := range fl.terminals {
		s.acked = append(s.acked, one.head)
	}
	s.parcels = make([][]parcel, len(fl.terminals))
	must(t, fl.sell(backlog))
	must(t, each(len(fl.terminals), 2, func(i int) error {
		one := fl.terminals[i]
		for len(one.queue) > 0 {
			p, err := one.pack(wire.MaxBatchEntries)
			if err != nil {
				return err
			}
			s.parcels[i] = append(s.parcels[i], p)
		}
		one.queue = nil
		return nil
	}))
	for _, parcels := range s.parcels {
		for _, p := range parcels {
			s.entries += p.size
		}
	}
	return s
}

// run lets all terminals loose and waits until HQ has applied everything.
func (s *rush) run(t *testing.T) {
	t.Helper()
	began := time.Now()
	must(t, each(len(s.parcels), len(s.parcels), func(i int) error {
		one := s.field.terminals[i]
		n, err := insist(t.Context(), func() error {
			return one.hello(t.Context(), journal.Head{Seq: 1}, one.head, s.acked[i])
		})
		s.refusals.Add(int64(n))
		if err != nil {
			return fmt.Errorf("hello: %w", err)
		}
		for _, p := range s.parcels[i] {
			n, err := insist(t.Context(), func() error { return one.push(t.Context(), p) })
			s.refusals.Add(int64(n))
			if err != nil {
				return fmt.Errorf("push: %w", err)
			}
		}
		s.drained[i] = time.Since(began).Seconds()
		return nil
	}))
	must(t, s.field.office.awaitApplied(t.Context(), seldom))
	s.rate = float64(s.entries) / time.Since(began).Seconds()
	t.Logf("%d entries of %d terminals: slowest %.1f s, middle %.1f s, %.0f applied a second, sent away %d times",
		s.entries, len(s.parcels), s.slowest(), benchtable.Median(s.drained), s.rate, s.refusals.Load())
}

func (s *rush) slowest() float64 {
	most := 0.0
	for _, d := range s.drained {
		most = max(most, d)
	}
	return most
}
