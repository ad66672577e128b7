package posbooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// Whatever days are matched anew, the results are those of matching all of them.
func TestADayMatchesTheSameByItself(t *testing.T) {
	s := newStand(t, books.New(t))
	s.ends = 4 * time.Hour
	one := s.Lane(t, "Lane 1")
	file := head
	for n := range 40 {
		at := one.Now().Add(time.Second)
		s.sell(one, fmt.Sprint(n%7), 100+int64(n%3), 0)
		if n%5 != 0 { // the till's clock wanders by minutes
			file += fmt.Sprintf("%d,Lane 1,%s,%d.%02d,sale\n", n%7, at.Add(time.Duration(n%9-4)*time.Minute).In(warsaw).Format("2006-01-02 15:04"), 1, n%3)
		}
		one.Skip(3*time.Hour + 7*time.Minute)
	}
	s.Clock.Advance(200 * time.Hour)
	one.Deliver(t)
	if i := s.bring(rules, file); i.Bad > 0 {
		t.Fatalf("%+v", i)
	}
	whole := s.results(true)
	for day := entry.Date(20260301); day < 20260308; day = day.Next() {
		s.must(s.books.Again(t.Context(), s.Of.ID, day, day))
		s.round()
		if got := s.results(true); got != whole {
			t.Fatalf("after %s again:\n%s\nbefore\n%s", day, got, whole)
		}
	}
}

var warsaw = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		panic(err)
	}
	return zone
}()

// What a store's first journal brings after its first books is late, also when other books
// come before it was looked for.
func TestTheFirstJournalIsLate(t *testing.T) {
	s := newStand(t, books.New(t))
	one := s.Lane(t, "Lane 1")
	s.Clock.Advance(96 * time.Hour)
	s.bring(rules, head+"1,Lane 1,2026-03-01 10:00,10.00,sale\n")
	s.want(`2026-03-01 missing_here 1/  1000 open`)
	s.sell(one, "1", 1000, 0)
	one.Deliver(t)
	i := s.begin(rules, head+"2,Lane 1,2026-03-04 10:00,1.00,sale\n")
	_, err := s.books.Run(t.Context(), s.Of.ID, i.ID, rules)
	s.must(err)
	s.must(s.books.Round(t.Context()))
	s.round()
	if got := s.results(true); !strings.Contains(got, "2026-03-01 matched 1/1") {
		t.Errorf("%s", got)
	}
}

func TestTotalsOfADay(t *testing.T) {
	s := newStand(t, books.New(t))
	one := s.Lane(t, "Lane 1")
	s.sell(one, "1", 1000, 0)
	s.sell(one, "2", 500, 0)
	s.Clock.Advance(time.Hour)
	one.Deliver(t)
	sums := posbooks.Rules{
		Format: posbooks.CSV, Expects: posbooks.ExpectAll, Totals: true,
		Columns: map[posbooks.Field]string{posbooks.FieldDate: "date", posbooks.FieldAmount: "sum", posbooks.FieldCount: "receipts", posbooks.FieldKind: "kind"},
	}
	s.bring(sums, "date,sum,receipts,kind\n2026-03-01,16.00,2,sale\n2026-03-01,1.00,1,return\n")
	s.want(`
2026-03-01 different / amount 100 open
2026-03-01 missing_here / amount,count 100 open`)
	s.bring(sums, "date,sum,receipts,kind\n2026-03-01,15.00,2,sale\n2026-03-01,0,0,return\n")
	s.want("")
}
