package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
)

// anyExceptions are exceptions of all sorts, of some of which something was done.
func (d *desk) anyExceptions(r *rand.Rand, n int) (all []ledger.Exception) {
	d.t.Helper()
	ctx, stores := d.t.Context(), []uuid.UUID{uuid.New(), uuid.New()}
	for range n {
		e := ledger.Exception{
			Kind: oneOf(r, ledger.Overdraw, ledger.ClockAhead), Store: oneOf(r, stores...), Liable: oneOf(r, casework.Liables...), Amount: r.Int64N(5) - 2,
			Unit: oneOf(r, "", "points", "stamps"),
		}
		if r.IntN(2) == 0 {
			e.Currency, e.Money = "EUR", r.Int64N(300)
		}
		if r.IntN(8) == 0 {
			e.State = ledger.ExceptionAwaiting
		}
		e = d.raise(e, r.IntN(30))
		all = append(all, e)
		var err error
		switch r.IntN(6) {
		case 0:
			_, err = d.Own(ctx, d.people[0], e.ID, true)
		case 1:
			_, err = d.Resolve(ctx, d.people[0], e.ID, casework.Explained, "x")
		case 2:
			_, err = d.Propose(ctx, d.people[0], e.ID, settled)
		case 3:
			_, err = d.SetDue(ctx, d.people[0], e.ID, d.hq.Clock.Now().AddDate(0, 0, r.IntN(3)-1), "x")
		}
		must(d.t, err)
	}
	must(d.t, d.Round(ctx))
	return all
}

// anyFilter asks for some of what exceptions are.
func (d *desk) anyFilter(r *rand.Rand, all []ledger.Exception) casework.Filter {
	f := casework.Filter{
		Untouched: r.IntN(3) == 0, ByPolicy: r.IntN(3) == 0, Overdue: r.IntN(4) == 0, Unowned: r.IntN(4) == 0, Nothing: r.IntN(6) == 0,
	}
	some := func() ledger.Exception { return oneOf(r, all...) }
	for _, set := range []func(){
		func() { f.Kind = some().Kind }, func() { f.Store = some().Store }, func() { f.Liable = some().Liable },
		func() { f.Unit = "points" }, func() { f.Currency = "EUR" }, func() { f.UpTo = r.Int64N(200) }, func() { f.Owner = d.people[0].ID },
		func() { f.Before = d.hq.Clock.Now().AddDate(0, 0, -r.IntN(20)) }, func() { f.Terminal = some().Terminal },
	} {
		if r.IntN(4) == 0 {
			set()
		}
	}
	return f
}

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// matching are the ids that the database finds, a few at a time.
func (d *desk) matching(f casework.Filter) (ids []uuid.UUID) {
	d.t.Helper()
	const atOnce = 3
	for after := (*ledger.Place)(nil); ; {
		page, err := d.hq.DB.Matching(d.t.Context(), f, d.hq.Clock.Now(), after, atOnce)
		must(d.t, err)
		for _, p := range page {
			ids = append(ids, p.Exception.ID)
			after = &ledger.Place{At: p.Exception.RecordedAt, Key: p.Exception.ID[:]}
		}
		if len(page) < atOnce {
			return ids
		}
	}
}

// What the database finds for a filter is what the filter matches.
func TestAFilterFindsWhatItMatches(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		d, r := newDesk(t, dsn, shardsPerTx), rand.New(rand.NewPCG(1, 2))
		all := d.anyExceptions(r, 40)
		cases := make([]casework.Case, len(all))
		for i, e := range all {
			var err error
			cases[i], err = d.hq.DB.Case(t.Context(), e.Shard, e.ID)
			must(t, err)
		}
		found := 0
		for range 150 {
			f := d.anyFilter(r, all)
			var want []uuid.UUID
			for i, e := range all {
				if f.Matches(e, cases[i], d.hq.Clock.Now()) {
					want = append(want, e.ID)
				}
			}
			got := d.matching(f)
			less := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
			slices.SortFunc(want, less)
			slices.SortFunc(got, less)
			if !slices.Equal(want, got) {
				t.Fatalf("%+v: found %d, matches %d", f, len(got), len(want))
			}
			found += len(got)
		}
		if found < 50 {
			t.Errorf("only %d found in all: the test says little", found)
		}
	})
}
