package settlement_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

func day(y, m, d, hour int) time.Time {
	return time.Date(y, time.Month(m), d, hour, 0, 0, 0, time.UTC)
}

// 1,000 points are worth 10.00 euros, so NORTH owes 4.00 for 400.
func TestAStoreIsOwedForWhatAnotherIssued(t *testing.T) {
	r, member := redeemed(t)
	got := r.lock(202603)
	if north, south := got["NORTH"], got["SOUTH"]; net(north, "EUR") != -400 || net(south, "EUR") != 400 || net(got["PROGRAMME"], "EUR") != 0 {
		t.Errorf("north %+v, south %+v", north.Totals, south.Totals)
	}
	if n := got["NORTH"].Number; n != "NORTH-2026-0001" {
		t.Errorf("number %q", n)
	}
	lines, err := r.Lines(context.Background(), 202603, got["SOUTH"].Party.ID, 0, 10)
	r.must(err)
	if len(lines) != 1 || lines[0].Points != 400 || lines[0].Day != 20260310 || lines[0].Credit.Minor != 400 {
		t.Fatalf("lines %+v", lines)
	}
	_, moves, err := r.Moves(context.Background(), 202603, lines[0].No, settlement.MovePlace{Shard: -1}, 10)
	r.must(err)
	if len(moves) != 1 || moves[0].Account != member {
		t.Errorf("moves %+v", moves)
	}
}

// A month is locked by another person than the one who drafted it, when nothing is
// missing, and not before it is over.
func TestAMonthIsLockedByTwoPeopleAndWaitsForPrices(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "T")
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 100_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "T")
	r.tills["T"].Sell(t, member, 100, 400)
	r.sync("T")
	if _, err := r.Draft(ctx, anna, 202603); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("drafted a month that is not over: %v", err)
	}
	r.at(day(2026, 4, 2, 12))
	if _, err := r.Draft(ctx, anna, 202604); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("drafted a month out of turn: %v", err)
	}
	r.draft(202603)
	wait := func(what string) {
		t.Helper()
		m, err := r.Month(ctx, 202603)
		r.must(err)
		if len(m.Missing) != 1 || m.Missing[0].What != what || m.Missing[0].Day != 20260310 {
			t.Errorf("missing %+v, want a %s", m.Missing, what)
		}
		if _, err := r.Lock(ctx, bert, 202603); problem.CodeOf(err) != problem.StateConflict {
			t.Errorf("locked without a %s: %v", what, err)
		}
	}
	wait("price")
	r.price("points", "TRY", 20260101, 45_000)
	r.draft(202603)
	wait("rate")
	r.must(r.SetRate(ctx, anna, clearing.Rate{Base: "TRY", Quote: "EUR", From: 20260301, Billionths: 20_000_000, Source: "ECB"}))
	got := r.draft(202603)
	if _, err := r.Lock(ctx, anna, 202603); problem.CodeOf(err) != problem.Forbidden {
		t.Errorf("one person drafted and locked: %v", err)
	}
	// 400 points at 45,000 kuruş a thousand are 180.00 lira, at 0.02 euros 3.60.
	if net(got["SOUTH"], "TRY") != 18_000 || net(got["NORTH"], "EUR") != -360 || net(got["PROGRAMME"], "TRY") != -18_000 || net(got["PROGRAMME"], "EUR") != 360 {
		t.Errorf("south %+v, north %+v, programme %+v", got["SOUTH"].Totals, got["NORTH"].Totals, got["PROGRAMME"].Totals)
	}
	if _, err := r.Lock(ctx, bert, 202603); err != nil {
		t.Error(err)
	}
	if _, err := r.Draft(ctx, anna, 202603); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("drafted a locked month: %v", err)
	}
}

// What arrives after the lock, a price that is changed for days before it, and a store
// that had another owner than was known, are notes of the next month.
func TestALockedMonthStaysAndTheNextHasNotes(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B", "C")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 500_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B", "C")
	sale := r.tills["B"].Sell(t, member, 100, 400)
	r.sync("B")
	r.tills["C"].Sell(t, member, 100, 30) // its till is offline until May
	r.at(day(2026, 4, 2, 12))
	before := r.lock(202603)

	r.sync("C")
	r.tills["B"].Skip(day(2026, 4, 3, 9).Sub(r.tills["B"].Now()))
	r.at(day(2026, 4, 3, 10))
	r.tills["B"].Void(t, sale, member)
	r.sync("B")
	r.price("points", "EUR", 20260305, 2000)
	r.party("EAST", 20260308, "C")
	r.at(day(2026, 5, 2, 12))
	got := r.lock(202604)
	// C's 30 points are 0.60 now, of EAST. B's 400 were 4.00 and are nothing.
	if net(got["NORTH"], "EUR") != 400-60 || net(got["SOUTH"], "EUR") != -400 || net(got["EAST"], "EUR") != 60 {
		t.Errorf("north %+v, south %+v, east %+v", got["NORTH"].Totals, got["SOUTH"].Totals, got["EAST"].Totals)
	}
	for _, code := range []string{"NORTH", "SOUTH"} {
		notes := got[code].Notes
		if len(notes) != 1 || notes[0].Of != 202603 || notes[0].OfNumber != code+"-2026-0001" || notes[0].Number != code+"-2026-0003" {
			t.Errorf("notes of %s: %+v", code, notes)
		}
	}
	again := r.statements(202603)
	if net(again["NORTH"], "EUR") != net(before["NORTH"], "EUR") || again["NORTH"].Number != before["NORTH"].Number {
		t.Error("a locked month changed")
	}
	st, err := r.Statement(ctx, 202603, r.parties["NORTH"].ID)
	r.must(err)
	if net(st, "EUR") != -400 || st.State != clearing.Locked {
		t.Errorf("%+v", st)
	}
}

// oneSet tells of one applied set at a time.
type oneSet struct{ *store.DB }

func (s oneSet) AppliedSets(ctx context.Context, shard int, after uint64, _ int) ([]ledger.AppliedSet, error) {
	return s.DB.AppliedSets(ctx, shard, after, 1)
}

// What undoes a sale may be heard of weeks before it. Both count when the sale comes, and
// nothing is owed for what was given back.
func TestAReturnThatWaitedForItsSaleSettlesWithIt(t *testing.T) {
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B", "C")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 500_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B")
	sale := r.tills["B"].Basket(t, member, books.Brisk, 400, entry.Line{No: 1, Quantity: 1000, Amount: 900}) // its till is offline
	r.tills["B"].Write(t, entry.KindSale, sale)
	r.tills["B"].Sell(t, member, 100, 30)
	r.at(day(2026, 3, 11, 12), "C")
	r.tills["C"].Return(t, entry.Return{Sale: sale.ID, Lines: []entry.ReturnLine{{No: 1, Quantity: 1000}}})
	r.sync("C")
	r.at(day(2026, 3, 20, 12))
	r.sync("B")
	// Whoever follows may come between the sale and what waited for it.
	slow := settlement.New(settlement.Env{
		Store: oneSet{r.DB}, Journal: r.Journal, Clock: r.Clock, NewID: uuid.New,
		Places: func(context.Context) ([]clearing.Place, error) { return r.places, nil },
	})
	for {
		n, err := slow.Follow(context.Background())
		if r.must(err); n == 0 {
			break
		}
	}
	r.at(day(2026, 4, 2, 12))
	if got := r.lock(202603); net(got["NORTH"], "EUR") != -30 || net(got["SOUTH"], "EUR") != 30 {
		t.Errorf("north %+v, south %+v", got["NORTH"].Totals, got["SOUTH"].Totals)
	}
}

// A store that changes its franchisee in mid-month earns and honours for the one it
// belonged to on the day.
func TestAStoreThatChangesItsOwnerInMidMonth(t *testing.T) {
	r := newRig(t)
	r.party("NORTH", 20260101, "A", "B")
	r.party("SOUTH", 20260315, "B")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 100_000, 0)
	r.sync("A")
	for _, at := range []time.Time{day(2026, 3, 14, 22), day(2026, 3, 14, 23)} { // 23:00 in Berlin, and midnight
		r.at(at, "B")
		r.tills["B"].Sell(t, member, 100, 100)
		r.sync("B")
	}
	r.at(day(2026, 4, 2, 12))
	got := r.lock(202603)
	if net(got["SOUTH"], "EUR") != 100 || net(got["NORTH"], "EUR") != -100 {
		t.Errorf("%+v", got)
	}
}

// Points keep their issuer when they move to another account.
func TestPointsKeepTheirIssuerWhenTheyMove(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B")
	r.price("points", "EUR", 20260101, 1000)
	from, to := r.Member(t, "from", 0), r.Member(t, "to", 0)
	r.tills["A"].Sell(t, from, 100_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 5, 12))
	r.move(from, to, 300)
	r.move(to, from, 200)
	r.move(from, to, 100)
	r.at(day(2026, 3, 10, 12), "B")
	r.tills["B"].Sell(t, to, 100, 200)
	r.sync("B")
	r.must(r.Round(ctx))
	r.at(day(2026, 4, 2, 12))
	got := r.lock(202603)
	if net(got["SOUTH"], "EUR") != 200 || net(got["NORTH"], "EUR") != -200 {
		t.Errorf("%+v", got)
	}
}

// More is redeemed than there was: the programme bears it until the next points repay it.
func TestTheProgrammeBearsAnOverdraftUntilItIsRepaid(t *testing.T) {
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.at(day(2026, 3, 5, 12), "B")
	r.tills["B"].Sell(t, member, 100, 300)
	r.sync("B")
	r.at(day(2026, 4, 2, 12), "A")
	got := r.lock(202603)
	if net(got["SOUTH"], "EUR") != 300 || net(got["PROGRAMME"], "EUR") != -300 {
		t.Errorf("march %+v", got)
	}
	r.tills["A"].Sell(t, member, 20_000, 0)
	r.sync("A")
	r.at(day(2026, 5, 2, 12))
	got = r.lock(202604)
	if net(got["NORTH"], "EUR") != -200 || net(got["PROGRAMME"], "EUR") != 200 {
		t.Errorf("april %+v", got)
	}
	if net(got["SOUTH"], "EUR") != 0 {
		t.Errorf("south %+v", got["SOUTH"])
	}
}

// Fees are a part of the clearing amount and an amount for points, with tax on them.
func TestFeesAndTaxes(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	north := r.party("NORTH", 20260101, "A")
	south := r.party("SOUTH", 20260101, "B")
	r.price("points", "EUR", 20260101, 1000)
	r.must(r.SetFee(ctx, anna, clearing.Fee{Code: "CLEARING", From: 20260101, Payer: clearing.PaysHonouring, BasisPoints: 250, PerThousand: 40, Currency: "EUR"}))
	r.must(r.SetFee(ctx, anna, clearing.Fee{Code: "ISSUE", From: 20260101, Payer: clearing.PaysIssuing, BasisPoints: 100}))
	r.must(r.SetTax(ctx, anna, clearing.Tax{Party: south.ID, From: 20260101, BasisPoints: 1900}))
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 100_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B")
	r.tills["B"].Sell(t, member, 100, 1000)
	r.sync("B")
	r.at(day(2026, 4, 2, 12))
	got := r.lock(202603)
	// 10.00; of it 2.5 % are 0.25, and 0.40 for 1,000 points: 0.65, and 19 % of that are 0.1235.
	if net(got["SOUTH"], "EUR") != 1000-65-12 {
		t.Errorf("south %+v", got["SOUTH"].Groups)
	}
	if net(got["NORTH"], "EUR") != -1000-10 || north.ID == uuid.Nil {
		t.Errorf("north %+v", got["NORTH"].Groups)
	}
}

// The example of docs/settlement.md.
func TestTheExampleOfTheDocument(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	south := r.party("SOUTH", 20260101, "B")
	r.party("EAST", 20260101, "T")
	r.price("points", "EUR", 20260101, 1000)
	r.price("points", "TRY", 20260101, 45_000)
	r.must(r.SetRate(ctx, anna, clearing.Rate{Base: "TRY", Quote: "EUR", From: 20260101, Billionths: 20_000_000, Source: "ECB"}))
	r.must(r.SetFee(ctx, anna, clearing.Fee{Code: "CLEARING", From: 20260101, Payer: clearing.PaysHonouring, BasisPoints: 250}))
	r.must(r.SetTax(ctx, anna, clearing.Tax{Party: south.ID, From: 20260101, BasisPoints: 1900}))
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 300_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B")
	sale := r.tills["B"].Sell(t, member, 100, 400)
	r.sync("B")
	r.at(day(2026, 3, 20, 12), "T")
	r.tills["T"].Sell(t, member, 100, 300)
	r.sync("T")
	r.at(day(2026, 4, 2, 12))
	check := func(got map[string]settlement.Statement, want map[string]map[string]int64) {
		t.Helper()
		for party, by := range want {
			for currency, n := range by {
				if net(got[party], currency) != n {
					t.Errorf("%s: net %d %s, want %d: %+v", party, net(got[party], currency), currency, n, got[party].Groups)
				}
			}
		}
	}
	check(r.lock(202603), map[string]map[string]int64{
		"NORTH": {"EUR": -670}, "SOUTH": {"EUR": 388}, "EAST": {"TRY": 13_162}, "PROGRAMME": {"EUR": 282, "TRY": -13_162},
	})
	r.at(day(2026, 4, 3, 12), "B")
	r.tills["B"].Void(t, sale, member)
	r.sync("B")
	r.at(day(2026, 5, 2, 12))
	april := r.lock(202604)
	check(april, map[string]map[string]int64{"NORTH": {"EUR": 400}, "SOUTH": {"EUR": -388}})
	if n := april["NORTH"].Notes; len(n) != 1 || n[0].Of != 202603 || !n[0].Totals[0].Credit() {
		t.Errorf("notes of NORTH %+v", n)
	}
	if n := april["SOUTH"].Notes; len(n) != 1 || n[0].Totals[0].Credit() || n[0].Totals[0].Net != -388 {
		t.Errorf("notes of SOUTH %+v", n)
	}
}

// refusing is a database that takes in nothing that one fact did.
type refusing struct {
	*store.DB
	of journal.Hash
}

var errRefused = errors.New("a constraint failed")

func (r *refusing) Refused(err error) bool { return errors.Is(err, errRefused) }

func (r *refusing) SaveChanges(ctx context.Context, c ledger.Changes) error {
	if slices.ContainsFunc(c.Postings, func(p ledger.Posting) bool { return p.Source == r.of }) {
		return errRefused
	}
	return r.DB.SaveChanges(ctx, c)
}

// A sale that was set aside is posted behind the return of it, whose till's clock is slow:
// what the return gives back is posted with the sale, as recorded when the return was.
func TestAReturnOfASaleThatWasSetAsideSettles(t *testing.T) {
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B", "C")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	db := &refusing{DB: r.DB}
	r.Ledger = ledger.New(ledger.Options{Store: db, Journal: r.Journal, Feed: r.Feed, Rules: r, Clock: r.Clock, HQ: r.ID})
	r.at(day(2026, 3, 9, 12), "A")
	r.tills["A"].Sell(t, member, 500_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "C")
	r.at(day(2026, 3, 10, 13), "B")
	sale := r.tills["B"].Basket(t, member, books.Brisk, 400, entry.Line{No: 1, Quantity: 1000, Amount: 900})
	r.tills["B"].Write(t, entry.KindSale, sale)
	r.tills["C"].Return(t, entry.Return{Sale: sale.ID, Account: member, Lines: []entry.ReturnLine{{No: 1, Quantity: 1000}}})
	db.of = r.tills["B"].Hashes[len(r.tills["B"].Hashes)-1]
	r.at(day(2026, 3, 10, 15))
	r.sync("B")
	r.at(day(2026, 3, 10, 16))
	r.sync("C")
	_, err := r.Follow(context.Background())
	r.must(err)
	db.of = journal.Hash{}
	r.at(day(2026, 3, 11, 12))
	if n, err := r.Ledger.RetryAside(context.Background(), true); n != 1 || err != nil {
		t.Fatalf("%d are no more set aside, %v", n, err)
	}
	if h := r.Holding(t, member, "points"); h.Free != 5000 {
		t.Errorf("%+v", h)
	}
	r.at(day(2026, 4, 2, 12))
	if got := r.lock(202603); net(got["NORTH"], "EUR") != 0 || net(got["SOUTH"], "EUR") != 0 {
		t.Errorf("north %+v, south %+v", got["NORTH"].Totals, got["SOUTH"].Totals)
	}
}
