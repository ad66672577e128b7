package till_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// noStandIn lets nothing be redeemed without a right.
func noStandIn(s *shop) {
	s.Policy.PerSale, s.Policy.PerTerminal, s.Policy.VouchersTerminal = 0, 0, 0
	s.Policy.Rights = loyalty.Rights{LifeSeconds: 86_400, OneOffSeconds: 600, ClockBoundSeconds: 60}
}

// changes returns the steps in the lives of rights that the journal has from seq on.
func (s *shop) changes(t tilltest.T, from uint64) []entry.AllowanceChange {
	t.Helper()
	return changesOf(t, s.journal, from)
}

func changesOf(t tilltest.T, j *tilltest.Journal, from uint64) []entry.AllowanceChange {
	t.Helper()
	var out []entry.AllowanceChange
	for _, e := range entriesOf(t, j, from) {
		if e.Kind == entry.KindAllowanceChange {
			c, err := entry.DecodeBody[entry.AllowanceChange](e)
			if err != nil || c.Check() != nil {
				t.Fatalf("%+v: %v, %v", c, err, c.Check())
			}
			out = append(out, c)
		}
	}
	return out
}

func entriesOf(t tilltest.T, j *tilltest.Journal, from uint64) []entry.Entry {
	t.Helper()
	if j.Head().Seq < from {
		return nil
	}
	run, err := j.Read(context.Background(), from, math.MaxInt32-int(from), math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	var out []entry.Entry
	for _, raw := range run.Entries {
		e, err := entry.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (s *shop) tend(t tilltest.T) {
	t.Helper()
	if err := s.till.Tend(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// refuses tries to buy and returns the code.
func (s *shop) refuses(t tilltest.T, key string, want problem.Code, wishes ...loyalty.Wish) {
	t.Helper()
	_, err := s.till.Commit(context.Background(), tilltest.Commit(key, s.buy(t, 20_000, wishes...)))
	wantCode(t, err, want)
}

func TestG1_ARightIsSpentWithNoNetworkAndNoCap(t *testing.T) {
	s := newShop(t, noStandIn)
	first, second := s.Grant(s.member, 250), s.Grant(s.member, 100)
	second.EndsAt -= 1000
	s.Feed(t, s.till, s.Granted(t, first, false, false), s.Granted(t, second, false, false))
	s.Pass(time.Hour) // offline
	if h := s.free(t); h.Free != 10_350 || h.Allowance != 350 {
		t.Errorf("holding %+v", h)
	}
	before := s.journal.Head().Seq
	sale := s.commit(t, "a", s.buy(t, 20_000, points(s.five, 2)))
	want := []entry.Redemption{
		{Reward: s.five.ID, Unit: "points", Amount: 100, Basis: entry.BasisAllowance, Right: second.Right, Discount: 1000},
		{Reward: s.five.ID, Unit: "points", Amount: 100, Basis: entry.BasisAllowance, Right: first.Right},
	}
	if !slices.Equal(sale.Body.Redeemed, want) {
		t.Errorf("redeemed %+v", sale.Body.Redeemed)
	}
	got := s.changes(t, before+1)
	if len(got) != 2 || got[0].Op != entry.AllowanceReceived || got[1].Op != entry.AllowanceReceived || sale.At.Seq != before+3 {
		t.Errorf("journalled %+v, the sale at %d", got, sale.At.Seq)
	}
	if len(got[0].Proof) == 0 || got[0].Amount+got[1].Amount != 350 {
		t.Errorf("received %+v", got)
	}
	s.refuses(t, "b", problem.StandInOff, points(s.five, 2)) // 150 are left
	s.commit(t, "c", s.buy(t, 20_000, points(s.five, 1)))
	if n := len(s.changes(t, before+1)); n != 2 {
		t.Errorf("a right is received %d times", n-1)
	}
	status, err := s.till.Status(context.Background())
	if err != nil || status.Rights.Count != 1 || status.Rights.Points != 50 || status.SpentPoints != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestRightsToUsesOfAVoucher(t *testing.T) {
	s := newShop(t, func(s *shop) { noStandIn(s); s.voucher.Voucher.Left = 0 })
	g := s.Grant(s.member, 2)
	g.Unit = loyalty.UseUnit(uuid.UUID(s.voucher.Voucher.ID).String())
	s.Feed(t, s.till, s.Granted(t, g, false, false))
	sale := s.commit(t, "a", s.buy(t, 9000, use(s.voucher, 1)))
	if r := sale.Body.Redeemed[0]; r.Right != g.Right || r.Basis != entry.BasisAllowance || r.Amount != 1 {
		t.Errorf("redeemed %+v", r)
	}
	s.commit(t, "b", s.buy(t, 9000, use(s.voucher, 1)))
	s.refuses(t, "c", problem.VoucherUsed, use(s.voucher, 1))
}

func TestARecalledRightIsReleasedOnceAndForAll(t *testing.T) {
	s := newShop(t, noStandIn)
	g, unused := s.Grant(s.member, 300), s.Grant(s.member, 50)
	unused.EndsAt++ // spent last
	s.Feed(t, s.till, s.Granted(t, g, false, false), s.Granted(t, unused, false, false))
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 1)))
	s.Feed(t, s.till, s.Granted(t, g, true, false), s.Granted(t, unused, true, false))
	s.refuses(t, "b", problem.StandInOff, points(s.five, 1))
	before := s.journal.Head().Seq
	for range 3 {
		s.tend(t)
	}
	got := s.changes(t, before+1)
	slices.SortFunc(got, func(a, b entry.AllowanceChange) int { return int(b.Amount - a.Amount) })
	if len(got) != 2 || got[0].Right != g.Right || got[0].Amount != 200 || got[1].Amount != 0 ||
		got[0].Op != entry.AllowanceReleased || got[0].Reason != entry.ReleaseRecalled {
		t.Fatalf("released %+v", got)
	}
	// A word that was overtaken, or HQ's after a restore, does not bring it back.
	s.Feed(t, s.till, s.Granted(t, g, false, false))
	s.HQEpoch = 2
	s.Restart()
	s.Feed(t, s.till, append(s.Base(t), s.Granted(t, g, false, false))...)
	s.refuses(t, "c", problem.StandInOff, points(s.five, 1))
	// Neither does a void: what it gives back goes to a right that is over.
	if _, err := s.till.Void(context.Background(), voidOf("a")); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "d", problem.StandInOff, points(s.five, 1))
}

// HQ says of a right that is over, or that it did not give, no more than its id.
func TestAWordWithoutAGrantIsTakenIn(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerTerminal = 0 })
	g := s.Grant(s.member, 300)
	bare := func(right uuid.UUID, said wire.Allowance) {
		s.Feed(t, s.till, s.Item(t, wire.ItemAllowance, right, said))
	}
	bare(s.NewID(), wire.Allowance{Closed: true})
	bare(s.NewID(), wire.Allowance{Recalled: true})
	bare(g.Right, wire.Allowance{Recalled: true})
	bare(g.Right, wire.Allowance{Closed: true})
	s.Feed(t, s.till, s.Granted(t, g, false, false))
	s.refuses(t, "on a right that is over", problem.CapTerminal, points(s.five, 1))

	other := s.Grant(s.member, 300)
	s.Feed(t, s.till, s.Granted(t, other, false, false))
	s.commit(t, "on a right", s.buy(t, 9000, points(s.five, 1)))
	bare(other.Right, wire.Allowance{Closed: true})
	s.refuses(t, "on a right closed without its grant", problem.CapTerminal, points(s.five, 1))
}

func TestAVoidGivesBackToARightThatIsStillHeld(t *testing.T) {
	s := newShop(t, noStandIn)
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 200), false, false))
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 2)))
	s.refuses(t, "b", problem.StandInOff, points(s.five, 1))
	if _, err := s.till.Void(context.Background(), voidOf("a")); err != nil {
		t.Fatal(err)
	}
	s.commit(t, "c", s.buy(t, 20_000, points(s.five, 2)))
	if h := s.free(t); h.Allowance != 0 || h.Free != 10_000 {
		t.Errorf("holding %+v", h)
	}
}

func TestARightStopsTheClockBoundBeforeItsEnd(t *testing.T) {
	s := newShop(t, noStandIn)
	used, unused := s.Grant(s.member, 300), s.Grant(s.Member(0), 70)
	s.Feed(t, s.till, s.Granted(t, used, false, false), s.Granted(t, unused, false, false))
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 1)))
	s.Pass(24*time.Hour - 61*time.Second)
	s.commit(t, "b", s.buy(t, 20_000, points(s.five, 1)))
	s.tend(t)
	before := s.journal.Head().Seq
	s.Pass(time.Second)
	s.refuses(t, "c", problem.StandInOff, points(s.five, 1))
	s.tend(t)
	got := s.changes(t, before+1)
	if len(got) != 1 || got[0].Right != used.Right || got[0].Amount != 100 || got[0].Reason != entry.ReleaseEnded {
		t.Fatalf("released %+v", got)
	}
	// The other was never used: any entry after its end ends it, and when there is none
	// its release is that entry.
	s.Pass(61 * time.Second)
	s.tend(t)
	s.tend(t)
	got = s.changes(t, before+2)
	if len(got) != 1 || got[0].Right != unused.Right || got[0].Amount != 0 {
		t.Fatalf("released %+v", got)
	}
	late := s.Grant(s.Member(0), 70)
	late.EndsAt = s.Clock.Now().Add(time.Minute).UnixMilli()
	s.Feed(t, s.till, s.Granted(t, late, false, false))
	s.Pass(2 * time.Minute)
	s.commit(t, "after its end", s.buy(t, 1000))
	head := s.journal.Head().Seq
	s.tend(t)
	if s.journal.Head().Seq != head {
		t.Errorf("released %+v although an entry after the end was there", s.changes(t, head+1))
	}
}

func TestALaneThatRetiresReleasesEverything(t *testing.T) {
	s := newShop(t, noStandIn)
	g := s.Grant(s.member, 300)
	s.Feed(t, s.till, s.Granted(t, g, false, false), s.Granted(t, s.Grant(s.Member(0), 70), false, false))
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 1)))
	before := s.journal.Head().Seq
	s.Feed(t, s.till, s.Item(t, wire.ItemTerminal, s.Writer.ID, wire.Terminal{ID: s.Writer.ID, Store: s.Store, Epoch: 1, State: "retiring"}))
	s.tend(t)
	got := s.changes(t, before+1)
	if len(got) != 2 || got[0].Reason != entry.ReleaseRetired || got[0].Amount+got[1].Amount != 200 {
		t.Errorf("released %+v", got)
	}
	s.refuses(t, "b", problem.StandInOff, points(s.five, 1))
}

// What is left, what was released and what was lent is all in the journal.
func TestRightsAreRebuiltWhenTheCacheIsLost(t *testing.T) {
	s := newShop(t, func(s *shop) { noStandIn(s); s.Policy.SpendEarned = true })
	g, released := s.Grant(s.member, 300), s.Grant(s.member, 500)
	items := []wire.Item{s.Granted(t, g, false, false), s.Granted(t, released, true, false)}
	s.Feed(t, s.till, items...)
	s.tend(t)
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 2)))
	s.commit(t, "earns", s.buy(t, 5_000))
	want := s.free(t)
	if want.Allowance != 100+50+190 {
		t.Fatalf("holding %+v", want)
	}
	for _, feed := range []bool{true, false} {
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		s.state = tilltest.NewState()
		s.open(t)
		s.Restart()
		items := append(s.Base(t), s.Item(t, wire.ItemMember, s.member.ID, s.member), s.Item(t, wire.ItemReward, s.five.ID, s.five))
		if feed {
			items = append(items, s.Granted(t, g, false, false), s.Granted(t, released, false, false))
		}
		s.Feed(t, s.till, items...)
		if got := s.free(t); got.Allowance != want.Allowance {
			t.Errorf("feed %v: %+v, want %+v", feed, got, want)
		}
	}
	s.commit(t, "b", s.buy(t, 20_000, points(s.five, 3))) // without HQ's grants: the journal has them
}

// Of a journal that was pruned before the cache was lost nobody knows what its first
// entries spent of older grants.
func TestG2_GrantsOlderThanAPrunedJournalAreNotSpent(t *testing.T) {
	s := newShop(t, noStandIn)
	old := s.Grant(s.member, 300)
	s.Feed(t, s.till, s.Granted(t, old, false, false))
	s.commit(t, "a", s.buy(t, 20_000, points(s.five, 3)))
	s.Pass(time.Hour)
	kept := s.commit(t, "b", s.buy(t, 1000))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.journal.Prune(kept.At.Seq)
	s.state = tilltest.NewState()
	s.open(t)
	s.Restart()
	s.Pass(time.Minute)
	young := s.Grant(s.member, 100)
	s.Feed(t, s.till, append(s.Base(t), s.Item(t, wire.ItemMember, s.member.ID, s.member), s.Item(t, wire.ItemReward, s.five.ID, s.five),
		s.Granted(t, old, false, false), s.Granted(t, young, false, false))...)
	for range 2 {
		if h := s.free(t); h.Allowance != 100 {
			t.Errorf("holding %+v", h)
		}
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		s.open(t)
	}
	sale := s.commit(t, "c", s.buy(t, 20_000, points(s.five, 1)))
	if sale.Body.Redeemed[0].Right != young.Right {
		t.Errorf("redeemed %+v", sale.Body.Redeemed)
	}
}

func TestPointsEarnedHereAreSpentHere(t *testing.T) {
	s := newShop(t, func(s *shop) { noStandIn(s); s.Policy.SpendEarned = true; s.member.Holdings = nil })
	sale := s.commit(t, "earns", s.buy(t, 15_000))
	if len(sale.Body.Kept) != 1 || sale.Body.Kept[0].Amount != 150 {
		t.Fatalf("kept %+v", sale.Body.Kept)
	}
	if h := s.free(t); h.Free != 150 || h.Allowance != 150 || h.Pending != 0 {
		t.Errorf("holding %+v", h)
	}
	spent := s.commit(t, "spends", s.buy(t, 600, points(s.five, 1)))
	if r := spent.Body.Redeemed[0]; r.Right != sale.Body.ID || r.Basis != entry.BasisAllowance {
		t.Errorf("redeemed %+v", r)
	}
	before := s.journal.Head().Seq
	if _, err := s.till.Void(context.Background(), voidOf("earns")); err != nil {
		t.Fatal(err)
	}
	got := s.changes(t, before+1)
	if len(got) != 1 || got[0].Right != sale.Body.ID || got[0].Amount != 50 || got[0].Op != entry.AllowanceReleased {
		t.Errorf("a void of the sale leaves %+v", got)
	}
	if h := s.free(t); h.Allowance != 1 {
		t.Errorf("holding %+v", h)
	}
}

func TestPolicyAndShareAreAcknowledgedOnce(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerStore = 9000 })
	notes := func() (out [][]int64) {
		for _, e := range entriesOf(t, s.journal, 1) {
			n, err := entry.DecodeBody[entry.Note](e)
			if e.Kind == entry.KindNote && err == nil && n.Code == entry.NotePolicy {
				out = append(out, n.Values)
			}
		}
		return out
	}
	s.tend(t)
	s.refuses(t, "no share yet", problem.CapTerminal, points(s.five, 1))
	s.Feed(t, s.till, s.Share(t, 150, 3))
	s.tend(t)
	s.commit(t, "a", s.buy(t, 9000, points(s.five, 1)))
	s.refuses(t, "b", problem.CapTerminal, points(s.five, 1))
	s.tend(t)
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	s.tend(t)
	want := [][]int64{{5, 0, 50}, {5, 150, 3}}
	if got := notes(); !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
		t.Errorf("acknowledged %v, want %v", got, want)
	}
}

// A receipt says that HQ has the entries, not what it made of them.
func TestG2_TheShareRenewsOnlyWhenHQHasApplied(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerTerminal = 200 })
	s.Applied(t, s.till, 0)
	sale := s.commit(t, "a", s.buy(t, 9000, points(s.five, 2)))
	s.Witnessed(t, s.till, s.journal.Head())
	s.refuses(t, "b", problem.CapTerminal, points(s.five, 1))
	s.Applied(t, s.till, sale.At.Seq-1)
	s.refuses(t, "c", problem.CapTerminal, points(s.five, 1))
	s.Applied(t, s.till, sale.At.Seq)
	s.commit(t, "d", s.buy(t, 9000, points(s.five, 2)))
	s.Applied(t, s.till, 0) // overtaken
	s.refuses(t, "e", problem.CapTerminal, points(s.five, 1))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	s.refuses(t, "f", problem.CapTerminal, points(s.five, 1))
	// HQ was restored from before it had applied anything.
	s.HQEpoch = 2
	s.Restart()
	s.Applied(t, s.till, 0)
	if status, err := s.till.Status(context.Background()); err != nil || status.SpentPoints != 400 || status.Applied != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func voidOf(key string) till.Void { return till.Void{SaleKey: key, Key: "void " + key} }
