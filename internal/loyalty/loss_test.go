package loyalty

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestALossHasOneCause(t *testing.T) {
	within := Fence{Amount: 10, Within: 10}
	for _, c := range []struct {
		name string
		Circumstances
		want LossCause
	}{
		{"stand-in", Circumstances{}, LossPolicy},
		{"a right that no lots cover", Circumstances{OnRight: true, Fence: within}, LossPolicy},
		{"a pass that was replaced", Circumstances{PassReplaced: true}, LossExpired},
		{"the same on a right", Circumstances{OnRight: true, Fence: within, PassReplaced: true}, LossExpired},
		{"a lost terminal", Circumstances{LaneLost: true}, LossLane},
		{"a lost terminal, and a pass that was replaced", Circumstances{LaneLost: true, PassReplaced: true}, LossLane},
		{"a right taken back from a lost terminal", Circumstances{OnRight: true, Fence: Fence{Amount: 10, End: RightLost}}, LossLane},
		{"a right that nobody made", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Within: 10, Unmade: true}}, LossLane},
		{"a right taken back by grace", Circumstances{OnRight: true, Fence: Fence{Amount: 10, End: RightGrace}}, LossRecall},
		{"the same, from a lost terminal", Circumstances{OnRight: true, Fence: Fence{Amount: 10, End: RightGrace}, LaneLost: true, PassReplaced: true}, LossRecall},
		{"another terminal's right", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Foreign: true, End: RightGrace}, LaneLost: true}, LossClone},
		{"more than was left", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Within: 9}, LaneLost: true}, LossClone},
		{"a right that had been released", Circumstances{OnRight: true, Fence: Fence{Amount: 10, End: RightReleased}, PassReplaced: true}, LossClone},
		{"a loan of more than the lender had", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Within: 5, Fault: LossRecall}}, LossRecall},
		{"an earned right whose goods came back elsewhere", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Fault: LossPolicy}}, LossPolicy},
		{"the same, that had been released", Circumstances{OnRight: true, Fence: Fence{Amount: 10, Fault: LossPolicy, End: RightReleased}}, LossClone},
		{"without a right the fence says nothing", Circumstances{Fence: Fence{Amount: 10, Foreign: true}}, LossPolicy},
	} {
		if got := Attribute(c.Circumstances); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Goods that came back at another lane take from the right that their sale had kept, and
// its holder, who need not know, is no copy.
func TestWitheredRightsAccuseNobody(t *testing.T) {
	right, lane := ID{1}, ID{2}
	for _, c := range []struct {
		name  string
		taken int64
		want  LossCause
	}{{"some came back", 20, LossPolicy}, {"all came back", 60, LossPolicy}, {"nothing came back", 0, LossClone}} {
		h := Holding{Free: 100}
		if _, err := h.MakeRight(HeldRight{ID: right, Holder: lane, Epoch: 1, Kind: RightEarned, Amount: 50, EndsAt: 9}); err != nil {
			t.Fatal(err)
		}
		h.Wither(right, c.taken)
		if got := h.Fence(right, lane, 1, 60).Cause(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Each loss has one cause of the five, whatever is known of it, and the same one again:
// each cause is said exactly where its own condition holds and none before it does.
func TestAttributionIsTotalAndExclusive(t *testing.T) {
	seen := map[LossCause]bool{}
	rapid.Check(t, func(t *rapid.T) {
		c := Circumstances{
			OnRight: rapid.Bool().Draw(t, "on a right"), LaneLost: rapid.Bool().Draw(t, "lost"), PassReplaced: rapid.Bool().Draw(t, "replaced"),
			Fence: Fence{
				Amount: rapid.Int64Range(1, 5).Draw(t, "amount"), Unmade: rapid.Bool().Draw(t, "unmade"), Foreign: rapid.Bool().Draw(t, "foreign"),
				End:   RightEnd(rapid.IntRange(int(RightOpen), int(RightReplaced)).Draw(t, "end")),
				Fault: rapid.SampledFrom([]LossCause{"", LossClone, LossRecall, LossLane, LossPolicy}).Draw(t, "fault"),
			},
		}
		c.Fence.Within = rapid.Int64Range(0, c.Fence.Amount).Draw(t, "within")
		f := c.Fence
		short := f.Within < f.Amount
		ends := f.End == RightGrace || f.End == RightLost || f.Unmade && f.End == RightOpen
		holds := []struct {
			cause LossCause
			here  bool
		}{
			{LossClone, c.OnRight && (f.Foreign || !ends && short && (f.Fault == "" || f.Fault == LossClone || f.Fault == LossPolicy && f.End != RightOpen))},
			{LossRecall, c.OnRight && (f.End == RightGrace || !ends && short && f.Fault == LossRecall)},
			{LossLane, c.OnRight && (ends || short && f.Fault == LossLane) || c.LaneLost},
			{LossExpired, c.PassReplaced},
			{LossPolicy, true},
		}
		got := Attribute(c)
		if !slices.Contains(LossCauses, got) || Attribute(c) != got {
			t.Fatalf("%+v: %q", c, got)
		}
		for _, h := range holds {
			if h.here {
				if got != h.cause {
					t.Fatalf("%+v: %s, want %s", c, got, h.cause)
				}
				break
			}
		}
		seen[got] = true
	})
	if len(seen) != len(LossCauses) {
		t.Errorf("only %v were drawn", seen)
	}
}

func TestAPassIsReplacedByTheSecondIssueAfterIt(t *testing.T) {
	for _, c := range []struct {
		shown, newest uint16
		good          bool
	}{{1, 1, true}, {1, 2, true}, {1, 3, false}, {3, 1, true}, {^uint16(0), ^uint16(0), true}, {^uint16(0) - 2, ^uint16(0), false}} {
		if got := (Policy{}).IssueGood(c.shown, c.newest, nil, 1); got != c.good {
			t.Errorf("%d shown, %d issued: %v", c.shown, c.newest, got)
		}
	}
}
