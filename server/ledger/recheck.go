package ledger

import (
	"slices"
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
	left := s.expected(f)
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

// expected is what the cited rules give for the sale's basket. Of a unit that they
// do not know it is what the rules give that the fact was released by.
func (s *set) expected(f *fact) []loyalty.EarnedBy {
	out := given(f, s.rules, f.sale.RuleSet)
	var seen []string
	for _, e := range f.sale.Earned {
		d := s.aboutUnit(f, e.Unit)
		if d.RuleSet == 0 || slices.Contains(seen, e.Unit) {
			continue
		}
		seen = append(seen, e.Unit)
		for _, x := range given(f, s.rules, d.RuleSet) {
			if x.Unit == e.Unit {
				out = append(out, x)
			}
		}
	}
	return out
}

// given is what the rules of a version give for the sale's basket; nothing when the
// rule set or the basket cannot have been.
func given(f *fact, rules map[uint64]loyalty.RuleSet, version uint64) []loyalty.EarnedBy {
	sale := f.sale
	set, ok := rules[version]
	if !ok || len(sale.Earned) == 0 && f.Kind != entry.KindHQClaimed || set.Currency != sale.Total.Currency || sale.Total.Minor <= 0 {
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
	// What a till says may be any number, and its difference may not be one.
	if slack := dateSlack.Milliseconds(); said > computed+slack || said < computed-slack {
		return computed
	}
	return said
}

// knowsUnit tells whether a unit that is redeemed is known: to the cited rules, or
// because the account has some of it, whatever the terminal cites. Uses of a voucher
// are counted in a unit of their own.
func (s *set) knowsUnit(f *fact, a *account, unit string) bool {
	if strings.HasPrefix(unit, loyalty.UseUnit("")) {
		return true
	}
	if h := a.holdings[unit]; h != nil && (h.Free > 0 || h.Allowance > 0 || h.Pending > 0 || h.Overdraft > 0) {
		return true
	}
	return s.rulesKnow(f, unit)
}

// rulesKnow tells whether the cited rules know a unit, or those by which the fact
// was released. Of rules that head office never published nothing can be said: what
// was earned under them waits as exceeding them, and what was redeemed counts.
func (s *set) rulesKnow(f *fact, unit string) bool {
	cited, ok := s.rules[f.sale.RuleSet]
	if !ok {
		return true
	}
	if _, known := cited.Unit(unit); known {
		return true
	}
	by, ok := s.rules[s.aboutUnit(f, unit).RuleSet]
	_, known := by.Unit(unit)
	return ok && known
}

// exceeding deals with what a sale says it earned beyond what the rules give: it
// waits in suspense until somebody decides.
func (s *set) exceeding(f *fact, a *account, e earnLine, n int) ([]effect, error) {
	if !s.rulesKnow(f, e.Unit) {
		return s.suspendUnit(f, e.Unit, e.Amount, 0, false, e.n), nil
	}
	switch s.verdict(f, EarningDiffers) {
	case entry.VerdictReject:
		return nil, nil
	case entry.VerdictRelease:
		e.n, e.VestsAt, e.ExpiresAt = n, moment(e.VestsAt), moment(e.ExpiresAt)
		eff, err := s.earn(f, a, e)
		return []effect{eff}, err
	}
	s.raise(f, e.n, Exception{
		Kind: EarningDiffers, Liable: liableStore, Member: f.sale.Member, Unit: e.Unit, Amount: e.Amount,
		Cause: "the cited rules give less than was earned",
	})
	return []effect{s.suspendAmount(f, e.Unit, e.Amount, false)}, nil
}

// moment keeps out times that no clock can show.
func moment(ms int64) int64 {
	if ms < 0 || ms > loyalty.MaxAmount {
		return 0
	}
	return ms
}

// suspendUnit sets aside an amount of a unit that nobody knows, unless somebody has
// decided that it counts for nothing.
func (s *set) suspendUnit(f *fact, unit string, amount, money int64, spent bool, n int) []effect {
	if s.aboutUnit(f, unit).Verdict == entry.VerdictReject {
		return nil
	}
	s.raise(f, n, Exception{
		Kind: UnitUnknown, Liable: liableProgramme, Member: f.sale.Member, Unit: unit, Amount: amount,
		Currency: f.sale.Total.Currency, Money: money, Cause: "the cited rules do not know the unit",
	})
	return []effect{s.suspendAmount(f, unit, amount, spent)}
}
