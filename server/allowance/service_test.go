package allowance_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

func rightID(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }

func TestRightsAreGivenWhereTheMemberShops(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, 1)
		a, b := r.till(t, "a"), r.till(t, "b")
		account := r.Member(t, "ann", 300)
		never := r.Member(t, "bob", 300)
		a.Sell(t, account, 100, 1)
		a.Sell(t, account, 100, 1)
		a.Sell(t, account, 100, 1)
		b.Sell(t, account, 100, 1)
		r.deliver(t, a, b)
		free := r.Holding(t, account, "points").Free
		r.rounds(t)
		total := free / 2
		h := r.Holding(t, account, "points")
		if h.Allowance != total*3/4+total/4 || h.Free+h.Allowance != free {
			t.Errorf("of %d, %d are free and %d set aside", free, h.Free, h.Allowance)
		}
		r.holds(t, never, 300, 0, 0)
		for _, till := range []struct {
			store  uuid.UUID
			amount int64
		}{{a.Store, total * 3 / 4}, {b.Store, total / 4}} {
			told := r.grants(t, till.store)
			if len(told) != 1 {
				t.Fatalf("the store was told of %d rights", len(told))
			}
			for id, item := range told {
				if g := r.opened(t, item.Grant); g.Right != id || g.Amount != till.amount || g.Store != till.store || item.Recalled || item.Closed {
					t.Errorf("told %+v, want %d", g, till.amount)
				}
			}
		}
		r.rounds(t)
		if again := r.Holding(t, account, "points"); again.Allowance != h.Allowance {
			t.Errorf("more rounds set %d aside", again.Allowance)
		}
		r.Verify(t)
	})
}

func TestARightIsTakenBackByItsJournalOrByGrace(t *testing.T) {
	r := newRig(t, "", 1)
	a := r.till(t, "a")
	account := r.Member(t, "ann", 300)
	a.Sell(t, account, 100, 1)
	r.deliver(t, a)
	r.rounds(t)
	r.Clock.Advance(18 * time.Hour) // it is renewed when a quarter of its life is left
	r.policy.Rights.SharePercent = 0
	a.Skip(24*time.Hour + time.Minute)
	r.Clock.Advance(6*time.Hour + 2*time.Minute)
	r.rounds(t)
	if h := r.Holding(t, account, "points"); h.Allowance == 0 {
		t.Fatal("taken back before the journal past the end was there")
	}
	a.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	r.deliver(t, a)
	r.rounds(t)
	r.holds(t, account, 299, 0, 0)
	for _, item := range r.grants(t, a.Store) {
		if !item.Closed {
			t.Errorf("the store was told %+v", item)
		}
	}
	if e, err := r.Exposure(t.Context()); err != nil || e.Lines[0].TakenBack != 0 {
		t.Errorf("exposure %+v, %v", e, err)
	}
	r.policy.Rights.SharePercent = 50
	r.Clock.Advance(20 * time.Minute) // the others were recalled when the policy gave none
	r.rounds(t)
	r.policy.Rights.SharePercent = 0
	r.Clock.Advance(24*time.Hour + 3*time.Hour)
	r.rounds(t)
	r.holds(t, account, 299, 0, 0)
	if e, err := r.Exposure(t.Context()); err != nil || e.Lines[0].TakenBack != 149 {
		t.Errorf("after the grace: exposure %+v, %v", e, err)
	}
	a.Skip(30 * time.Hour)
	a.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	r.deliver(t, a)
	r.rounds(t)
	if e, err := r.Exposure(t.Context()); err != nil || e.Lines[0].TakenBack != 0 {
		t.Errorf("after the journal came: exposure %+v, %v", e, err)
	}
	r.Verify(t)
}

func TestAuthoriseIsTheSameAnswerAgain(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, 1)
		a, b := r.till(t, "a"), r.till(t, "b")
		account := r.Member(t, "ann", 300)
		first := r.ask(t, a, account, rightID("1"), 100, time.Second)
		if g := r.opened(t, first.Grant); g.Amount != 100 || g.Terminal != a.ID || !g.Asked {
			t.Fatalf("granted %+v", g)
		}
		r.Clock.Advance(time.Minute)
		again := r.ask(t, a, account, rightID("1"), 100, time.Second)
		if string(again.Grant.Payload) != string(first.Grant.Payload) {
			t.Error("the same question got another answer")
		}
		r.holds(t, account, 200, 100, 0)
		for name, c := range map[string]struct {
			answer wire.AuthoriseAnswer
			want   problem.Code
		}{
			"another till":   {r.ask(t, b, account, rightID("1"), 100, 0), problem.Conflict},
			"another amount": {r.ask(t, a, account, rightID("1"), 99, 0), problem.Conflict},
			"too much":       {r.ask(t, a, account, rightID("2"), 201, 0), problem.PointsInsufficient},
			"nobody":         {r.ask(t, a, rightID("nobody"), rightID("3"), 1, 0), problem.MemberUnknown},
		} {
			if c.answer.Refused != string(c.want) {
				t.Errorf("%s: %+v", name, c.answer)
			}
		}
		// The till gave up before it asked, as HQ hears it.
		a.Skip(2 * time.Minute)
		release(t, a, account, rightID("4"))
		release(t, a, account, rightID("1"))
		r.deliver(t, a)
		if answer := r.ask(t, a, account, rightID("4"), 10, 0); answer.Refused != string(problem.RightOver) {
			t.Errorf("given up before: %+v", answer)
		}
		r.holds(t, account, 300, 0, 0)
		r.Verify(t)
	})
}

// A till wants what another holds: it is recalled, and given when its release arrives.
func TestAuthoriseRecallsWhatAnotherHolds(t *testing.T) {
	r := newRig(t, "", 1)
	a, b := r.till(t, "a"), r.till(t, "b")
	account := r.Member(t, "ann", 300)
	r.ask(t, a, account, rightID("1"), 250, 0)
	if answer := r.ask(t, b, account, rightID("big"), 301, time.Second); answer.Refused != string(problem.PointsInsufficient) || answer.Free != 50 {
		t.Errorf("more than there is: %+v", answer)
	}
	if r.grants(t, a.Store)[rightID("1")].Recalled {
		t.Fatal("recalled in vain")
	}
	// The clock of this test stands still: the answer waits in real time.
	done := make(chan wire.AuthoriseAnswer, 1)
	go func() { done <- r.ask(t, b, account, rightID("2"), 100, time.Minute) }()
	for !r.grants(t, a.Store)[rightID("1")].Recalled {
		<-r.Feed.Changed()
	}
	a.Skip(time.Minute)
	release(t, a, account, rightID("1"))
	r.deliver(t, a)
	if answer := <-done; answer.Refused != "" {
		t.Errorf("after the release: %+v", answer)
	}
	r.holds(t, account, 200, 100, 0)
	r.rounds(t)
	if item := r.grants(t, a.Store)[rightID("1")]; !item.Closed {
		t.Errorf("the released right: %+v", item)
	}
	r.Verify(t)
}

func TestSharesSplitTheStoresCapAndCountUntilTakenIn(t *testing.T) {
	r := newRig(t, "", 1)
	a := r.till(t, "a")
	r.round(t)
	total := func() allowance.Line {
		e, err := r.Exposure(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return e.Total()[0]
	}
	if l := total(); l.StandIn != 150 || l.Clones != 150 {
		t.Errorf("one terminal: %+v", l)
	}
	b := r.tillOf(t, "b", a.Store)
	r.round(t)
	if l := total(); l.StandIn != 150+125 {
		t.Errorf("a second terminal, and the first has not heard: %+v", l)
	}
	for _, till := range []allowance.Lane{lane(a), lane(b)} {
		items, _ := r.told(t, a.Store, wire.ItemShare)
		share, err := wire.Unmarshal[wire.Share](items[till.ID].Body)
		if err != nil || share.Points != 125 || share.Policy != 1 || share.Unit != "points" {
			t.Errorf("share %+v, %v", share, err)
		}
	}
	notes := func(till *books.Till, policy, points int64) {
		till.Write(t, entry.KindNote, entry.Note{Code: entry.NotePolicy, Values: []int64{policy, points, 0}})
		r.deliver(t, till)
		r.round(t)
	}
	notes(a, 1, 125)
	notes(b, 1, 125)
	if l := total(); l.StandIn != 250 {
		t.Errorf("both have heard: %+v", l)
	}
	r.policy.Version, r.policy.PerStore = 2, 100
	r.round(t)
	if l := total(); l.StandIn != 250 {
		t.Errorf("a smaller cap that nobody heard of: %+v", l)
	}
	notes(b, 2, 50)
	if l := total(); l.StandIn != 125+50 {
		t.Errorf("one has heard: %+v", l)
	}
	if samples, err := r.History(t.Context(), a.Store, 0, 1<<60); err != nil || len(samples) == 0 || samples[0].StandIn == 0 {
		t.Errorf("history: %+v, %v", samples, err)
	}
}

// What stands in the way of a merge is asked for, and not given again at once.
func TestRecallClearsAnAccount(t *testing.T) {
	r := newRig(t, "", 1)
	a := r.till(t, "a")
	account := r.Member(t, "ann", 300)
	a.Sell(t, account, 100, 1)
	r.deliver(t, a)
	r.rounds(t)
	held, err := r.Recall(t.Context(), account)
	if err != nil || held != 1 {
		t.Fatalf("%d rights are held, %v", held, err)
	}
	a.Skip(time.Minute)
	for id, item := range r.grants(t, a.Store) {
		if !item.Recalled {
			t.Errorf("told %+v", item)
		}
		release(t, a, account, id)
	}
	r.deliver(t, a)
	r.rounds(t)
	if held, err := r.Recall(t.Context(), account); err != nil || held != 0 {
		t.Errorf("after the release %d rights are held, %v", held, err)
	}
	r.holds(t, account, 299, 0, 0)
	r.Clock.Advance(20 * time.Minute)
	r.rounds(t)
	r.holds(t, account, 150, 149, 0)
}

// A redemption elsewhere that HQ hears of late leaves a right without lots: that much can
// still be lost, and the right is asked for.
func TestWhatRightsLackIsExposed(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, 1)
		a, b := r.till(t, "a"), r.till(t, "b")
		account := r.Member(t, "ann", 300)
		b.Sell(t, account, 120, 120)
		r.Clock.Advance(time.Minute)
		r.ask(t, a, account, rightID("1"), 250, 0)
		r.deliver(t, b)
		r.holds(t, account, 0, 180, 0)
		e, err := r.Exposure(t.Context())
		if err != nil || len(e.Total()) == 0 || e.Total()[0].Uncovered != 70 || e.Total()[0].Worst() != e.Total()[0].StandIn+70 {
			t.Errorf("exposure %+v, %v", e, err)
		}
		r.round(t)
		if !r.grants(t, a.Store)[rightID("1")].Recalled {
			t.Error("the right was not asked for")
		}
	})
}

// A lane that is taken out of service gives back what it holds, and another lane of the
// store gets it. Nothing is taken from it before, and it may stand in for nothing more.
func TestG2_ARetiringLaneHandsOverItsRights(t *testing.T) {
	r := newRig(t, "", 1)
	store := uuid.NewSHA1(r.ID, []byte("shop"))
	one, two := r.tillOf(t, "one", store), r.tillOf(t, "two", store)
	account := r.Member(t, "ann", 1000)
	for _, till := range []*books.Till{one, two} {
		till.Sell(t, account, 100, 0)
	}
	r.deliver(t, one, two)
	r.rounds(t)
	var right uuid.UUID
	var holder wire.Grant
	for id, a := range r.grants(t, store) {
		right, holder = id, r.opened(t, a.Grant)
	}
	if right == uuid.Nil {
		t.Fatal("nobody got a right")
	}
	leaving, staying := one, two
	if holder.Terminal == two.ID {
		leaving, staying = two, one
	}
	row, err := r.DB.Terminal(t.Context(), leaving.ID)
	if err != nil {
		t.Fatal(err)
	}
	row.State, row.Version = fleet.StateRetiring, row.Version+1
	if err := r.DB.SetTerminal(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	r.rounds(t)
	if a := r.grants(t, store)[right]; !a.Recalled || a.Closed {
		t.Fatalf("its right: %+v", a)
	}
	if got := r.Holding(t, account, "points"); got.Allowance != holder.Amount {
		t.Errorf("set aside are %d, want %d until it is given back", got.Allowance, holder.Amount)
	}
	shares, _ := r.told(t, store, wire.ItemShare)
	share, err := wire.Unmarshal[wire.Share](shares[leaving.ID].Body)
	if err != nil || share.Points != 0 || share.Uses != 0 {
		t.Errorf("its share: %+v, %v", share, err)
	}
	release(t, leaving, account, right)
	r.deliver(t, leaving)
	r.Clock.Advance(time.Hour) // HQ gives none ahead for a while after a recall
	r.rounds(t)
	var got int64
	for id, a := range r.grants(t, store) {
		if id != right && !a.Closed && !a.Recalled {
			g := r.opened(t, a.Grant)
			if g.Terminal != staying.ID {
				t.Errorf("a right of %d went to %s", g.Amount, g.Terminal)
			}
			got += g.Amount
		}
	}
	if got != holder.Amount {
		t.Errorf("the other lane got %d, want %d", got, holder.Amount)
	}
	r.Verify(t)
}
