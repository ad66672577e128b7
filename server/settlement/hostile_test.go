package settlement_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// The code of a party is in the numbers of its documents. It stays the party's own when the
// party takes another, so that no two documents have one number.
func TestACodeIsNeverAnotherPartys(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	north := r.party("NORTH", 20260101, "A")
	north.Code = "NORD"
	_, err := r.PutParty(ctx, anna, north, false)
	r.must(err)
	for _, code := range []string{"NORTH", "NORD", "PROGRAMME"} {
		_, err := r.PutParty(ctx, anna, settlement.Party{Code: code, Name: "Another", Currency: "EUR", Language: "en"}, true)
		if problem.CodeOf(err) != problem.InvalidField {
			t.Errorf("another party took %s: %v", code, err)
		}
	}
	_, err = r.PutParty(ctx, anna, settlement.Party{ID: clearing.Programme, Code: "HEAD", Name: "Head", Currency: "EUR", Language: "en"}, false)
	r.must(err)
	if _, err := r.PutParty(ctx, anna, settlement.Party{Code: "PROGRAMME", Name: "Another", Currency: "EUR", Language: "en"}, true); problem.CodeOf(err) != problem.InvalidField {
		t.Errorf("another party took what the programme was called: %v", err)
	}
	north.Code, north.Version = "NORTH", 2
	if _, err := r.PutParty(ctx, anna, north, false); err != nil {
		t.Errorf("a party could not have its own code again: %v", err)
	}
}

// A file of lines is of one draft: when the month is drafted anew while it is read, it ends
// with an error and not with lines of another draft.
func TestLinesAreOfOneDraft(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B", "C", "D")
	r.price("points", "EUR", 20260101, 1000)
	for i := range 350 { // more lines than are read at once
		r.must(r.SetFee(ctx, anna, clearing.Fee{Code: fmt.Sprintf("F%d", i), From: 20260101, Payer: clearing.PaysHonouring, BasisPoints: 250}))
	}
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 300_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B", "C", "D")
	for _, store := range []string{"B", "C", "D"} {
		r.tills[store].Sell(t, member, 100, 400)
		r.sync(store)
	}
	r.at(day(2026, 4, 2, 12))
	r.draft(202603)
	read := 0
	err := r.EachLine(ctx, 202603, uuid.Nil, func(settlement.Line) error {
		if read++; read == 500 {
			r.price("points", "EUR", 20260101, 2000)
			r.draft(202603)
		}
		return nil
	})
	if problem.CodeOf(err) != problem.Conflict {
		t.Errorf("%d lines of two drafts were read: %v", read, err)
	}
	read = 0
	r.must(r.EachLine(ctx, 202603, uuid.Nil, func(settlement.Line) error { read++; return nil }))
	if read != 3*351 {
		t.Errorf("%d lines", read)
	}
}

// A store that was opened while settlement follows has its days in its own zone.
func TestAStoreThatWasJustOpenedHasItsOwnDays(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	asked := 0
	late := settlement.New(settlement.Env{
		Store: r.DB, Journal: r.Journal, Clock: r.Clock, NewID: uuid.New,
		Places: func(context.Context) ([]clearing.Place, error) {
			if asked++; asked == 1 {
				return nil, nil
			}
			return []clearing.Place{{ID: r.tills["T"].Store, Code: "T", Currency: "TRY", Zone: "Europe/Istanbul"}}, nil
		},
	})
	member := r.Member(t, "m", 500)
	r.at(day(2026, 3, 31, 22), "T") // the first of April in Istanbul
	r.tills["T"].Sell(t, member, 100, 400)
	r.sync("T")
	_, err := late.Follow(ctx)
	r.must(err)
	if first, err := r.DB.FirstSettlementMonth(ctx); err != nil || first != 202604 {
		t.Errorf("it stands in %s: %v", first, err)
	}
}

// Who locks a month locks the draft they looked at, and not one that was made since by
// other terms.
func TestNobodyLocksADraftTheyHaveNotSeen(t *testing.T) {
	ctx := context.Background()
	r, _ := redeemed(t)
	r.draft(202603)
	seen, err := r.Month(ctx, 202603)
	r.must(err)
	r.price("points", "EUR", 20260101, 9000)
	r.at(day(2026, 4, 2, 13))
	r.draft(202603)
	if _, err := r.LockSeen(ctx, bert, 202603, seen.CutAt); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("a draft that nobody saw was locked: %v", err)
	}
	seen, err = r.Month(ctx, 202603)
	r.must(err)
	if _, err := r.LockSeen(ctx, bert, 202603, seen.CutAt); err != nil {
		t.Error(err)
	}
}

// What comes between the first question for a draft and its cut, and is of a month before
// it, stands in the first month: no other will ever have it.
func TestTheFirstMonthTakesWhatIsOfMonthsBefore(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	r.party("NORTH", 20260101, "A")
	r.party("SOUTH", 20260101, "B", "C")
	r.price("points", "EUR", 20260101, 1000)
	member := r.Member(t, "m", 0)
	r.tills["A"].Sell(t, member, 100_000, 0)
	r.sync("A")
	r.at(day(2026, 3, 10, 12), "B", "C")
	r.tills["C"].Sell(t, member, 100, 30) // its till is offline
	r.at(day(2026, 4, 10, 12), "B")
	r.tills["B"].Sell(t, member, 100, 400)
	r.sync("B")
	_, err := r.Follow(ctx)
	r.must(err)
	r.at(day(2026, 5, 2, 12))
	_, err = r.Draft(ctx, anna, 202604)
	r.must(err)
	r.sync("C")
	r.must(r.Round(ctx))
	got := r.statements(202604)
	if net(got["SOUTH"], "EUR") != 430 || len(got["SOUTH"].Notes) != 1 || got["SOUTH"].Notes[0].Of != 202603 {
		t.Errorf("south %+v, notes %+v", got["SOUTH"].Totals, got["SOUTH"].Notes)
	}
}

// again runs each transaction twice, as a database may ask for, and keeps the second.
type again struct{ settlement.Store }

func (s again) InTx(ctx context.Context, fn func(context.Context) error) error {
	repeat := errors.New("repeat")
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return cmp.Or(fn(ctx), repeat) })
	if !errors.Is(err, repeat) {
		return err
	}
	return s.Store.InTx(ctx, fn)
}

// A transaction that the database asks to repeat is no change by somebody else.
func TestAPartyIsDescribedInATransactionThatIsRepeated(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	s := settlement.New(settlement.Env{
		Store: again{r.DB}, Journal: r.Journal, Clock: r.Clock, NewID: uuid.New, Places: func(context.Context) ([]clearing.Place, error) { return nil, nil },
	})
	p, err := s.PutParty(ctx, anna, settlement.Party{Code: "NORTH", Name: "North", Currency: "EUR", Language: "en"}, true)
	r.must(err)
	p.Name = "North Ltd"
	if p, err = s.PutParty(ctx, anna, p, false); err != nil || p.Version != 2 {
		t.Errorf("version %d: %v", p.Version, err)
	}
}
