package posbooks_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// life is what happens to the books of a store with two lanes.
type life struct {
	*stand
	one, two *shop.Lane
	first    string // the first file
	came     posbooks.Import
}

// The life of books: a first file, the same one, an entry that comes late, a corrected file,
// and what people decide.
func TestBooksAreMatchedWithJournals(t *testing.T) {
	for name, hq := range map[string]func(t testing.TB) *books.HQ{
		"sqlite":   books.New,
		"postgres": func(t testing.TB) *books.HQ { return books.On(t, pg.Start(t).Database(t), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			l := life{stand: newStand(t, hq(t))}
			l.one, l.two = l.Lane(t, "Lane 1"), l.Lane(t, "Lane 2")
			l.sales()
			l.firstFile()
			l.sameFile()
			l.lateLane()
			l.correctedFile()
			l.decisions()
			l.firstFileBack()
			l.markedMeanwhile(20260301)
			l.putOff()
		})
	}
}

// sales are those of an evening and a night. Lane 2 does not deliver yet.
func (l *life) sales() {
	l.t.Helper()
	l.sell(l.one, "0001", 1000, 0)
	l.sell(l.one, "0002", 2000, 0)
	undone := l.sell(l.one, "0003", 500, 0)
	l.one.Void(l.t, undone)
	l.one.Skip(13*time.Hour + 58*time.Minute) // 23:58 in Warsaw
	l.sell(l.one, "0004", 400, 0)
	l.one.Skip(4 * time.Minute) // numbers begin anew at midnight
	l.sell(l.one, "0001", 1000, 0)
	l.sell(l.two, "0001", 700, 0)
	l.Clock.Advance(20 * time.Hour)
	l.one.Deliver(l.t)
}

func (l *life) firstFile() {
	l.t.Helper()
	l.first = head +
		"1,Lane 1,2026-03-01 10:00,10.00,sale\n" +
		"2,Lane 1,2026-03-01 10:01,21.00,sale\n" +
		"4,Lane 1,2026-03-02 00:01,4.00,sale\n" + // the till's clock is ahead
		"1,Lane 1,2026-03-02 00:02,10.00,sale\n" +
		"1,Lane 2,2026-03-01 10:00,7.00,sale\n" +
		"bad row\n" +
		"9,Lane 2,2026-03-01 11:00,9.00,sale\n"
	i := l.bring(rules, l.first)
	if i.State != posbooks.Finished || i.Rows != 6 || i.Bad != 1 || i.First != 20260301 || i.Last != 20260302 || i.Done != 2 || i.Goal != 2 {
		l.t.Fatalf("%+v", i)
	}
	l.came = i
	// Lane 2 has not delivered, so both of its receipts miss.
	l.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 1/  700 open
2026-03-01 missing_here 9/  900 open`)
}

func (l *life) sameFile() {
	l.t.Helper()
	again := l.bring(rules, l.first)
	if again.State != posbooks.Finished || again.Same != l.came.ID || again.Rows != 0 {
		l.t.Errorf("the same file again: %+v", again)
	}
}

// lateLane settles what misses of lane 2, and then some of it is there after all.
func (l *life) lateLane() {
	l.t.Helper()
	decided, err := l.books.Decide(l.t.Context(), ida, posbooks.Filter{Store: l.Of.ID, Outcome: posbooks.MissingHere, Lane: "Lane 2", MostAmount: -1}, true, "lane 2 was down")
	l.must(err)
	if decided.Results != 2 {
		l.t.Errorf("%+v", decided)
	}
	l.two.Deliver(l.t)
	l.round()
	l.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 9/  900 settled`)
	days, err := l.books.Days(l.t.Context(), l.Of.ID, 20260301, 20260302)
	l.must(err)
	if len(days) != 2 || days[0].Matched != 2 || days[0].Undone != 2 || days[0].Open != 1 || days[0].Dirty || days[1].Matched != 2 {
		l.t.Errorf("%+v", days)
	}
}

func (l *life) correctedFile() {
	l.t.Helper()
	corrected := l.bring(rules, head+"2,Lane 1,2026-03-01 10:01,20.00,sale\n9,Lane 2,2026-03-01 11:00,9.50,sale\n")
	if corrected.Replaced != 2 {
		l.t.Errorf("%+v", corrected)
	}
	l.want(`2026-03-01 missing_here 9/  950 open`) // another difference, so the decision is gone
}

func (l *life) decisions() {
	l.t.Helper()
	ctx := l.t.Context()
	decided, err := l.books.Decide(ctx, ida, posbooks.Filter{Store: l.Of.ID, MostAmount: 949}, true, "small")
	if err != nil || decided.Results != 0 {
		l.t.Errorf("%+v, %v", decided, err)
	}
	for n, settle := range []bool{true, false, false} {
		decided, err = l.books.Decide(ctx, ida, posbooks.Filter{Store: l.Of.ID, MostAmount: 950}, settle, "it is")
		if err != nil || decided.Results != []int64{1, 1, 0}[n] {
			l.t.Errorf("%d: %+v, %v", n, decided, err)
		}
	}
	l.want(`2026-03-01 missing_here 9/  950 open`)
	l.must(l.books.Again(ctx, l.Of.ID, 20260301, 20260301))
	before := l.results(true)
	l.round()
	if got := l.results(true); got != before {
		l.t.Errorf("matched again:\n%s\nbefore\n%s", got, before)
	}
}

// firstFileBack undoes the correction: the file is the same as one that counts no more.
func (l *life) firstFileBack() {
	l.t.Helper()
	back := l.bring(rules, l.first)
	if back.Same != uuid.Nil || back.Rows != 6 || back.Replaced != 6 {
		l.t.Errorf("back to the first file: %+v", back)
	}
	l.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 9/  900 open`)
}

// markedMeanwhile has a day be marked while it is matched: what came meanwhile was perhaps
// not read, so it waits on. Then it is matched.
func (s *stand) markedMeanwhile(date entry.Date) {
	s.t.Helper()
	ctx := s.t.Context()
	waits := func() []posbooks.Day {
		_, days, err := s.DB.DirtyPosDays(ctx, posbooks.Which{}, 10)
		s.must(err)
		return days
	}
	s.must(s.books.Again(ctx, s.Of.ID, date, date))
	read := waits()
	if len(read) != 1 || read[0].Date != date {
		s.t.Fatalf("%+v", read)
	}
	s.must(s.books.Again(ctx, s.Of.ID, date, date))
	s.must(s.DB.PutPosResults(ctx, posbooks.Day{Store: s.Of.ID, Date: date, MatchedAt: s.Clock.Now(), Mark: read[0].Mark}, nil))
	if read = waits(); len(read) != 1 {
		s.t.Errorf("a day that was marked while it was matched waits no more")
	}
	s.round()
	if left := waits(); len(left) > 0 {
		s.t.Errorf("%+v", left)
	}
}

// putOff has a store be left out.
func (l *life) putOff() {
	l.t.Helper()
	ctx, at := l.t.Context(), l.Clock.Now().UTC().Truncate(time.Millisecond)
	bad := posbooks.Trouble{Store: l.Of.ID, Work: posbooks.WorkMatch, Reason: "once", Tries: 1, Since: at, Last: at, Next: at.Add(time.Hour)}
	l.must(l.DB.PutPosTrouble(ctx, bad))
	bad.Reason, bad.Tries = "twice", 2
	l.must(l.DB.PutPosTrouble(ctx, bad))
	if got, err := l.books.Troubles(ctx, uuid.Nil); err != nil || len(got) != 1 || got[0] != bad {
		l.t.Errorf("%+v, %v", got, err)
	}
	l.must(l.DB.MarkPosDays(ctx, l.Of.ID, []entry.Date{20260301}, true))
	l.must(l.books.Round(ctx))
	for _, which := range []posbooks.Which{{}, {Only: l.Of.ID}, {But: []uuid.UUID{l.Of.ID}}} {
		if _, days, err := l.DB.DirtyPosDays(ctx, which, 10); err != nil || (len(days) == 1) != (len(which.But) == 0) {
			l.t.Errorf("%+v: %+v, %v", which, days, err)
		}
	}
	l.must(l.books.Again(ctx, l.Of.ID, 20260301, 20260301))
	l.must(l.books.RoundOf(ctx, l.Of.ID))
	if got, err := l.books.Troubles(ctx, l.Of.ID); err != nil || len(got) != 0 {
		l.t.Errorf("%+v, %v", got, err)
	}
}
