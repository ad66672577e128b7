package allowance_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/ledger"
)

// A store is driven to its cap by a till that is then lost: what it held is given to
// others, and when its journal turns up after all the loss is what HQ had said, no more,
// and each part of it has a cause.
func TestG2_ALostTerminalCostsNoMoreThanItsBound(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, 1)
		r.policy.Rights.SharePercent = 0 // rights are given when asked for
		a, b := r.till(t, "a"), r.till(t, "b")
		r.round(t)
		ann, bob := r.Member(t, "ann", 300), r.Member(t, "bob", 0)
		r.ask(t, a, ann, rightID("1"), 200, 0)
		a.Skip(time.Minute)
		spend(t, a, ann, rightID("1"), 50)
		r.deliver(t, a)
		spend(t, a, ann, rightID("1"), 150) // never delivered before it is lost
		a.Sell(t, bob, 150, 150)
		r.Clock.Advance(time.Hour)

		bound := r.lose(t, a)
		if bound != 150+150 {
			t.Errorf("the bound is %d, want what the right had left and the share", bound)
		}
		shown := r.shown(t, a)
		if shown.TakenBack != 150 || shown.Unspent != 0 || shown.Worst() != bound {
			t.Errorf("the store's exposure is %+v", shown)
		}
		r.holds(t, ann, 250, 0, 0)
		b.Skip(2 * time.Hour)
		if answer := r.ask(t, b, ann, rightID("2"), 250, 0); answer.Refused != "" {
			t.Fatalf("what was taken back is not given again: %+v", answer)
		}
		b.Skip(time.Minute)
		spend(t, b, ann, rightID("2"), 250)
		r.deliver(t, b)

		r.deliver(t, a) // it turns up
		if lost := r.shown(t, a).Lost; len(lost) != 0 {
			t.Errorf("what is not proven counts: %v", lost)
		}
		r.release(t)
		lost := r.shown(t, a).Lost
		if lost[loyalty.LossLane] != 300 || len(lost) != 1 {
			t.Errorf("lost %v, the bound was %d", lost, bound)
		}
		for _, e := range r.Exceptions(t, ledger.Overdraw) {
			if e.Liable != "store" {
				t.Errorf("liable for a lost terminal: %+v", e)
			}
		}
		r.Rebuilds(t)
	})
}

// shown is the line of a till's store in points.
func (r *rig) shown(t *testing.T, till *books.Till) allowance.Line {
	t.Helper()
	e, err := r.Exposure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range e.Lines {
		if l.Store == till.Store && l.Unit == "points" {
			return l
		}
	}
	return allowance.Line{}
}
