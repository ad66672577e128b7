package till_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

func (s *shop) day(t tilltest.T) till.Day {
	t.Helper()
	d, err := s.till.Day(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *shop) closeDay(t tilltest.T, key string) till.ClosedDay {
	t.Helper()
	c, err := s.till.CloseDay(context.Background(), till.NewDayClose{Key: key, Cashier: "7"})
	if err != nil {
		t.Fatalf("close day %s: %v", key, err)
	}
	return c
}

// closes returns all closed days, oldest first.
func (s *shop) closes(t tilltest.T) []till.ClosedDay {
	t.Helper()
	var out []till.ClosedDay
	before := uint64(0)
	for more := true; more; {
		var list []till.ClosedDay
		var err error
		if list, more, err = s.till.ClosedDays(context.Background(), before, 2); err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			out = append([]till.ClosedDay{c}, out...)
			before = c.At.Seq
		}
	}
	return out
}

func TestADayIsClosedWithItsFigures(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.ClaimDays = 10 })
	ctx := context.Background()
	s.commit(t, "a", s.buy(t, 5000, points(s.five, 2), use(s.voucher, 1)))
	s.commit(t, "b", s.buy(t, 2000))
	s.commit(t, "no card", till.Request{Basket: tilltest.Basket(700)})
	if _, err := s.till.Void(ctx, till.Void{SaleKey: "b", Key: "v", Cashier: "8"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.till.Return(ctx, till.Return{SaleReceipt: "R-a", Key: "r", Cashier: "7"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.till.Return(ctx, till.Return{Refund: &entry.Money{Currency: "EUR", Minor: 99}, Key: "r2", Cashier: "7"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.till.Quote(ctx, s.buy(t, 1000, points(s.five, 1))); err != nil {
		t.Fatal(err)
	}
	before := s.day(t)
	closed := s.closeDay(t, "close")
	b := closed.Body
	if b.Date != 20260310 || closed.BusinessDate != b.Date || b.First != 1 || b.Last != closed.At.Seq-1 || b.Reason != entry.DayCloseByHand ||
		b.Claims != 1 || b.Held != 1 || len(b.Holds) != 1 || b.Holds[0].Amount != 100 || b.Holds[0].Member != s.member.ID || b.Waiting != b.Last {
		t.Errorf("closed with %+v", b)
	}
	if hash, err := s.journal.HashAt(ctx, b.Last); err != nil || string(hash[:]) != string(b.Head) {
		t.Errorf("the close names another head: %v", err)
	}
	money := []entry.DayMoney{
		{Kind: entry.KindSale, Currency: "EUR", Count: 3, Total: 7700, Discount: 1500},
		{Kind: entry.KindVoid, Currency: "EUR", Count: 1, Total: 2000},
		{Kind: entry.KindReturn, Currency: "EUR", Count: 2, Total: 3599, Unmatched: 1},
	}
	amounts := []entry.DayAmount{
		{Kind: entry.KindSale, Flow: entry.DayEarned, Unit: "points", Count: 2, Amount: 55},
		{Kind: entry.KindSale, Flow: entry.DayRedeemed, Basis: entry.BasisStandIn, Count: 1, Amount: 1, Discount: 500},
		{Kind: entry.KindSale, Flow: entry.DayRedeemed, Unit: "points", Basis: entry.BasisStandIn, Count: 1, Amount: 200, Discount: 1000},
		{Kind: entry.KindVoid, Flow: entry.DayEarned, Unit: "points", Count: 1, Amount: 20},
	}
	cashiers := []entry.DayCashier{
		{Cashier: "7", Currency: "EUR", Sales: 3, Returns: 2, Taken: 6200, Refunded: 3599},
		{Cashier: "8", Currency: "EUR", Voids: 1, Undone: 2000},
	}
	kinds := map[entry.Kind]uint64{}
	for _, k := range b.Kinds {
		kinds[k.Kind] = k.Count
	}
	if !reflect.DeepEqual(b.Money, money) || !reflect.DeepEqual(b.Amounts, amounts) || !reflect.DeepEqual(b.Cashiers, cashiers) {
		t.Errorf("closed with %+v", b)
	}
	if kinds[entry.KindSale] != 3 || kinds[entry.KindVoid] != 1 || kinds[entry.KindReturn] != 2 || kinds[entry.KindEnrolled] != 1 {
		t.Errorf("kinds %v", kinds)
	}
	b.Reason, b.Cashier, b.Key, b.KeyHash = 0, "", "", nil
	if !before.Closable() || !reflect.DeepEqual(before.Body, b) {
		t.Errorf("before the close %+v, closed with %+v", before.Body, b)
	}
	if want := time.Date(2026, 3, 10, 23, 0, 0, 0, time.UTC); !before.Ends.Equal(want) {
		t.Errorf("the day ends at %s, want %s", before.Ends, want)
	}
}

func TestASaleAfterTheCloseBelongsToTheNextDate(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	s.commit(t, "a", s.buy(t, 1000))
	first := s.closeDay(t, "first")
	again, err := s.till.CloseDay(ctx, till.NewDayClose{Key: "first"})
	if again.Replayed = !again.Replayed; err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("closed again: %+v, %v; first %+v", again, err, first)
	}
	if sale := s.commit(t, "b", s.buy(t, 1000)); sale.BusinessDate != 20260311 {
		t.Errorf("sold on %s after the close of %s", sale.BusinessDate, first.Body.Date)
	}
	if d := s.day(t); d.Closable() || d.Today != 20260310 || d.Body.Date != 20260311 || d.Body.First != first.At.Seq+1 {
		t.Errorf("after the close: %+v", d)
	}
	for _, date := range []entry.Date{0, 20260311, 20260312} {
		_, err = s.till.CloseDay(ctx, till.NewDayClose{Key: "second", Date: date})
		wantCode(t, err, problem.DayNotBegun)
	}
	_, err = s.till.CloseDay(ctx, till.NewDayClose{Key: "second", Date: 20260310})
	wantCode(t, err, problem.DayClosed)
	s.Pass(24 * time.Hour)
	s.tend(t)
	if sale := s.commit(t, "c", s.buy(t, 1000)); sale.BusinessDate != 20260311 {
		t.Errorf("sold on %s", sale.BusinessDate)
	}
	second, err := s.till.CloseDay(ctx, till.NewDayClose{Key: "second", Date: 20260311})
	if err != nil || second.Body.Money[0].Count != 2 {
		t.Errorf("the second close: %+v, %v", second, err)
	}
	if found, err := s.till.ClosedDay(ctx, 20260310); err != nil || found.At != first.At {
		t.Errorf("%+v, %v", found, err)
	}
	_, err = s.till.ClosedDay(ctx, 20260312)
	wantCode(t, err, problem.NotFound)
}

func TestADayThatIsOverClosesItself(t *testing.T) {
	s := newShop(t, nil)
	s.commit(t, "a", s.buy(t, 1000))
	s.tend(t)
	s.Pass(12 * time.Hour) // 00:00 in Berlin
	s.tend(t)
	s.tend(t)
	s.Pass(24 * time.Hour) // nothing was sold; the terminal ran
	s.tend(t)
	s.Pass(24 * time.Hour)
	sale := s.commit(t, "b", s.buy(t, 1000)) // before anything else that day
	s.Pass(24 * time.Hour)
	if _, err := s.till.Void(context.Background(), till.Void{SaleKey: "b", Key: "v"}); err != nil {
		t.Fatal(err)
	}
	got := s.closes(t)
	var dates []entry.Date
	for i, c := range got {
		dates = append(dates, c.Body.Date)
		if c.Body.Reason != entry.DayCloseOver || i > 0 && c.Body.First != got[i-1].At.Seq+1 || c.Body.Last != c.At.Seq-1 {
			t.Errorf("close %d: %+v", i, c)
		}
	}
	if want := []entry.Date{20260310, 20260311, 20260313}; !reflect.DeepEqual(dates, want) || sale.BusinessDate != 20260313 {
		t.Errorf("closed %v, sold on %s", dates, sale.BusinessDate)
	}
	if d := s.day(t); d.Body.Date != 20260314 || len(d.Body.Money) != 1 || d.Body.Money[0].Kind != entry.KindVoid {
		t.Errorf("the open day: %+v", d)
	}
}

// A close that fails leaves the day open, and a sale is not made under a date that ought
// to be closed.
func TestADiskThatIsFullClosesNothing(t *testing.T) {
	s := newShop(t, nil)
	s.commit(t, "a", s.buy(t, 1000))
	s.Pass(24 * time.Hour)
	head := s.journal.Head()
	s.journal.FailAfter(0, journal.ErrDiskFull)
	_, err := s.till.Commit(context.Background(), tilltest.Commit("b", s.buy(t, 1000)))
	wantCode(t, err, problem.DiskFull)
	_, err = s.till.CloseDay(context.Background(), till.NewDayClose{Key: "c"})
	wantCode(t, err, problem.DiskFull)
	if s.journal.Head() != head {
		t.Fatalf("the head is %v, was %v", s.journal.Head(), head)
	}
	s.journal.FailAfter(0, nil)
	if d := s.day(t); d.Body.Date != 20260310 || d.Body.Money[0].Count != 1 {
		t.Errorf("the open day: %+v", d)
	}
	if sale := s.commit(t, "b", s.buy(t, 1000)); sale.BusinessDate != 20260311 {
		t.Errorf("sold on %s", sale.BusinessDate)
	}
}

// A clock that was a year ahead costs wrong dates while it lasts, and no longer.
func TestAWrongClockDoesNotTakeTheShopIntoTheFuture(t *testing.T) {
	s := newShop(t, nil)
	s.commit(t, "a", s.buy(t, 1000))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(365 * 24 * time.Hour) // the machine's clock at the start is believed
	s.open(t)
	ahead := s.commit(t, "b", s.buy(t, 1000))
	s.Clock.Advance(-365 * 24 * time.Hour)
	s.Feed(t, s.till) // HQ's time
	back := s.commit(t, "c", s.buy(t, 1000))
	s.Pass(24 * time.Hour)
	next := s.commit(t, "d", s.buy(t, 1000))
	if ahead.BusinessDate != 20270310 || back.BusinessDate != 20260311 || next.BusinessDate != 20260311 {
		t.Errorf("sold on %s, %s, %s", ahead.BusinessDate, back.BusinessDate, next.BusinessDate)
	}
	var dates []entry.Date
	for _, c := range s.closes(t) {
		dates = append(dates, c.Body.Date)
	}
	if want := []entry.Date{20260310, 20270310}; !reflect.DeepEqual(dates, want) {
		t.Errorf("closed %v, want %v", dates, want)
	}
}
