package loyalty

import "time"

// Earn returns what a basket gives under the rules when discount of it was paid
// with rewards, and when. Points are earned on what is left to pay; a rule for one
// category bears its share of the discount, rounded down. A rule that gives
// nothing is left out. The basket may be a foreign one that nobody has checked: a
// discount, total, lines or time that cannot have been give ErrOverflow, as do
// results that are too large.
func Earn(rules RuleSet, basket Basket, discount, occurredAt int64) ([]Earned, error) {
	if discount < 0 || discount > basket.Total || basket.Total > MaxAmount || occurredAt < 0 || occurredAt > MaxAmount {
		return nil, ErrOverflow
	}
	var out []Earned
	for _, rule := range rules.Earn {
		base, err := spentOn(rule.Category, basket)
		if err != nil {
			return nil, err
		}
		if base <= 0 || rule.Per <= 0 || rule.Points <= 0 {
			continue
		}
		paid := base - share(base, discount, basket.Total)
		amount, err := Mul(paid/rule.Per, rule.Points)
		if err != nil {
			return nil, err
		}
		if amount == 0 {
			continue
		}
		earned := Earned{Unit: rule.Unit, Amount: amount}
		if rule.VestDays > 0 {
			earned.VestsAt = time.UnixMilli(occurredAt).UTC().AddDate(0, 0, int(rule.VestDays)).UnixMilli()
		}
		if rule.ExpireMonths > 0 {
			earned.ExpiresAt = endOfDayMonthsLater(occurredAt, int(rule.ExpireMonths))
		}
		out = append(out, earned)
	}
	return out, nil
}

// spentOn is the part of the basket that is of the category, the total when that is
// empty. It lies between zero and the total, else the error is ErrOverflow.
func spentOn(category string, basket Basket) (int64, error) {
	if category == "" {
		return basket.Total, nil
	}
	var sum int64
	for _, line := range basket.Lines {
		if line.Category != category {
			continue
		}
		var err error
		if sum, err = Add(sum, line.Amount); err != nil || line.Amount < 0 || sum > basket.Total {
			return 0, ErrOverflow
		}
	}
	return sum, nil
}

// endOfDayMonthsLater is the first instant, in UTC, after the day that lies n months
// after at. The 31st becomes the last day of a shorter month.
func endOfDayMonthsLater(at int64, n int) int64 {
	t := time.UnixMilli(at).UTC()
	y, m, d := t.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	day := min(d, last.Day())
	return time.Date(last.Year(), last.Month(), day+1, 0, 0, 0, 0, time.UTC).UnixMilli()
}

func day(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }
