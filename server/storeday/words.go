package storeday

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/sync/entry"
)

// mostWords is how many rows of a figure are told; the evidence of the close has all.
const mostWords = 6

// told writes rows for a person to read.
func told[T any](rows []T, row func(T) string) string {
	if len(rows) == 0 {
		return "nothing"
	}
	var out []string
	for _, r := range rows[:min(len(rows), mostWords)] {
		out = append(out, row(r))
	}
	if more := len(rows) - mostWords; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

func toldKind(k entry.DayKind) string { return fmt.Sprintf("%s %d times", k.Kind, k.Count) }

func toldMoney(m entry.DayMoney) string {
	text := fmt.Sprintf("%s %d times of %s %s", m.Kind, m.Count, currency.Decimal(m.Currency, m.Total), m.Currency)
	if m.Discount != 0 {
		text += " with " + currency.Decimal(m.Currency, m.Discount) + " discount"
	}
	if m.Unmatched != 0 {
		text += fmt.Sprintf(" (%d of sales that the terminal did not hold)", m.Unmatched)
	}
	return text
}

func toldAmount(a entry.DayAmount) string {
	unit := a.Unit
	if unit == "" {
		unit = "uses of vouchers"
	}
	text := fmt.Sprintf("%s %s %d %s in %d", a.Kind, a.Flow, a.Amount, unit, a.Count)
	if a.Basis != 0 {
		text += " by " + a.Basis.String()
	}
	return text
}

func toldCashier(c entry.DayCashier) string {
	name := c.Cashier
	switch {
	case c.Others:
		name = "all others"
	case c.CashierID != uuid.Nil:
		name = c.CashierID.String()
	case name == "":
		name = "nobody signed in"
	}
	money := func(n int64) string { return currency.Decimal(c.Currency, n) }
	return fmt.Sprintf("%s: %d sales of %s, %d voids of %s, %d returns of %s %s",
		name, c.Sales, money(c.Taken), c.Voids, money(c.Undone), c.Returns, money(c.Refunded), c.Currency)
}

func toldRange(c entry.DayClose) string { return fmt.Sprintf("entries %d to %d", c.First, c.Last) }

func toldHead(c entry.DayClose) string {
	if len(c.Head) == 0 {
		return "none"
	}
	return fmt.Sprintf("%x", c.Head)
}
