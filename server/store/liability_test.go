package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/liability"
)

// What was owed at the end of each month is what the members' books say: by what was
// recorded then, and by what is known now to have been so. It is the same however it was
// summed, as it came or from all postings, and what was known on a past day stays so.
func TestG7_WhatIsOwedIsTheBooksOfAllMembers(t *testing.T) {
	for _, seed := range []uint64{10, 33} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			owedIsTheBooks(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"), seed, 110)
		})
	}
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		if shardsPerTx == 0 && dsn[:6] != "sqlite" {
			owedIsTheBooks(t, dsn, 5, 30)
		}
	})
}

// summed lives, and has what moved summed now and then, until all that comes due has come.
func (l *life) summed(s *liability.Service, steps int) {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			l.t.Fatal(err)
		}
	}
	for i := range steps {
		l.step()
		if i%9 == 8 {
			l.Clock.Advance(6 * 24 * time.Hour)
			for _, till := range l.tills {
				till.Skip(6 * 24 * time.Hour)
			}
		}
		switch l.IntN(7) {
		case 0:
			must(s.Sum(ctx))
		case 1:
			if i > steps/2 && l.IntN(8) == 0 {
				must(s.Again(ctx))
			}
		}
	}
	l.end()
	l.Clock.Advance(30 * 24 * time.Hour)
	for swept := 1; swept > 0; {
		done, err := l.Ledger.Sweep(ctx)
		must(err)
		swept = done.Accounts
	}
}

func owedIsTheBooks(t *testing.T, dsn string, seed uint64, steps int) {
	ctx := context.Background()
	l := newLife(t, books.On(t, dsn, 0), seed)
	s := liability.New(liability.Env{Store: l.DB, Journal: l.Journal, Clock: l.Clock})
	then := map[liability.Day]int64{}
	l.summed(s, steps)
	if c, err := s.Check(ctx); err != nil || len(c.Differences) > 0 || c.Rows == 0 || c.Postings < c.Rows {
		t.Fatalf("%d of %d rows of %d postings differ, %v, the first: %+v", len(c.Differences), c.Rows, c.Postings, err, c.Differences[:min(1, len(c.Differences))])
	}
	for _, by := range []liability.By{liability.Recorded, liability.Effective} {
		report, err := s.Roll(ctx, liability.Question{Unit: "points", By: by})
		if err != nil || len(report.Months) != 12 {
			t.Fatalf("%d months, %v", len(report.Months), err)
		}
		for _, m := range report.Months {
			adds(t, m)
			at := monthEnd(m.Month)
			want := l.owed(at, by)
			if m.Total.Closing != want {
				t.Errorf("%s, %s: %d owed at its end, the books have %d", m.Month, by, m.Total.Closing, want)
			}
			then[liability.DayAt(time.UnixMilli(at))] = l.owed(at, liability.Recorded)
		}
		if i := slices.IndexFunc(report.Months, func(m liability.MonthOf) bool { return m.Total.Redeemed > 0 }); i >= 0 && (by == liability.Effective || dsn[:6] == "sqlite") {
			behind(t, s, by, report.Months[i])
		}
		last := report.Months[11].Beside
		if held := l.held(); held[0] != last.Spendable || held[1] != last.Reserved || held[2] != last.Unvested || held[3] != last.Overdraft {
			t.Errorf("beside: %+v, the holdings are %v", last, held)
		}
	}
	for day, want := range then {
		report, err := s.Roll(ctx, liability.Question{Unit: "points", By: liability.Effective, Known: day, Until: day})
		if err != nil || report.Months[11].Total.Closing != want {
			t.Errorf("as known on %s: %+v, want %d, %v", day, report.Months[11].Total, want, err)
		}
	}
}

// adds says that each line adds up to its closing, and the buckets to the total.
func adds(t *testing.T, m liability.MonthOf) {
	t.Helper()
	var sum liability.Line
	for _, b := range m.Buckets {
		if b.Sum() != b.Closing {
			t.Errorf("%s, %s: %+v adds up to %d", m.Month, b.Expires, b.Line, b.Sum())
		}
		if b.Closing < 0 || b.Expires == 0 {
			t.Errorf("%s, %s: %+v", m.Month, b.Expires, b.Line)
		}
		sum.Opening, sum.Closing = sum.Opening+b.Opening, sum.Closing+b.Closing
	}
	if m.Total.Sum() != m.Total.Closing || sum.Opening != m.Total.Opening || sum.Closing != m.Total.Closing {
		t.Errorf("%s: total %+v", m.Month, m.Total)
	}
	if b := m.Beside; b.Spendable+b.Reserved+b.Unvested != m.Total.Closing {
		t.Errorf("%s: %+v beside %d", m.Month, b, m.Total.Closing)
	}
}

// behind says that the postings behind a figure are the figure, however short the pages.
func behind(t *testing.T, s *liability.Service, by liability.By, m liability.MonthOf) {
	t.Helper()
	asked := liability.Behind{Question: liability.Question{Unit: "points", By: by}, Month: m.Month, Column: liability.ColumnRedeemed}
	var sum int64
	seen := map[uuid.UUID]bool{}
	for cursor, more := "", true; more; more = cursor != "" {
		list, next, err := s.Postings(t.Context(), asked, cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			sum, seen[p.ID] = sum+p.Amount, true
		}
		cursor = next
		if len(list) > 3 {
			t.Errorf("%d postings on a page of 3", len(list))
		}
	}
	if sum != m.Total.Redeemed || len(seen) == 0 {
		t.Errorf("%s, %s: %d redeemed, the %d postings behind it say %d", m.Month, by, m.Total.Redeemed, len(seen), sum)
	}
}

func monthEnd(m liability.Month) int64 {
	first, err := time.Parse("2006-01", m.String())
	if err != nil {
		panic(err)
	}
	return first.AddDate(0, 1, 0).UnixMilli() - 1
}

// owed is what the books of all members say, each by itself.
func (l *life) owed(at int64, by liability.By) (sum int64) {
	ask := l.Ledger.BalanceAsKnown
	if by == liability.Effective {
		ask = l.Ledger.BalanceAsOf
	}
	for _, acct := range l.own {
		sum += l.points(ask, acct, at)
	}
	return sum
}

func (l *life) points(ask func(context.Context, uuid.UUID, int64) ([]loyalty.Holding, error), acct uuid.UUID, at int64) int64 {
	held, err := ask(context.Background(), acct, at)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, h := range held {
		if h.Unit == "points" {
			return h.Free + h.Allowance + h.Pending
		}
	}
	return 0
}

func (l *life) held() (sums [4]int64) {
	for _, acct := range l.own {
		h := l.Holding(l.t, acct, "points")
		sums[0], sums[1], sums[2], sums[3] = sums[0]+h.Free, sums[1]+h.Allowance, sums[2]+h.Pending, sums[3]+h.Overdraft
	}
	return sums
}

// What a program of an earlier release applied is summed from its postings.
func TestG4_SetsThatDoNotSayWhatTheyMovedAreSummedFromPostings(t *testing.T) {
	ctx, dsn := context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "hq.db")
	hq := books.On(t, dsn, 0)
	s := liability.New(liability.Env{Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock})
	ann, till := hq.Member(t, "ann", 500), hq.Till(t, "1")
	if err := s.Sum(ctx); err != nil {
		t.Fatal(err)
	}
	till.Sell(t, ann, 1000, 20)
	till.Sync(t, 1)
	hq.Apply(t)
	change(t, dsn, "UPDATE applied_sets SET moves = ''")
	report, err := s.Roll(ctx, liability.Question{Unit: "points", By: liability.Recorded})
	if err != nil || report.Months[11].Total.Closing != 500-20+9 {
		t.Errorf("%+v, %v", report.Months[11].Total, err)
	}
	if c, err := s.Check(ctx); err != nil || len(c.Differences) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
	change(t, dsn, "UPDATE liability_days SET amount = amount + 1 WHERE to_book = 16")
	if c, err := s.Check(ctx); err != nil || len(c.Differences) != 1 || c.Differences[0].Summed != c.Differences[0].Row.Amount+1 {
		t.Errorf("a changed figure: %+v, %v", c, err)
	}
}
