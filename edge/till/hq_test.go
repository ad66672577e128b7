package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

func (s *shop) mark(seq uint64) wire.Mark {
	return wire.Mark{Terminal: s.Writer.ID, Epoch: s.Writer.Epoch, Seq: seq}
}

func TestOwnEntriesCountUntilHQsMarkPassesThem(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	first := s.commit(t, "a", s.buy(t, 1000, points(s.five, 1)))
	s.commit(t, "b", s.buy(t, 1800, points(s.five, 2)))
	known := func(free int64, marks ...wire.Mark) {
		t.Helper()
		s.member.Holdings[0].Free, s.member.Marks = free, marks
		s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	}
	for _, c := range []struct {
		name          string
		hq            int64
		marks         []wire.Mark
		free, pending int64
	}{
		{"no mark", 1000, nil, 700, 13},
		{"another terminal's", 1000, []wire.Mark{{Terminal: s.HQ, Epoch: 1, Seq: 99}}, 700, 13},
		{"another epoch's", 1000, []wire.Mark{{Terminal: s.Writer.ID, Epoch: 7, Seq: 99}}, 700, 13},
		{"through the first sale", 905, []wire.Mark{s.mark(first.At.Seq)}, 705, 8},
		{"through both", 713, []wire.Mark{s.mark(first.At.Seq + 1)}, 713, 0},
	} {
		known(c.hq, c.marks...)
		if h := s.free(t); h.Free != c.free || h.Pending != c.pending {
			t.Errorf("%s: %+v, want %d and %d", c.name, h, c.free, c.pending)
		}
	}
	// HQ holds both sales; the void gives the points back and takes the earnings.
	if _, err := s.till.Void(ctx, till.Void{Sale: first.Body.ID, Key: "v"}); err != nil {
		t.Fatal(err)
	}
	if h := s.free(t); h.Free != 713+100-5 || h.Pending != 0 {
		t.Errorf("after the void: %+v", h)
	}
}

func TestNothingOfHQGoesBack(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	old := s.Item(t, wire.ItemMember, s.member.ID, s.member)
	blocked := s.member
	blocked.Blocked = true
	oldPolicy := s.Item(t, wire.ItemPolicy, s.HQ, s.Policy)
	s.Policy.PerSale = 7
	s.Policy.Version++
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, blocked), s.Item(t, wire.ItemPolicy, s.HQ, s.Policy))
	s.Feed(t, s.till, old, oldPolicy)
	_, err := s.till.Identify(ctx, s.Static(t, s.member))
	wantCode(t, err, problem.CodeBlocked)
	if status, err := s.till.Status(ctx); err != nil || status.Policy != s.Policy.Version {
		t.Errorf("policy %d, %v", status.Policy, err)
	}
	// A gone record stays gone too: nothing but the pass is known of the member.
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, nil))
	s.Feed(t, s.till, old)
	gone, err := s.till.Identify(ctx, s.Static(t, s.member))
	if err != nil || len(gone.Member.Holdings) != 0 || gone.Member.Rewards[0].Refused.Code != problem.PointsUnknown {
		t.Errorf("a gone member: %+v, %v", gone.Member, err)
	}
	// After a restore HQ's records count though their versions are lower; policies not.
	s.HQEpoch = 2
	s.Restart()
	old.Version, oldPolicy.Version = 1, 1
	s.Feed(t, s.till, old, oldPolicy)
	if _, err := s.till.Identify(ctx, s.Static(t, s.member)); err != nil {
		t.Error(err)
	}
	if status, err := s.till.Status(ctx); err != nil || status.Policy != s.Policy.Version {
		t.Errorf("policy %d, %v", status.Policy, err)
	}
	s.HQEpoch = 1
	s.Restart()
	wantCode(t, s.till.ApplyFeed(ctx, s.Page()), problem.Conflict)
}

func TestPagesThatDoNotFitAreRefusedWhole(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	cursor := s.till.Cursor()
	bad := s.Page(s.Item(t, wire.ItemMember, s.member.ID, wire.Member{ID: s.member.ID, Blocked: true}), wire.Item{Kind: wire.ItemReward, Version: 99, Body: []byte{0xff}})
	bad.From = cursor
	if err := s.till.ApplyFeed(ctx, bad); err == nil {
		t.Error("a page with an unreadable item was taken")
	}
	zone := s.Page(s.Item(t, wire.ItemStore, s.Store, wire.Store{ID: s.Store, TimeZone: "Europe/Atlantis", Currency: "EUR"}))
	zone.From = cursor
	wantCode(t, s.till.ApplyFeed(ctx, zone), problem.InvalidField)
	for code, change := range map[problem.Code]func(*wire.FeedPage){
		problem.CursorInvalid: func(p *wire.FeedPage) { p.From = "elsewhere" },
		problem.WireVersion:   func(p *wire.FeedPage) { p.V = 99 },
		problem.Conflict:      func(p *wire.FeedPage) { p.Store = s.HQ },
	} {
		page := s.Page()
		page.From = cursor
		change(&page)
		wantCode(t, s.till.ApplyFeed(ctx, page), code)
	}
	if s.till.Cursor() != cursor || s.free(t).Free != 10_000 {
		t.Errorf("a refused page left %q, %+v", s.till.Cursor(), s.free(t))
	}
}

// While HQ enrols many members, page follows page for minutes.
func TestCacheAgeStandsStillWhilePagesFollowOneAnother(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	part := func(more bool) {
		t.Helper()
		page := s.Page(s.Item(t, wire.ItemMember, s.member.ID, s.member))
		page.From, page.More = s.till.Cursor(), more
		if err := s.till.ApplyFeed(ctx, page); err != nil {
			t.Fatal(err)
		}
	}
	age := func(want time.Duration) {
		t.Helper()
		status, err := s.till.Status(ctx)
		if err != nil || status.CacheAge != want {
			t.Errorf("cache is %s old, %v; want %s", status.CacheAge, err, want)
		}
	}
	part(false)
	age(0)
	s.Pass(48 * time.Hour) // offline
	age(48 * time.Hour)
	part(true)
	for range 20 {
		s.Pass(30 * time.Second)
		part(true)
		age(48 * time.Hour)
	}
	s.Pass(time.Hour) // offline in the middle of it
	part(true)
	age(49 * time.Hour)
	part(false)
	age(0)
}

func TestFullDiskRefusesTheFeedBeforeSales(t *testing.T) {
	space := int64(1 << 30)
	s := newShop(t, func(s *shop) { s.FreeDisk = func() (int64, error) { return space, nil } })
	space = 100 << 20
	wantCode(t, s.till.ApplyFeed(context.Background(), s.Page()), problem.DiskFull)
	s.commit(t, "a", s.buy(t, 1000))
	space = 1 << 20
	_, err := s.till.Commit(context.Background(), tilltest.Commit("b", s.buy(t, 1000)))
	wantCode(t, err, problem.DiskFull)
	space = 1 << 30
	s.commit(t, "b", s.buy(t, 1000))
}

func TestReceiptFreesTheCapAndARestoredHQTakesItBack(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerTerminal = 300 })
	ctx := context.Background()
	sale := s.commit(t, "a", s.buy(t, 5000, points(s.five, 3)))
	spent := func(want int64) {
		t.Helper()
		if status, err := s.till.Status(ctx); err != nil || status.SpentPoints != want {
			t.Errorf("spent %d, %v; want %d", status.SpentPoints, err, want)
		}
	}
	receipt := wire.Receipt{
		V: 1, HQ: s.HQ, HQEpoch: 1, Terminal: s.Writer.ID, Epoch: 1, Seq: sale.At.Seq, Hash: sale.At.Hash[:],
		RecordedAt: s.Clock.Now().UnixMilli(),
	}
	foreign := receipt
	foreign.Terminal = s.HQ
	wantCode(t, s.till.ApplyReceipt(ctx, foreign), problem.Conflict)
	spent(300)
	for range 2 {
		if err := s.till.ApplyReceipt(ctx, receipt); err != nil {
			t.Fatal(err)
		}
		spent(0)
	}
	s.commit(t, "b", s.buy(t, 5000, points(s.five, 2)))
	if _, err := s.till.Void(ctx, till.Void{SaleKey: "a", Key: "v"}); err != nil {
		t.Fatal(err)
	}
	spent(200)
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	spent(200)
	welcome := wire.Welcome{
		V: 1, HQ: s.HQ, HQEpoch: 2, Terminal: s.Writer.ID, Epoch: 1, HQTime: s.Clock.Now().UnixMilli(),
	}
	if err := s.till.ApplyWelcome(ctx, welcome); err != nil {
		t.Fatal(err)
	}
	spent(200) // sale a is voided: it spends nothing again
	if head, epoch := s.till.Acked(); head.Seq != 0 || epoch != 2 || s.till.Cursor() != "" {
		t.Errorf("acked %v in epoch %d, cursor %q", head, epoch, s.till.Cursor())
	}
	welcome.HQEpoch = 1
	wantCode(t, s.till.ApplyWelcome(ctx, welcome), problem.Conflict)
}

func TestClockIn1970EarnsAndRedeemsAfterHQIsHeard(t *testing.T) {
	s := newShop(t, nil)
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	code := s.Rotating(t, s.member)
	s.Clock.Set(time.Unix(1000, 0))
	s.open(t)
	sale := s.commit(t, "a", till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000)})
	if sale.OccurredAt.Before(tilltest.Start) || sale.BusinessDate != 20260310 || len(sale.Body.Earned) != 1 {
		t.Errorf("sold %+v", sale)
	}
	redeem := tilltest.Commit("b", s.buy(t, 1000, points(s.five, 1)))
	_, err := s.till.Commit(context.Background(), redeem)
	wantCode(t, err, problem.ClockUntrusted)
	s.till.ObserveHQTime(tilltest.Start.Add(time.Minute))
	if _, err := s.till.Commit(context.Background(), redeem); err != nil {
		t.Error(err)
	}
	if now, trusted := s.till.Now(); !trusted || !now.Equal(tilltest.Start.Add(time.Minute)) {
		t.Errorf("now %s, trusted %v", now, trusted)
	}
}

func TestJumpOfTheClockIsJournalledOnceAndExpiresNothing(t *testing.T) {
	for _, jump := range []time.Duration{400 * 24 * time.Hour, -time.Hour} {
		s := newShop(t, nil)
		ctx := context.Background()
		s.Clock.Advance(time.Minute) // within the tolerance
		s.commit(t, "small", s.buy(t, 1000, points(s.five, 1)))
		before := s.journal.Head().Seq
		s.Clock.Advance(jump)
		for range 3 {
			if err := s.till.ObserveClock(ctx); err != nil {
				t.Fatal(err)
			}
		}
		run, err := s.journal.Read(ctx, before+1, 10, 1<<20)
		if err != nil || len(run.Entries) != 1 {
			t.Fatalf("%d entries, %v", len(run.Entries), err)
		}
		e, err := entry.Decode(run.Entries[0])
		if err != nil {
			t.Fatal(err)
		}
		body, err := entry.DecodeBody[entry.Clock](e)
		if err != nil || e.Kind != entry.KindClock || body.Jump != jump.Milliseconds()+60_000 {
			t.Errorf("%s: journalled %v %+v, %v", jump, e.Kind, body, err)
		}
		s.Mono.Add(int64(time.Minute))
		if now, trusted := s.till.Now(); trusted || now.Before(tilltest.Start) || now.After(tilltest.Start.Add(2*time.Minute)) {
			t.Errorf("%s: now %s, trusted %v", jump, now, trusted)
		}
		_, err = s.till.Commit(ctx, tilltest.Commit("b", s.buy(t, 1000, points(s.five, 1))))
		wantCode(t, err, problem.ClockUntrusted)
		s.till.ObserveHQTime(tilltest.Start.Add(-2 * time.Hour)) // older than what HQ said before
		if _, trusted := s.till.Now(); trusted {
			t.Error("an old word of HQ ended distrust")
		}
		s.commit(t, "earns", s.buy(t, 1000))
		s.till.ObserveHQTime(tilltest.Start.Add(time.Minute))
		s.commit(t, "b", s.buy(t, 1000, points(s.five, 1)))
	}
}

func TestMembersDayEndsAtTheStoresMidnight(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerMemberDay = 100 })
	s.commit(t, "a", s.buy(t, 1000, points(s.five, 1)))
	s.Pass(10*time.Hour + 59*time.Minute) // 22:59 in Berlin
	_, err := s.till.Commit(context.Background(), tilltest.Commit("b", s.buy(t, 1000, points(s.five, 1))))
	wantCode(t, err, problem.CapMemberDay)
	s.Pass(61 * time.Minute) // midnight there, 23:00 in UTC
	if sale := s.commit(t, "b", s.buy(t, 1000, points(s.five, 1))); sale.BusinessDate != 20260311 {
		t.Errorf("sold on %s", sale.BusinessDate)
	}
}
