package ledger

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// maxUnit bounds the name of a unit, in bytes.
const maxUnit = 64

// dateSlack is how far the dates of an earning may lie from those HQ computes:
// the till counts from its own clock.
const dateSlack = 48 * time.Hour

func itoa(n int) string { return strconv.Itoa(n) }

// implausible names what no till could have written, or is empty. What it lets
// through can be added up and stored.
func implausible(sale *entry.Sale) string {
	if sale.Total.Minor < 0 || sale.Total.Minor > loyalty.MaxAmount || !printable(sale.Total.Currency, 8) {
		return "the total is no amount of money"
	}
	var discount int64
	for _, r := range sale.Redeemed {
		if r.Amount <= 0 || r.Amount > loyalty.MaxAmount || r.Discount < 0 {
			return "a redemption is zero, negative or too large"
		}
		var err error
		if discount, err = loyalty.Add(discount, r.Discount); err != nil {
			return "the discounts do not add up"
		}
		if r.Voucher == uuid.Nil && !pointsUnit(r.Unit) {
			return "a redemption names no unit"
		}
	}
	for _, e := range sale.Earned {
		if e.Amount <= 0 || e.Amount > loyalty.MaxAmount || !pointsUnit(e.Unit) {
			return "an earning is zero, negative, too large or without unit"
		}
	}
	return ""
}

// pointsUnit reports whether a sale may earn or redeem this unit by name; uses of
// a voucher are only redeemed by naming the voucher.
func pointsUnit(unit string) bool {
	return unit != "" && printable(unit, maxUnit) && !strings.HasPrefix(unit, loyalty.UseUnit(""))
}

// printable keeps what databases and people cannot read out of stored text.
func printable(text string, maxLen int) bool {
	if len(text) > maxLen {
		return false
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// recheck splits what a sale says it earned into what the cited rules give and
// the excess. Dates that differ from HQ's by more than dateSlack become HQ's.
func (s *set) recheck(f *fact) (good, excess []earnLine) {
	left := expected(f, s.rules)
	for n, e := range f.sale.Earned {
		line := earnLine{Earning: e, n: n + len(f.sale.Redeemed)}
		for i := range left {
			x := &left[i]
			if x.Unit != e.Unit || x.Line != e.Line || x.Amount == 0 || line.Amount == 0 {
				continue
			}
			part := line
			part.Amount = min(x.Amount, line.Amount)
			part.VestsAt, part.ExpiresAt = near(e.VestsAt, x.VestsAt), near(e.ExpiresAt, x.ExpiresAt)
			part.n, part.category, part.rollDays = len(good), x.Rule.Category, x.Rule.Rolls()
			x.Amount -= part.Amount
			line.Amount -= part.Amount
			good = append(good, part)
		}
		if line.Amount > 0 {
			excess = append(excess, line)
		}
	}
	return good, excess
}

// expected is what the cited rules give for the sale's basket; nothing when the
// rule set or the basket cannot have been.
func expected(f *fact, rules map[uint64]loyalty.RuleSet) []loyalty.EarnedBy {
	sale := f.sale
	set, ok := rules[sale.RuleSet]
	if !ok || len(sale.Earned) == 0 || set.Currency != sale.Total.Currency || sale.Total.Minor <= 0 {
		return nil
	}
	basket := loyalty.Basket{Currency: sale.Total.Currency, Total: sale.Total.Minor}
	var sum int64
	for _, line := range sale.Lines {
		if line.Amount <= 0 || line.Amount > loyalty.MaxAmount {
			return nil
		}
		sum += line.Amount
		basket.Lines = append(basket.Lines, loyalty.Line{
			No: line.No, SKU: line.SKU, Quantity: line.Quantity, Amount: line.Amount, Category: line.Category,
		})
	}
	var discount int64
	for _, r := range sale.Redeemed {
		discount += r.Discount
	}
	if len(sale.Lines) > 0 && sum != basket.Total || discount > basket.Total {
		return nil
	}
	earned, err := loyalty.EarnByRule(set, basket, discount, f.OccurredAt)
	if err != nil {
		return nil
	}
	return earned
}

// near returns what the till said when it is near what HQ computed.
func near(said, computed int64) int64 {
	if said-computed > dateSlack.Milliseconds() || computed-said > dateSlack.Milliseconds() {
		return computed
	}
	return said
}
