package till

import (
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Return is goods brought back. The sale is named by its id, or by the POS receipt
// number it had; with neither it is not known.
//
// With no Lines and no Refund, everything that is left of the sale came back. A sale
// without lines is returned by Refund alone, a sale with lines by its lines.
type Return struct {
	Sale        uuid.UUID
	SaleReceipt string
	// Origin is where the sale was made, as its receipt says. Zero: not known, and a
	// receipt number is looked up among this terminal's sales.
	Origin Origin
	Lines  []ReturnLine
	// Refund is what was given back in money. Nil: what was paid for these goods, or
	// nothing, when this terminal does not hold the sale.
	Refund  *entry.Money
	Receipt string // POS receipt number of the return
	Cashier string
	Caller  Caller
	// Key is the caller's idempotency key, KeyHash the SHA-256 of its request.
	Key     string
	KeyHash [32]byte
}

// Origin is the place of a sale in the journal of the terminal that made it.
type Origin struct {
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
}

// ReturnLine is what came back of one line. Quantity is in thousandths. Amount is
// what the goods cost, in minor units; 0 is the line's price for that quantity.
type ReturnLine struct {
	No       uint16
	Quantity int64
	Amount   int64
}

// Returned is a committed return. Left is what was left of the sale after it; nil
// when this terminal does not hold the sale.
type Returned struct {
	Entry
	Body     entry.Return
	Left     *Left
	Replayed bool
	Training bool // see Sale
}

// Left is what can still be brought back of a sale.
type Left struct {
	Lines  []LeftLine // those with a quantity left, in the order of the sale
	Refund int64      // what was paid and not given back, in minor units
}

// LeftLine is what is left of one line. Quantity is in thousandths, Amount in minor
// units.
type LeftLine struct {
	No       uint16
	SKU      string
	Quantity int64
	Amount   int64
}

// BroughtBack is what came back of a sale in all its returns so far.
type BroughtBack struct {
	Returns []uuid.UUID // in the order they were made
	Lines   []entry.ReturnLine
	Refund  int64
	Whole   bool // nothing is left
}

// check refuses what is wrong whatever the sale was, before anything is read.
func (r Return) check() error {
	err := errors.Join(checkKey(r.Key), checkText("receipt", r.Receipt, MaxText),
		checkText("sale_receipt", r.SaleReceipt, MaxText), checkText("cashier", r.Cashier, MaxText))
	if err != nil {
		return err
	}
	if r.Sale == uuid.Nil && r.SaleReceipt == "" {
		if r.Origin != (Origin{}) {
			return wrongField("origin", "the sale itself is not named")
		}
		if len(r.Lines) > 0 {
			return wrongField("lines", "the sale they are of is not named")
		}
	}
	if r.Origin.Terminal == uuid.Nil && r.Origin != (Origin{}) {
		return wrongField("origin", "the terminal is missing")
	}
	if r.Refund != nil {
		if err := checkAmount("refund", r.Refund.Minor, 0); err != nil {
			return err
		}
	}
	return checkReturnLines(r.Lines)
}

func checkReturnLines(lines []ReturnLine) error {
	if len(lines) > loyalty.MaxLines {
		return problem.Newf(problem.InvalidField, "%d lines, at most %d", len(lines), loyalty.MaxLines)
	}
	seen := map[uint16]bool{}
	for _, line := range lines {
		if line.No == 0 || seen[line.No] {
			return wrongField("lines", "a line has no number, or one that another line has")
		}
		seen[line.No] = true
		if err := errors.Join(checkAmount("quantity", line.Quantity, 1), checkAmount("amount", line.Amount, 0)); err != nil {
			return err
		}
	}
	return nil
}

// checkAmount refuses a number below least or over what adds up.
func checkAmount(field string, amount, least int64) error {
	switch {
	case amount < least:
		return problem.Newf(problem.AmountInvalid, "the %s is %d", field, amount)
	case amount > loyalty.MaxAmount:
		return problem.Newf(problem.AmountOverflow, "the %s is %d, at most %d", field, amount, int64(loyalty.MaxAmount))
	}
	return nil
}

func wrongField(field, why string) error {
	err := problem.New(problem.InvalidField, field+": "+why)
	err.Fields = map[string]string{field: why}
	return err
}

// Left returns all of the sale, as what can be brought back of it at first.
func (s Sale) Left() *Left { return newRemains(s.Body).left() }
