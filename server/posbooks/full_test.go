package posbooks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// Whatever files come one after the other: a file counts whole or not at all, and then
// says so with a code, and every row that counts is matched.
func TestNoRowOfAFullDayIsLost(t *testing.T) {
	s := newStand(t, books.New(t))
	s.Clock.Advance(24 * time.Hour)
	s.books.Narrow(4)
	const most = 8
	day := entry.Date(20200101)
	checks := 0
	rapid.Check(t, func(r *rapid.T) {
		if checks++; checks > 20 && os.Getenv("TALLYSTICK_SOAK") == "" {
			return // each takes a database
		}
		days := []entry.Date{day, day.Next()}
		day = days[1].Next()
		counts := map[string]bool{} // day and number
		ofDay := func(rows map[string]bool, day entry.Date) (n int64) {
			for at := range rows {
				if strings.HasPrefix(at, day.String()) {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(2, 5).Draw(r, "files") {
			file, would := head, map[string]bool{}
			for at := range counts {
				would[at] = true
			}
			for _, d := range days {
				for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 12), 0, 4, rapid.ID[int]).Draw(r, "rows") {
					file += fmt.Sprintf("%d,Lane 1,%s 10:00,1.00,sale\n", n, d)
					would[fmt.Sprint(d, n)] = true
				}
			}
			i := s.bring(rules, file)
			if full := ofDay(would, days[0]) > most || ofDay(would, days[1]) > most; full {
				if i.State != posbooks.Failed || i.Code != problem.DayTooFull || !strings.Contains(i.Reason, "there can be 8") {
					r.Fatalf("a day would be full: %+v", i)
				}
			} else if i.State != posbooks.Finished {
				r.Fatalf("%+v", i)
			} else {
				counts = would
			}
			got, err := s.books.Days(t.Context(), s.Of.ID, days[0], days[1])
			if err != nil {
				r.Fatal(err)
			}
			for _, d := range got {
				if want := ofDay(counts, d.Date); d.MissingHere != want {
					r.Fatalf("%d rows count of %s, and %d are matched", want, d.Date, d.MissingHere)
				}
			}
		}
	})
}

// Rows that a release before this one took in are not left out without a word.
func TestADayThatIsTooFullSaysSo(t *testing.T) {
	s := newStand(t, books.New(t))
	s.Clock.Advance(24 * time.Hour)
	file := func(day, from, to int) string {
		var out strings.Builder
		for n := from; n <= to; n++ {
			fmt.Fprintf(&out, "%d,Lane 1,2026-02-%02d 10:00,1.00,sale\n", n, day)
		}
		return out.String()
	}
	s.bring(rules, head+file(1, 1, 9)+file(5, 1, 1))
	s.books.Narrow(4)
	s.must(s.books.Again(t.Context(), s.Of.ID, 20260201, 20260205))
	if err := s.books.Round(t.Context()); problem.CodeOf(err) != problem.DayTooFull {
		t.Errorf("%v", err)
	}
	days, err := s.books.Days(t.Context(), s.Of.ID, 20260201, 20260205)
	s.must(err)
	if len(days) != 2 || !days[0].Dirty || days[1].Dirty {
		t.Errorf("the other day is matched, and the full one waits: %+v", days)
	}
	troubles, err := s.books.Troubles(t.Context(), s.Of.ID)
	s.must(err)
	if len(troubles) != 1 || troubles[0].Work != posbooks.WorkMatch || troubles[0].Reason != "there are more than 8 rows of 2026-02-01" {
		t.Errorf("%+v", troubles)
	}
}

// A file that is sent again by other rules does not stand beside itself.
func TestAFullDayIsSentAgainByOtherRules(t *testing.T) {
	s := newStand(t, books.New(t))
	s.Clock.Advance(24 * time.Hour)
	s.books.Narrow(4)
	file := func(from int) (out string) {
		for n := range 4 {
			out += fmt.Sprintf("%d,POS 1,2026-02-01 10:00,1.00,sale\n", from+n)
		}
		return head + out
	}
	s.bring(rules, file(1))
	s.bring(rules, file(5))
	named := rules
	named.Lanes = map[string]string{"POS 1": "Lane 1"}
	if i := s.bring(named, file(1)); i.State != posbooks.Finished || i.Replaced != 4 {
		t.Errorf("%+v", i)
	}
	if i := s.bring(rules, file(9)); i.State != posbooks.Failed {
		t.Errorf("%+v", i)
	}
}
