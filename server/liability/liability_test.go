package liability

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

func day(t *testing.T, text string) int32 {
	t.Helper()
	d, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return int32(d)
}

func month(t *testing.T, text string) Month {
	t.Helper()
	m, err := ParseExpiry(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// workedRows are the movements of the example in docs/liability.md.
func workedRows(t *testing.T) []Row {
	jan, feb, never := int32(month(t, "2026-01")), int32(month(t, "2026-02")), ledger.Never
	row := func(recorded, effective string, kind entry.Kind, from, to loyalty.Book, issued, expires int32, amount int64) Row {
		return Row{Recorded: day(t, recorded), Effective: day(t, effective), Unit: "points", Issued: issued, Expires: expires, Kind: kind, From: from, To: to, Amount: amount, N: 1}
	}
	return []Row{
		row("2026-01-05", "2026-01-05", entry.KindSale, loyalty.BookIssue, loyalty.BookFree, jan, feb, 100),
		row("2026-01-06", "2026-01-06", entry.KindHQAdjustment, loyalty.BookIssue, loyalty.BookFree, jan, never, 50),
		row("2026-02-10", "2026-02-10", entry.KindSale, loyalty.BookFree, loyalty.BookStore, jan, feb, 30),
		// On 1 March 70 expire. On 9 March a till is heard of that redeemed 40 of them in February.
		row("2026-03-01", "2026-03-01", entry.KindHQExpiry, loyalty.BookFree, loyalty.BookLapsed, jan, feb, 70),
		row("2026-03-09", "2026-02-20", entry.KindSale, loyalty.BookFree, loyalty.BookStore, jan, feb, 40),
		row("2026-03-09", "2026-03-01", entry.KindHQExpiry, loyalty.BookLapsed, loyalty.BookFree, jan, feb, 40),
		row("2026-03-12", "2026-03-01", entry.KindHQExpiry, loyalty.BookLapsed, loyalty.BookBreakage, jan, feb, 30),
	}
}

func roll(t *testing.T, by By, known, until string) []MonthOf {
	r := NewRoll(Question{Unit: "points", By: by, From: month(t, "2026-02"), To: month(t, "2026-03"), Known: Day(day(t, known)), Until: Day(day(t, until))})
	for _, row := range workedRows(t) {
		r.Add(row)
	}
	return r.Months()
}

// The tables of the worked example are what the code says.
func TestTheWorkedExampleIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/liability.md")
	if err != nil {
		t.Fatal(err)
	}
	table := func(months []MonthOf) string {
		var b strings.Builder
		for _, m := range months {
			for _, l := range append(m.Buckets, Bucket{Line: m.Total}) {
				name := l.Expires.String()
				if name == "" {
					name = "all"
				}
				b.WriteString("| " + m.Month.String() + " | " + name)
				for _, n := range []int64{l.Opening, l.Issued, l.Redeemed, l.Expired, l.Adjusted, l.Closing} {
					b.WriteString(" | " + strconv.FormatInt(n, 10))
				}
				b.WriteString(" |\n")
				if l.Sum() != l.Closing {
					t.Errorf("%+v adds up to %d", l, l.Sum())
				}
			}
		}
		return b.String()
	}
	for name, got := range map[string]string{
		"recorded":                 table(roll(t, Recorded, "2026-03-31", "2026-03-31")),
		"effective":                table(roll(t, Effective, "2026-03-31", "2026-03-31")),
		"as known on 28 February":  table(roll(t, Effective, "2026-02-28", "2026-02-28")),
		"recorded through 5 March": table(roll(t, Recorded, "2026-03-05", "2026-03-05")),
	} {
		if !strings.Contains(string(page), got) {
			t.Errorf("%s: the page has not\n%s", name, got)
		}
	}
	if b := roll(t, Recorded, "2026-03-05", "2026-03-05")[1].Beside; b.Lapsed != 70 || b.Broken != 0 || b.Spendable != 50 {
		t.Errorf("on 5 March: %+v", b)
	}
	if b := roll(t, Recorded, "2026-03-31", "2026-03-31")[1].Beside; b.Lapsed != 0 || b.Broken != 30 {
		t.Errorf("on 31 March: %+v", b)
	}
}

// What a model with known parts makes of the future is projected: points live a year, and
// each month an eighth of what is open is used, give or take.
func TestBreakageIsProjectedAsTheModelGoesOn(t *testing.T) {
	inside := 0
	const runs = 20
	for seed := range uint64(runs) {
		m := newModel(seed)
		m.until(30)
		b := m.run.Breakage()
		if b.Open != m.open() || len(b.Ages) != 12 {
			t.Fatalf("open %d of %d, ages %d", b.Open, m.open(), len(b.Ages))
		}
		before := m.expired
		m.issues = false
		m.until(45)
		really := m.expired - before
		if off := math.Abs(float64(b.Expired-really)) / float64(really); off > 0.15 {
			t.Errorf("seed %d: projected %d, %d expired", seed, b.Expired, really)
		}
		if b.Low <= really && really <= b.High {
			inside++
		}
		if b.Low > b.Expired || b.High < b.Expired || b.Tested != mostTests {
			t.Errorf("seed %d: %d to %d around %d, %d tests", seed, b.Low, b.High, b.Expired, b.Tested)
		}
		for _, test := range b.Tests {
			if off := math.Abs(float64(test.Projected-test.Real)) / float64(test.Real); off > 0.25 {
				t.Errorf("seed %d: a test projected %d, %d expired", seed, test.Projected, test.Real)
			}
		}
	}
	if inside < runs*8/10 {
		t.Errorf("the range had what came to pass in %d of %d runs", inside, runs)
	}
}

// model issues points each month, uses a part of them, and lets the rest expire.
type model struct {
	*rand.Rand
	run     *RunOff
	first   Month
	at      int
	left    []int64
	expired int64
	issues  bool
}

const modelLife = 12

func newModel(seed uint64) *model {
	first := Month(2020 * 12)
	m := &model{Rand: rand.New(rand.NewPCG(seed, 1)), first: first, issues: true} //nolint:gosec // a test that can be repeated
	m.run = NewRunOff("points", (first + 30).first())
	return m
}

func (m *model) row(kind entry.Kind, from, to loyalty.Book, cohort int, amount int64) {
	at := int32((m.first + Month(m.at)).first()) + 14
	m.run.Add(Row{
		Recorded: at, Effective: at, Unit: "points", Issued: int32(m.first) + int32(cohort), Expires: int32(m.first) + int32(cohort) + modelLife - 1, Kind: kind,
		From: from, To: to, Amount: amount, N: 1,
	})
}

func (m *model) until(months int) {
	for ; m.at < months; m.at++ {
		m.left = append(m.left, 0)
		if m.issues {
			m.left[m.at] = int64(80_000 + m.IntN(40_000))
			m.row(entry.KindSale, loyalty.BookIssue, loyalty.BookFree, m.at, m.left[m.at])
		}
		for cohort, left := range m.left {
			switch age := m.at - cohort; {
			case left == 0:
			case age >= modelLife:
				m.row(entry.KindHQExpiry, loyalty.BookFree, loyalty.BookLapsed, cohort, left)
				m.left[cohort], m.expired = 0, m.expired+left
			default:
				used := int64(float64(left) * (0.10 + 0.05*m.Float64()))
				m.row(entry.KindSale, loyalty.BookFree, loyalty.BookStore, cohort, used)
				m.left[cohort] -= used
			}
		}
	}
}

func (m *model) open() (sum int64) {
	for _, n := range m.left {
		sum += n
	}
	return sum
}

func TestBreakageOfALittleHistory(t *testing.T) {
	b := NewRunOff("points", Day(day(t, "2026-03-15"))).Breakage()
	if b.Open != 0 || b.Expired != 0 || b.High != 0 || len(b.Cohorts)+len(b.Tests) != 0 {
		t.Errorf("of nothing: %+v", b)
	}
	r := NewRunOff("points", Day(day(t, "2026-04-15")))
	for _, row := range workedRows(t) {
		r.Add(row)
	}
	b = r.Breakage()
	if len(b.Cohorts) != 1 || b.Cohorts[0].In != 150 || b.Cohorts[0].Used != 70 || b.Cohorts[0].Expired != 30 || b.Stays != 50 || b.Expired != 0 {
		t.Errorf("%+v", b)
	}
}

func TestWorthIsRoundedOnceAndNeverMixed(t *testing.T) {
	values := []Value{
		{Currency: "EUR", From: 20260101, PerThousand: 1000},
		{Currency: "EUR", From: 20260201, PerThousand: 501},
		{Currency: "PLN", From: 20260101, PerThousand: 4300},
		{Currency: "TRY", From: 20270101, PerThousand: 9},
	}
	// A clearing price counts only where no value holds, and from its day on.
	prices := []Value{
		{Currency: "EUR", From: 20260202, PerThousand: 7},
		{Currency: "GBP", From: 20260228, PerThousand: 2000},
		{Currency: "TRY", From: 20260101, PerThousand: 8},
		{Currency: "USD", From: 20260301, PerThousand: 6},
	}
	got := InMoney(values, prices, Day(day(t, "2026-02-28")), 700)
	want := []Valued{
		{"EUR", 501, 20260201, 351, OfFinance},
		{"GBP", 2000, 20260228, 1400, OfClearing},
		{"PLN", 4300, 20260101, 3010, OfFinance},
		{"TRY", 8, 20260101, 6, OfClearing},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := worth(-1, 500); n != -1 {
		t.Errorf("half a minor unit less than nothing is %d", n)
	}
	if n := worth(loyalty.MaxAmount, mostPerThousand); n != math.MaxInt64 {
		t.Errorf("more than can be said is %d", n)
	}
}

func TestMonthsAreReadAndWritten(t *testing.T) {
	for _, text := range []string{"2026-01", "2025-12", "1970-01", "never", "rolling", ""} {
		if got := month(t, text).String(); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	m := month(t, "2024-02")
	if m.first().String() != "2024-02-01" || m.last().String() != "2024-02-29" || MonthAt(m.last()+1) != m+1 {
		t.Errorf("%s to %s", m.first(), m.last())
	}
	// A lot that expires at midnight is good through the month before.
	if _, expires := ledger.Term(loyalty.Lot{ExpiresAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).UnixMilli()}); Month(expires).String() != "2026-03" {
		t.Errorf("the bucket is %s", Month(expires))
	}
}

func TestPlacesAreReadAndWritten(t *testing.T) {
	p := Place{Shard: 77, At: 123456789, Account: [16]byte{1, 2}, ID: [16]byte{15: 9}}
	if got, err := placeOf(p.text()); err != nil || got != p {
		t.Errorf("%+v, %v", got, err)
	}
}

// slowBooks take longer for each shard than a page may.
type slowBooks struct {
	Store
	clock *clock.Fake
}

func (s slowBooks) PostedAfter(context.Context, By, int64, int64, Place, int) ([]Posted, error) {
	s.clock.Advance(2 * longest)
	return nil, nil
}

// However little a page gets done, each leads to one that can be asked for, until the last.
func TestPagesOfPostingsComeToAnEnd(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))
	s := New(Env{Store: slowBooks{clock: now}, Clock: now})
	pages := 0
	for cursor, more := "", true; more; more = cursor != "" {
		var err error
		asked := Behind{Question: Question{Unit: "points", By: Recorded}, Month: month(t, "2026-03"), Column: ColumnIssued}
		if _, cursor, err = s.Postings(t.Context(), asked, cursor, 10); err != nil {
			t.Fatalf("page %d: %v", pages+1, err)
		}
		pages++
	}
	if pages != shard.Count {
		t.Errorf("%d pages of %d shards", pages, shard.Count)
	}
}

// stuckBooks answer so often, and then not until it is too late.
type stuckBooks struct {
	Store
	answers int
}

func (s *stuckBooks) PostedAfter(ctx context.Context, _ By, _, _ int64, _ Place, _ int) ([]Posted, error) {
	if s.answers--; s.answers < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, nil
}

func (s *stuckBooks) Lags(ctx context.Context) ([]Lag, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A database that does not answer in time makes a short page, and else a clear problem.
func TestQuestionsEndInTime(t *testing.T) {
	books := &stuckBooks{answers: 3}
	s := New(Env{Store: books, Clock: clock.NewFake(time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))})
	s.most = 20 * time.Millisecond
	q := Question{Unit: "points", By: Effective}
	asked := Behind{Question: q, Month: month(t, "2026-03"), Column: ColumnIssued}
	_, next, err := s.Postings(t.Context(), asked, "", 10)
	if at, perr := placeOf(next); err != nil || perr != nil || at.Shard != 3 {
		t.Errorf("a page that ends early: %+v, %v, %v", at, err, perr)
	}
	if _, _, err = s.Postings(t.Context(), asked, next, 10); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("a page without a step: %v", err)
	}
	if _, err = s.Roll(t.Context(), q); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("a roll-forward: %v", err)
	}
	s.turn <- struct{}{} // somebody else sums
	if _, err = s.Breakage(t.Context(), "points"); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("breakage: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = s.Units(gone); err == nil || problem.CodeOf(err) == problem.Unavailable {
		t.Errorf("who asked has gone: %v", err)
	}
}

// Leaving a cohort out of an observation is as if its rows had never been.
func TestACohortIsLeftOut(t *testing.T) {
	m := newModel(3)
	m.until(30)
	all := m.run.observe(m.first + 29)
	for cohort := range all.of {
		less := NewRunOff("points", (m.first + 30).first())
		for k, h := range m.run.cells {
			if k.issued != cohort {
				less.cells[k] = h
			}
		}
		if got, want := all.parts(cohort), less.observe(m.first+29).parts(0); !slices.Equal(got.ages, want.ages) || !slices.Equal(got.used, want.used) {
			t.Errorf("without %s: %+v, want %+v", cohort, got, want)
		}
	}
}

// What is older than the cohorts is counted and not projected; lots that end in a far year
// and 120 cohorts take no time to speak of.
func TestBreakageHasABound(t *testing.T) {
	now := Month(2026 * 12)
	r := NewRunOff("points", now.first())
	for back := Month(1); back <= MostCohorts+5; back++ {
		at := int32((now - back).first())
		for _, expires := range []int32{int32(now - back + 24), 9999 * 12, ledger.Rolling} {
			r.Add(Row{Recorded: at, Effective: at, Unit: "points", Issued: int32(now - back), Expires: expires, Kind: entry.KindSale, From: loyalty.BookIssue, To: loyalty.BookFree, Amount: 1000, N: 1})
		}
	}
	b := r.Breakage()
	if len(b.Cohorts) != MostCohorts || b.Older != 15_000 || b.Open != 3000*MostCohorts || b.Seen != MostCohorts {
		t.Errorf("%d cohorts, older %d, open %d", len(b.Cohorts), b.Older, b.Open)
	}
}
