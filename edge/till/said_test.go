package till_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// statements gives HQ a key for what it says, before the till is made.
func statements(t *testing.T, s *shop) keys.Signer {
	t.Helper()
	signer, err := keys.NewSigner(keys.Public{
		ID: 2, Use: keys.UseStatement, NotBefore: tilltest.Start.Add(-year), NotAfter: tilltest.Start.Add(3 * year),
	}, bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s.Keys = keys.Set{Version: 1, Keys: []keys.Public{s.Signer.Public, signer.Public}}
	return signer
}

// saidAt is what HQ said to another lane at a time.
func (s *shop) saidAt(t *testing.T, signer keys.Signer, at time.Time) wire.Dated {
	t.Helper()
	raw, err := wire.Seal(signer, wire.DomainReceipt, wire.Receipt{V: wire.Version, HQ: s.HQ, RecordedAt: at.UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Dated{Domain: wire.DomainReceipt, Sealed: raw}
}

// lifted is a clock of this machine, and what a lane's word of HQ does about it. HQ said
// it an hour after the start of the world, and now it is two hours after.
type lifted struct {
	name    string
	wall    time.Duration // the wall clock less the true time, since before the start
	off     time.Duration // the believed time less the true time afterwards
	trusted bool
}

var liftedRows = []lifted{
	{"right", 0, 0, true},
	{"1970", time.Unix(0, 0).Sub(tilltest.Start), -time.Hour, false},
	{"three days behind", -72 * time.Hour, -time.Hour, false},
	// A floor says nothing about a clock that lies above it.
	{"three days ahead", 72 * time.Hour, 72 * time.Hour, true},
	{"behind by less than can be told", -30 * time.Minute, -30 * time.Minute, true},
	{"leap second, 23:59:59 twice", -time.Second, -time.Second, true},
	{"leap second, taken out", time.Second, time.Second, true},
	{"an hour of summer time taken twice", -time.Hour, -time.Hour, true},
	{"a minute and a half behind what HQ said", -time.Hour - 90*time.Second, -time.Hour, true},
}

func TestG6_HQsTimeThatALaneShowsLiftsTheFloor(t *testing.T) {
	for _, row := range liftedRows {
		t.Run(row.name, func(t *testing.T) {
			var signer keys.Signer
			s := newShop(t, func(s *shop) {
				s.Policy.MaxCacheAgeSeconds = 1 << 30
				signer = statements(t, s)
			})
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			s.Pass(2 * time.Hour)
			s.Clock.Advance(row.wall) // while it was off
			s.open(t)
			said := s.saidAt(t, signer, tilltest.Start.Add(time.Hour))
			for range 2 { // again changes nothing
				if err := s.till.PassedOn(t.Context(), said); err != nil {
					t.Fatal(err)
				}
			}
			s.checkLifted(t, row)
			// The floor survives a restart that loses neither cache nor journal.
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
			s.checkLifted(t, row)
			if got := s.till.Said(); !bytes.Equal(got.Sealed, said.Sealed) {
				t.Error("what HQ said is not shown on")
			}
			// HQ's own word ends it.
			s.hearTrue()
			if now, trusted := s.till.Now(); !trusted || now.Sub(tilltest.Start.Add(2*time.Hour)).Abs() > 2*time.Minute {
				t.Errorf("after HQ was heard it is %s, trusted %v", now, trusted)
			}
		})
	}
}

func (s *shop) checkLifted(t *testing.T, row lifted) {
	t.Helper()
	now, trusted := s.till.Now()
	if off := now.Sub(tilltest.Start.Add(time.Duration(s.Mono.Load()))); trusted != row.trusted || off != row.off {
		t.Errorf("trusted %v, off by %s", trusted, off)
	}
	if err := s.till.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range entriesOf(t, s.journal, 1) {
		if e.Kind == entry.KindClock {
			t.Error("a clock that stood wrong at the start is no jump")
		}
	}
}

// A right ends by the time that a lane knows of, though this machine's clock stood still.
func TestG2_ARightEndsByTheTimeALaneShows(t *testing.T) {
	var signer keys.Signer
	s := newShop(t, func(s *shop) { signer = statements(t, s) })
	right := s.Grant(s.member, 100)
	right.EndsAt = tilltest.Start.Add(6 * time.Hour).UnixMilli()
	s.Feed(t, s.till, s.Granted(t, right, false, false))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t) // a night later, by a clock whose battery is empty
	sale := s.commit(t, "before", s.buy(t, 9000, points(s.five, 1)))
	if sale.Body.Redeemed[0].Right != right.Right {
		t.Fatalf("redeemed %+v", sale.Body.Redeemed)
	}
	if err := s.till.PassedOn(t.Context(), s.saidAt(t, signer, tilltest.Start.Add(14*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.till.Commit(context.Background(), tilltest.Commit("after", s.buy(t, 9000, points(s.five, 1)))); problem.CodeOf(err) != problem.ClockUntrusted {
		t.Errorf("on a right that is over: %v", err)
	}
}

func TestG6_ALanesOwnWordMovesNoClock(t *testing.T) {
	var signer keys.Signer
	s := newShop(t, func(s *shop) { signer = statements(t, s) })
	stranger, err := keys.NewSigner(keys.Public{ID: 2}, bytes.Repeat([]byte{99}, 32))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.till.Now()
	forged := s.saidAt(t, stranger, tilltest.Start.Add(72*time.Hour))
	if err := s.till.PassedOn(t.Context(), forged); problem.CodeOf(err) != problem.ProofInvalid {
		t.Errorf("signed by the lane itself: %v", err)
	}
	if err := s.till.PassedOn(t.Context(), s.saidAt(t, signer, tilltest.Start.Add(-72*time.Hour))); err != nil {
		t.Errorf("what HQ said long ago: %v", err)
	}
	if now, trusted := s.till.Now(); !trusted || !now.Equal(before) {
		t.Errorf("it was %s, and is %s now, trusted %v", before, now, trusted)
	}
	if got := s.till.Said(); bytes.Equal(got.Sealed, forged.Sealed) {
		t.Error("the forged word is shown on")
	}
}
