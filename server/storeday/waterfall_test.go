package storeday_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// fall reads a waterfall and holds it to its sums.
func fall(t *testing.T, s *shop.Shop, date entry.Date) storeday.Waterfall {
	t.Helper()
	w, err := s.Days.Waterfall(t.Context(), s.Of.ID, date)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range w.Rows {
		var lanes storeday.Steps
		for _, l := range append([]storeday.Steps{row.Steps}, row.Lanes...) {
			for _, sum := range [][6]int64{
				{l.Said.Amount, l.Differs.Amount, l.Unclosed.Amount, l.Rejected.Amount, l.LateIn.Amount, l.Certified.Amount},
				{l.Said.Count, l.Differs.Count, l.Unclosed.Count, l.Rejected.Count, l.LateIn.Count, l.Certified.Count},
			} {
				if sum[0]+sum[1]+sum[2]+sum[3]+sum[4] != sum[5] {
					t.Errorf("%s: %+v does not add up in %+v", date, row.Line, l)
				}
			}
		}
		for _, l := range row.Lanes {
			lanes.Said.Amount, lanes.Certified.Amount = lanes.Said.Amount+l.Said.Amount, lanes.Certified.Amount+l.Certified.Amount
		}
		if len(row.Lanes) != len(w.Lanes) || lanes.Said.Amount != row.Said.Amount || lanes.Certified.Amount != row.Certified.Amount {
			t.Errorf("%s: the lanes of %+v have %+v", date, row, lanes)
		}
	}
	return w
}

func sales(t *testing.T, w storeday.Waterfall) storeday.Row {
	t.Helper()
	for _, row := range w.Rows {
		if row.Kind == entry.KindSale && row.Currency == "EUR" {
			return row
		}
	}
	t.Fatalf("no sales in %+v", w)
	return storeday.Row{}
}

// A waterfall leads from the terminals' word to the certificate, and past it to what came late.
func TestAWaterfallLeadsFromTheClosesToTheCertificate(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shop.Shop) {
		one, two := s.Lane(t, "one"), s.Lane(t, "two")
		one.Sell(t, 1000, 20)
		one.CloseDay(t, func(c *entry.DayClose) { c.Money[0].Total = 1200 })
		two.Sell(t, 300, 0)
		two.Deliver(t)
		hidden := two.Sell(t, 40, 0) // the till breaks, and its disk is found later
		one.Deliver(t)
		w := fall(t, s, 20260301)
		row := sales(t, w)
		if w.Certified != nil || w.Lanes[0].Why+w.Lanes[1].Why != storeday.WaitClose || row.Said.Amount != 1200 || row.Differs.Amount != -200 || row.Certified.Amount != 1000 {
			t.Errorf("open: %+v, sales %+v", w, row)
		}
		lost := s.Lanes[two.ID]
		lost.Lost = fleet.Declaration{ID: uuid.New(), Step: entry.LostConfirmed, Epoch: 1, Gap: fleet.Gap{Said: 3, Bound: []entry.LostBound{{Unit: "points", Rights: 40}}}}
		s.Round(t) // finds the difference
		for _, x := range s.Exceptions(t, ledger.DayCloseDiffers) {
			if err := s.DB.PutCase(t.Context(), casework.Case{Shard: x.Shard, Exception: x.ID, Resolution: "explained", Version: 1, ChangedAt: time.UnixMilli(1)}); err != nil {
				t.Fatal(err)
			}
		}
		s.Round(t)
		w = fall(t, s, 20260301)
		row = sales(t, w)
		certified := s.Chain(t)[0]
		if w.Certified == nil || w.Certified.Number != 1 || row.Certified.Amount != certified.Day.Money[0].Total || row.Unclosed.Amount != 300 || row.Said.Amount != 1200 || row.LateOut.Count != 0 {
			t.Errorf("certified: %+v, sales %+v", w, row)
		}
		gaps, differs := 0, 0
		for _, l := range w.Lanes {
			differs += len(l.Differences)
			if l.Gap != nil && l.Gap.Bound[0].Rights == 40 && l.Over == storeday.OverLost {
				gaps++
			}
		}
		if gaps != 1 || differs != 1 {
			t.Errorf("%d gaps and %d differences in %+v", gaps, differs, w.Lanes)
		}
		lost.Lost.Step = entry.LostFound
		two.CloseDay(t)
		two.CloseDay(t)
		two.Deliver(t)
		one.Sell(t, 100, 0)
		one.CloseDay(t)
		one.Deliver(t)
		s.Round(t)
		first, second := fall(t, s, 20260301), fall(t, s, 20260302)
		if row := sales(t, first); row.LateOut.Amount != hidden.Total.Minor || row.Certified.Amount != 1300 || len(first.LateOut) != 1 || first.LateOut[0].Number != 2 {
			t.Errorf("late out: %+v, sales %+v", first.LateOut, row)
		}
		if row := sales(t, second); row.LateIn.Amount != -hidden.Total.Minor || row.Certified.Amount != 100 || len(second.LateIn) != 1 || second.LateIn[0].Date != 20260301 {
			t.Errorf("late in: %+v, sales %+v", second.LateIn, row)
		}
		if _, err := s.Days.Waterfall(t.Context(), s.Of.ID, 20260310); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("a day that has not begun: %v", err)
		}
	})
}

// What a person rejected of a terminal that was shut out is a step of its own.
func TestAWaterfallShowsWhatWasRejected(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Deliver(t)
	two.ShutOut()
	s.Lanes[two.ID].State = fleet.StateRevoked
	two.Sell(t, 300, 0)
	two.Deliver(t)
	for _, x := range s.Exceptions(t, ledger.Unproven) {
		if _, err := s.Ledger.Decide(t.Context(), uuid.New(), x, entry.VerdictReject); err != nil {
			t.Fatal(err)
		}
	}
	s.Clock.Advance(48 * time.Hour)
	s.Round(t)
	row := sales(t, fall(t, s, 20260301))
	if row.Said.Amount != 500 || row.Unclosed.Amount != 300 || row.Rejected != (storeday.Sum{Count: -1, Amount: -300}) || row.Certified.Amount != 500 {
		t.Errorf("%+v", row)
	}
	list, next, err := s.Days.Entries(t.Context(), storeday.Behind{Store: s.Of.ID, Date: 20260301, Writer: journal.Writer{ID: two.ID, Epoch: 1}, Line: row.Line}, "", 10)
	if err != nil || next != "" || len(list) != 1 || !list[0].Rejected || list[0].Amount != 300 || list[0].Seq != 2 {
		t.Errorf("%+v, %q, %v", list, next, err)
	}
}

// The entries behind a line are those that it counts, page by page.
func TestTheEntriesBehindALineAddUpToIt(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	for i := range 7 {
		one.Sell(t, int64(100+i), 0)
	}
	one.Void(t, one.Sell(t, 5, 0))
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	of := storeday.Behind{Store: s.Of.ID, Date: 20260301, Writer: journal.Writer{ID: one.ID, Epoch: 1}}
	for _, row := range fall(t, s, 20260301).Rows {
		of.Line = row.Line
		var sum storeday.Sum
		for cursor, more := "", true; more; more = cursor != "" {
			list, next, err := s.Days.Entries(t.Context(), of, cursor, 3)
			if err != nil || len(list) > 3 {
				t.Fatalf("%+v, %v", list, err)
			}
			for _, e := range list {
				sum.Count, sum.Amount = sum.Count+1, sum.Amount+e.Amount
			}
			cursor = next
		}
		if sum != row.Certified {
			t.Errorf("%+v: the entries have %+v, the line %+v", row.Line, sum, row.Certified)
		}
	}
	if _, _, err := s.Days.Entries(t.Context(), of, "x", 3); problem.CodeOf(err) != problem.CursorInvalid {
		t.Error(err)
	}
	of.Writer.Epoch = 9
	if _, _, err := s.Days.Entries(t.Context(), of, "", 3); problem.CodeOf(err) != problem.NotFound {
		t.Error(err)
	}
}

func TestLinesAreReadFromWords(t *testing.T) {
	for words, ok := range map[[5]string]bool{
		{"sale", "EUR"}: true, {"sale", "", "earned", "points"}: true, {"void", "", "redeemed", "", "stand_in"}: true,
		{"sale"}: false, {"enrolled", "EUR"}: false, {"sale", "EUR", "earned"}: false, {"sale", "", "lost"}: false, {"sale", "", "earned", "", "x"}: false, {}: false,
	} {
		if l, err := storeday.LineOf(words[0], words[1], words[2], words[3], words[4]); (err == nil) != ok {
			t.Errorf("%q: %+v, %v", words, l, err)
		}
	}
}
