package reconcile_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/sync/entry"
)

func newDays(t testing.TB) (*books.HQ, *reconcile.Service) {
	t.Helper()
	hq := books.New(t)
	days := reconcile.New(hq.DB, nil)
	hq.Ledger.SetBeside(days)
	return hq, days
}

func close(date entry.Date, first, last uint64) entry.DayClose {
	return entry.DayClose{Date: date, First: first, Last: last, Head: make([]byte, 32), Reason: entry.DayCloseOver}
}

// all pages through the closes of a store.
func all(t testing.TB, s *reconcile.Service, f reconcile.Filter, limit int) (out []string) {
	t.Helper()
	cursor := ""
	for {
		list, next, err := s.Closes(context.Background(), f, cursor, limit)
		if err != nil || len(list) > limit {
			t.Fatalf("%d closes, %v", len(list), err)
		}
		for _, c := range list {
			body, err := c.Body()
			if err != nil || body.Date != c.Date {
				t.Fatalf("%+v: %v", c, err)
			}
			out = append(out, fmt.Sprint(c.Date, "/", c.Seq))
		}
		if cursor = next; next == "" {
			return out
		}
	}
}

func TestClosesAreKeptOnceAndListedByStore(t *testing.T) {
	hq, days := newDays(t)
	one, two := hq.Till(t, "one"), hq.Till(t, "two")
	two.Store = one.Store
	other := hq.Till(t, "elsewhere")
	other.Store = uuid.New()
	for n := range 5 {
		for _, lane := range []*books.Till{one, two, other} {
			lane.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
			lane.Write(t, entry.KindDayClose, close(entry.Date(20260301+n), uint64(2*n+1), uint64(2*n+1)))
		}
	}
	for _, lane := range []*books.Till{one, two, other} {
		lane.Sync(t, 1)
		lane.Sync(t, 3) // sent again
	}
	hq.Apply(t)
	want := ""
	for limit := 1; limit < 12; limit++ {
		got := all(t, days, reconcile.Filter{Store: one.Store}, limit)
		if want == "" {
			want = fmt.Sprint(got)
		}
		if len(got) != 10 || fmt.Sprint(got) != want || got[0] != "2026-03-05/11" || got[9] != "2026-03-01/3" {
			t.Fatalf("%d a page: %v, before %s", limit, got, want)
		}
	}
	if got := all(t, days, reconcile.Filter{Store: one.Store, From: 20260302, To: 20260303, Terminal: two.ID}, 1); fmt.Sprint(got) != "[2026-03-03/7 2026-03-02/5]" {
		t.Errorf("%v", got)
	}
	if got := all(t, days, reconcile.Filter{Store: uuid.New()}, 5); len(got) != 0 {
		t.Errorf("%v", got)
	}
	for _, cursor := range []string{"x", "AAAA", string(bytes.Repeat([]byte{'A'}, 86))} {
		if _, _, err := days.Closes(context.Background(), reconcile.Filter{Store: one.Store}, cursor, 1); problem.CodeOf(err) != problem.CursorInvalid {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	hq.Verify(t)
}

// A close that contradicts itself stops nothing behind it.
func TestAWrongCloseIsAnException(t *testing.T) {
	hq, days := newDays(t)
	lane := hq.Till(t, "one")
	member := hq.Member(t, "Anna", 0)
	lane.Write(t, entry.KindDayClose, close(20260230, 1, 1))
	lane.Write(t, entry.KindDayClose, close(20260301, 9, 2))
	lane.Sell(t, member, 1000, 0)
	lane.Write(t, entry.KindDayClose, close(20260301, 5, 4))
	lane.Sync(t, 1)
	hq.Apply(t)
	if got := hq.Exceptions(t, ledger.InvalidEntry); len(got) != 2 {
		t.Errorf("exceptions %+v", got)
	}
	if got := all(t, days, reconcile.Filter{Store: lane.Store}, 5); fmt.Sprint(got) != "[2026-03-01/5]" {
		t.Errorf("%v", got)
	}
	if h := hq.Holding(t, member, "points"); h.Free != 10 {
		t.Errorf("the sale behind them: %+v", h)
	}
}

func FuzzClose(f *testing.F) {
	for _, c := range []entry.DayClose{close(20260301, 1, 0), close(20260301, 9, 2), {}} {
		raw, err := entry.Encode(entry.Entry{Kind: entry.KindDayClose}, c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		body, err := reconcile.Close{Raw: raw}.Body()
		if err == nil && (body.Check() != nil || !body.Date.Valid()) {
			t.Fatalf("%+v was taken", body)
		}
	})
}
