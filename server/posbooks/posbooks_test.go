package posbooks_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

var ida = posbooks.Person{ID: uuid.NewSHA1(uuid.Nil, []byte("ida")), Name: "Ida"}

// stand is a shop with books.
type stand struct {
	*shop.Shop
	t     *testing.T
	books *posbooks.Service
	ends  time.Duration
}

func newStand(t *testing.T, hq *books.HQ) *stand {
	s := &stand{Shop: shop.New(t, hq), t: t}
	s.Of.Currency = "EUR"
	s.books = posbooks.New(posbooks.Env{
		Store: hq.DB, Fleet: s, Clock: hq.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Ends:    func(context.Context, uuid.UUID) (time.Duration, error) { return s.ends, nil },
		Virtual: func(name string) bool { return strings.HasPrefix(name, "web") },
	})
	return s
}

// sell writes a sale with a receipt number.
func (s *stand) sell(l *shop.Lane, receipt string, total, redeem int64) entry.Sale {
	sale := l.Sale(s.t, s.Ann, total, redeem)
	sale.Receipt = receipt
	l.Write(s.t, entry.KindSale, sale)
	return sale
}

var rules = posbooks.Rules{
	Format: posbooks.CSV, Expects: posbooks.ExpectAll, Minutes: 5, TimeFormat: "yyyy-MM-dd HH:mm",
	Columns: map[posbooks.Field]string{posbooks.FieldReceipt: "no", posbooks.FieldLane: "lane", posbooks.FieldTime: "time", posbooks.FieldAmount: "amount", posbooks.FieldKind: "kind"},
}

const head = "no,lane,time,amount,kind\n"

// begin uploads a file.
func (s *stand) begin(rules posbooks.Rules, file string) posbooks.Import {
	s.t.Helper()
	i, err := s.books.Begin(s.t.Context(), ida, s.Of.ID, "books.csv", int64(len(file)), rules)
	for n := 0; err == nil && i.Arrived < i.Size; n++ {
		i, err = s.books.AddPart(s.t.Context(), s.Of.ID, i.ID, n, []byte(file[i.Arrived:min(i.Size, i.Arrived+posbooks.PartSize)]))
	}
	s.must(err)
	return i
}

// bring uploads a file and has it read.
func (s *stand) bring(rules posbooks.Rules, file string) posbooks.Import {
	s.t.Helper()
	i := s.begin(rules, file)
	_, err := s.books.Run(s.t.Context(), s.Of.ID, i.ID, rules)
	s.must(err)
	s.round()
	i, err = s.books.Import(s.t.Context(), s.Of.ID, i.ID)
	s.must(err)
	return i
}

func (s *stand) round() {
	s.t.Helper()
	s.must(s.books.Late(s.t.Context()))
	s.must(s.books.Round(s.t.Context()))
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// results lists what was found, without what matches unless all are asked for.
func (s *stand) results(all bool) string {
	s.t.Helper()
	reader := console.NewReader(s.DB, s.Clock, fleet.OnlineWithin, s.ID)
	page, err := reader.Page(s.t.Context(), console.Asked{List: "pos_results", Limit: 200, Filters: map[string]string{"store": s.Of.ID.String()}})
	s.must(err)
	var out []string
	for _, r := range page.Rows {
		cell := func(name string) any {
			return r[slices.IndexFunc(page.Columns, func(c console.Column) bool { return c.Name == name })]
		}
		if cell("outcome") == "matched" && !all {
			continue
		}
		out = append(out, fmt.Sprintf("%v %v %v/%v %v %v %v", cell("day"), cell("outcome"), cell("their_receipt"), cell("our_receipt"), cell("differs"), cell("amount"), cell("state")))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (s *stand) want(want string) {
	s.t.Helper()
	if got := s.results(false); got != strings.TrimSpace(want) {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// markedMeanwhile has a day be marked while it is matched: what came meanwhile was perhaps
// not read, so it waits on. Then it is matched.
func (s *stand) markedMeanwhile(date entry.Date) {
	s.t.Helper()
	ctx := s.t.Context()
	waits := func() []posbooks.Day {
		_, days, err := s.DB.DirtyPosDays(ctx, 10)
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

// The life of books: a first file, the same one, a corrected one, an entry that comes late,
// and what people decide.
func TestBooksAreMatchedWithJournals(t *testing.T) {
	play := func(t *testing.T, s *stand) {
		one, two := s.Lane(t, "Lane 1"), s.Lane(t, "Lane 2")
		s.sell(one, "0001", 1000, 0)
		s.sell(one, "0002", 2000, 0)
		undone := s.sell(one, "0003", 500, 0)
		one.Void(t, undone)
		one.Skip(13*time.Hour + 58*time.Minute) // 23:58 in Warsaw
		s.sell(one, "0004", 400, 0)
		one.Skip(4 * time.Minute) // numbers begin anew at midnight
		s.sell(one, "0001", 1000, 0)
		s.sell(two, "0001", 700, 0)
		s.Clock.Advance(20 * time.Hour)
		one.Deliver(t)
		first := head +
			"1,Lane 1,2026-03-01 10:00,10.00,sale\n" +
			"2,Lane 1,2026-03-01 10:01,21.00,sale\n" +
			"4,Lane 1,2026-03-02 00:01,4.00,sale\n" + // the till's clock is ahead
			"1,Lane 1,2026-03-02 00:02,10.00,sale\n" +
			"1,Lane 2,2026-03-01 10:00,7.00,sale\n" +
			"bad row\n" +
			"9,Lane 2,2026-03-01 11:00,9.00,sale\n"
		i := s.bring(rules, first)
		if i.State != posbooks.Finished || i.Rows != 6 || i.Bad != 1 || i.First != 20260301 || i.Last != 20260302 || i.Done != 2 || i.Goal != 2 {
			t.Fatalf("%+v", i)
		}
		// Lane 2 has not delivered, so both of its receipts miss.
		s.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 1/  700 open
2026-03-01 missing_here 9/  900 open`)

		again := s.bring(rules, first)
		if again.State != posbooks.Finished || again.Same != i.ID || again.Rows != 0 {
			t.Errorf("the same file again: %+v", again)
		}

		decided, err := s.books.Decide(t.Context(), ida, posbooks.Filter{Store: s.Of.ID, Outcome: posbooks.MissingHere, Lane: "Lane 2", MostAmount: -1}, true, "lane 2 was down")
		s.must(err)
		if decided.Results != 2 {
			t.Errorf("%+v", decided)
		}

		two.Deliver(t)
		s.round()
		s.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 9/  900 settled`)
		days, err := s.books.Days(t.Context(), s.Of.ID, 20260301, 20260302)
		s.must(err)
		if len(days) != 2 || days[0].Matched != 2 || days[0].Undone != 2 || days[0].Open != 1 || days[0].Dirty || days[1].Matched != 2 {
			t.Errorf("%+v", days)
		}

		corrected := s.bring(rules, head+"2,Lane 1,2026-03-01 10:01,20.00,sale\n9,Lane 2,2026-03-01 11:00,9.50,sale\n")
		if corrected.Replaced != 2 {
			t.Errorf("%+v", corrected)
		}
		s.want(`2026-03-01 missing_here 9/  950 open`) // another difference, so the decision is gone

		decided, err = s.books.Decide(t.Context(), ida, posbooks.Filter{Store: s.Of.ID, MostAmount: 949}, true, "small")
		if err != nil || decided.Results != 0 {
			t.Errorf("%+v, %v", decided, err)
		}
		for n, settle := range []bool{true, false, false} {
			decided, err = s.books.Decide(t.Context(), ida, posbooks.Filter{Store: s.Of.ID, MostAmount: 950}, settle, "it is")
			if err != nil || decided.Results != []int64{1, 1, 0}[n] {
				t.Errorf("%d: %+v, %v", n, decided, err)
			}
		}
		s.want(`2026-03-01 missing_here 9/  950 open`)
		s.must(s.books.Again(t.Context(), s.Of.ID, 20260301, 20260301))
		before := s.results(true)
		s.round()
		if got := s.results(true); got != before {
			t.Errorf("matched again:\n%s\nbefore\n%s", got, before)
		}

		// The first file undoes the correction: it is the same as one that counts no more.
		back := s.bring(rules, first)
		if back.Same != uuid.Nil || back.Rows != 6 || back.Replaced != 6 {
			t.Errorf("back to the first file: %+v", back)
		}
		s.want(`
2026-03-01 different 2/0002 amount 100 open
2026-03-01 missing_here 9/  900 open`)
		s.markedMeanwhile(20260301)
	}
	t.Run("sqlite", func(t *testing.T) { play(t, newStand(t, books.New(t))) })
	t.Run("postgres", func(t *testing.T) { play(t, newStand(t, books.On(t, pg.Start(t).Database(t), 1))) })
}

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

func TestUploadsAreBounded(t *testing.T) {
	s := newStand(t, books.New(t))
	ctx := t.Context()
	code := func(err error) problem.Code { return problem.CodeOf(err) }
	if _, err := s.books.Begin(ctx, ida, s.Of.ID, "big", 2<<30, rules); code(err) != problem.BodyTooLarge {
		t.Errorf("2 GiB: %v", err)
	}
	i, err := s.books.Begin(ctx, ida, s.Of.ID, "a", posbooks.PartSize+5, rules)
	s.must(err)
	part := make([]byte, posbooks.PartSize)
	for name, n := range map[string]struct {
		n    int
		part []byte
	}{"out of order": {1, part}, "too short": {0, part[1:]}, "empty": {0, nil}, "below": {-1, part}} {
		if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, n.n, n.part); code(err) != problem.StateConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part)
	s.must(err)
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part); err != nil {
		t.Errorf("the same part again: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part[1:]); code(err) != problem.StateConflict {
		t.Errorf("another part again: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 1, part[:6]); code(err) != problem.StateConflict {
		t.Errorf("more than was said: %v", err)
	}
	if _, err := s.books.Run(ctx, s.Of.ID, i.ID, rules); code(err) != problem.StateConflict {
		t.Errorf("run too early: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 1, part[:5]); err != nil {
		t.Error(err)
	}
	// Nobody goes on with it.
	s.Clock.Advance(25 * time.Hour)
	s.round()
	if i, err = s.books.Import(ctx, s.Of.ID, i.ID); err != nil || i.State != posbooks.Cancelled {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestImportsThatComeToNothing(t *testing.T) {
	s := newStand(t, books.New(t))
	poslog := posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectAll}
	if i := s.bring(poslog, `<!DOCTYPE a [<!ENTITY b "c">]><POSLog/>`); i.State != posbooks.Failed || !strings.Contains(i.Reason, "declaration") {
		t.Errorf("%+v", i)
	}
	i := s.begin(rules, head+"1,Lane 1,2026-03-01 10:00,10.00,sale\n")
	p, err := s.books.Preview(t.Context(), s.Of.ID, i.ID, rules)
	if err != nil || len(p.Rows) != 1 || p.Rows[0].Amount != 1000 || p.Encoding != "utf-8" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := s.books.Cancel(t.Context(), s.Of.ID, i.ID); err != nil {
		t.Error(err)
	}
	if _, err := s.books.Run(t.Context(), s.Of.ID, i.ID, rules); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("cancelled, and run: %v", err)
	}
	s.round()
	s.want("")
}

// Mappings are checked, and saved in versions.
func TestMappings(t *testing.T) {
	s := newStand(t, books.New(t))
	m, err := s.books.PutMapping(t.Context(), ida, posbooks.Mapping{Name: " the till ", Rules: rules})
	if err != nil || m.Version != 1 || m.Name != "the till" {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Rules.Minutes = 7
	if m, err = s.books.PutMapping(t.Context(), ida, m); err != nil || m.Version != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Version = 1
	if _, err = s.books.PutMapping(t.Context(), ida, m); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("an old version: %v", err)
	}
	all, err := s.books.Mappings(t.Context(), s.Of.ID)
	if err != nil || len(all) != 1 || all[0].Minutes != 7 {
		t.Errorf("%+v, %v", all, err)
	}
	s.must(s.books.DeleteMapping(t.Context(), m.ID))
	for name, change := range map[string]func(*posbooks.Rules){
		"/format": func(r *posbooks.Rules) { r.Format = "xls" }, "/expects": func(r *posbooks.Rules) { r.Expects = "" }, "/zone": func(r *posbooks.Rules) { r.Zone = "Nowhere" },
		"/minutes": func(r *posbooks.Rules) { r.Minutes = 999 }, "/encoding": func(r *posbooks.Rules) { r.Encoding = "ebcdic" }, "/delimiter": func(r *posbooks.Rules) { r.Delimiter = `"` },
		"/decimal": func(r *posbooks.Rules) { r.Decimal = ";" }, "/thousands": func(r *posbooks.Rules) { r.Thousands = "." }, "/skip": func(r *posbooks.Rules) { r.Skip = -1 },
		"/time_format": func(r *posbooks.Rules) { r.TimeFormat = "Monday" }, "/columns/amount": func(r *posbooks.Rules) { r.Columns = map[posbooks.Field]string{posbooks.FieldTime: "t"} },
		"/kinds": func(r *posbooks.Rules) { r.Kinds = map[string]string{"x": "y"} },
	} {
		bad := rules
		change(&bad)
		var refused *problem.Error
		if err := bad.Check(); !errors.As(err, &refused) || refused.Fields[name] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A million rows that nobody has a sale for take a bounded time and flat memory.
func TestAMillionUnmatchedRows(t *testing.T) {
	rows, most := 5_000, uint64(64<<20)
	if os.Getenv("TALLYSTICK_SOAK") != "" {
		rows, most = 1_000_000, 256<<20
	}
	s := newStand(t, books.New(t))
	one := s.Lane(t, "Lane 1")
	s.sell(one, "x", 1000, 0)
	s.Clock.Advance(20 * 24 * time.Hour)
	one.Deliver(t)
	var file strings.Builder
	file.WriteString(head)
	for n := range rows {
		fmt.Fprintf(&file, "%d,Lane 1,2026-03-%02d 10:00,10.00,sale\n", n, 1+n*12/rows)
	}
	stop, peak := watch()
	began := time.Now()
	i := s.bring(rules, file.String())
	took := time.Since(began)
	close(stop)
	high := <-peak
	if i.State != posbooks.Finished || i.Rows != int64(rows) {
		t.Fatalf("%+v", i)
	}
	t.Logf("%d rows: %s, peak %d MB above the start", rows, took, high>>20)
	if high > most {
		t.Errorf("peak of %d bytes", high)
	}
}

// watch samples the heap until it is stopped, and tells by how much it grew at most.
func watch() (chan struct{}, chan uint64) {
	stop, out := make(chan struct{}), make(chan uint64, 1)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		high := uint64(0)
		for {
			select {
			case <-tick.C:
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				high = max(high, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			case <-stop:
				out <- high
				return
			}
		}
	}()
	return stop, out
}
