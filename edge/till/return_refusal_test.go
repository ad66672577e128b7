package till_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// returnRefusal is a way to a refused return of the sale that sellTwo makes.
type returnRefusal struct {
	code   problem.Code
	name   string
	change func(*shop)
	before func(*testing.T, *shop, till.Sale)
	edit   func(*till.Return)
}

func refusedReturns() []returnRefusal {
	lines := func(lines ...till.ReturnLine) func(*till.Return) { return func(r *till.Return) { r.Lines = lines } }
	refund := func(m *entry.Money) func(*till.Return) {
		return func(r *till.Return) { r.Refund, r.Lines = m, pieces(4, 1) }
	}
	elsewhere := func(edit func(*till.Return)) func(*till.Return) {
		return func(r *till.Return) { r.Sale = uuid.UUID{9}; edit(r) }
	}
	return []returnRefusal{
		{code: problem.ReturnTooMuch, name: "a thousandth", edit: lines(till.ReturnLine{No: 4, Quantity: 3001})},
		{code: problem.ReturnTooMuch, name: "no such line", edit: lines(till.ReturnLine{No: 1, Quantity: 1})},
		{code: problem.ReturnTooMuch, name: "price", edit: lines(till.ReturnLine{No: 4, Quantity: 1, Amount: 1001})},
		{code: problem.ReturnTooMuch, name: "money", edit: refund(euros(2501))},
		{code: problem.ReturnTooMuch, name: "in two", edit: lines(till.ReturnLine{No: 4, Quantity: 1001}), before: brings(till.Return{Lines: pieces(4, 2000)})},
		{code: problem.ReturnTooMuch, name: "money in two", edit: refund(euros(1)), before: brings(till.Return{Lines: pieces(4, 1), Refund: euros(2500)})},
		{code: problem.ReturnTooMuch, name: "twice", before: brings(till.Return{})},
		{code: problem.SaleVoided, before: func(t *testing.T, s *shop, sale till.Sale) {
			if _, err := s.till.Void(context.Background(), till.Void{Sale: sale.Body.ID, Key: "v"}); err != nil {
				t.Fatal(err)
			}
		}},
		{code: problem.CurrencyMismatch, edit: refund(&entry.Money{Currency: "USD", Minor: 1})},
		{code: problem.CurrencyMismatch, name: "elsewhere", edit: elsewhere(refund(&entry.Money{Currency: "USD", Minor: 1}))},
		{code: problem.AmountInvalid, name: "quantity", edit: lines(till.ReturnLine{No: 4})},
		{code: problem.AmountInvalid, name: "price", edit: lines(till.ReturnLine{No: 4, Quantity: 1, Amount: -1})},
		{code: problem.AmountInvalid, name: "money", edit: refund(euros(-1))},
		{code: problem.AmountOverflow, name: "quantity", edit: lines(till.ReturnLine{No: 4, Quantity: loyalty.MaxAmount + 1})},
		{code: problem.AmountOverflow, name: "money", edit: refund(euros(loyalty.MaxAmount + 1))},
		{code: problem.InvalidField, name: "a line twice", edit: lines(till.ReturnLine{No: 4, Quantity: 1}, till.ReturnLine{No: 4, Quantity: 1})},
		{code: problem.InvalidField, name: "line without number", edit: lines(till.ReturnLine{Quantity: 1})},
		{code: problem.InvalidField, name: "too many lines", edit: lines(make([]till.ReturnLine, loyalty.MaxLines+1)...)},
		{code: problem.InvalidField, name: "money without lines", edit: func(r *till.Return) { r.Refund = euros(100) }},
		{code: problem.InvalidField, name: "not UTF-8", edit: func(r *till.Return) { r.Receipt = "\xff" }},
		{code: problem.InvalidField, name: "lines of no sale", edit: func(r *till.Return) { r.Sale, r.Lines = uuid.Nil, pieces(1, 1) }},
		{code: problem.InvalidField, name: "place of no sale", edit: func(r *till.Return) { r.Sale, r.Refund, r.Origin.Terminal = uuid.Nil, euros(1), uuid.UUID{1} }},
		{code: problem.InvalidField, name: "place without terminal", edit: func(r *till.Return) { r.Origin.Seq = 1 }},
		{code: problem.InvalidField, name: "nothing said of a sale made elsewhere", edit: elsewhere(func(*till.Return) {})},
		{code: problem.IdempotencyNeeded, edit: func(r *till.Return) { r.Key = "" }},
		{code: problem.IdempotencyReused, name: "by a sale", edit: func(r *till.Return) { r.Key = "a"; r.KeyHash = sha256.Sum256([]byte("a")) }},
		{code: problem.DiskFull, change: func(s *shop) { s.Limits.MinFreeFeed = -1 }, before: func(_ *testing.T, s *shop, _ till.Sale) { s.journal.FailAfter(0, journal.ErrDiskFull) }},
		{code: problem.JournalStopped, before: func(_ *testing.T, s *shop, _ till.Sale) { s.journal.FailAfter(0, journal.ErrStopped) }},
	}
}

func brings(r till.Return) func(*testing.T, *shop, till.Sale) {
	return func(t *testing.T, s *shop, sale till.Sale) {
		r.Sale, r.Key = sale.Body.ID, "before"
		s.bringBack(t, r)
	}
}

func TestEveryRefusedReturnHasItsCodeAndChangesNothing(t *testing.T) {
	for _, c := range refusedReturns() {
		t.Run(fmt.Sprintf("%s %s", c.code, c.name), func(t *testing.T) {
			s := newShop(t, c.change)
			sale := s.sellTwo(t, "a")
			if c.before != nil {
				c.before(t, s, sale)
			}
			r := till.Return{Sale: sale.Body.ID, Key: "k"}
			if c.edit != nil {
				c.edit(&r)
			}
			before := s.journal.Head()
			_, err := s.till.Return(context.Background(), r)
			wantCode(t, err, c.code)
			if after := s.journal.Head(); after != before {
				t.Errorf("a refused return moved the journal from %v to %v", before, after)
			}
		})
	}
}

func TestLowDiskRefusesAReturnAndAnUnreadyTillAFact(t *testing.T) {
	space := int64(1 << 30)
	s := newShop(t, func(s *shop) { s.FreeDisk = func() (int64, error) { return space, nil } })
	sale := s.sellTwo(t, "a")
	space = 1 << 20
	_, err := s.till.Return(context.Background(), till.Return{Sale: sale.Body.ID, Key: "k"})
	wantCode(t, err, problem.DiskFull)
	space = 1 << 30
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	// Without HQ's word not even the store's currency is known, but the sale is.
	_, err = s.till.Return(context.Background(), till.Return{Sale: uuid.UUID{9}, Key: "k", Refund: euros(1)})
	wantCode(t, err, problem.Unavailable)
	if back := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "k"}); !back.Body.Whole || back.Body.RuleSet != 0 {
		t.Errorf("%+v", back)
	}
}
