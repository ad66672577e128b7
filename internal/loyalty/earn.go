package loyalty

import "time"

// EarnedBy is an earning with the rule that gave it.
type EarnedBy struct {
	Earned
	Rule EarnRule
}

// Earn returns what a basket gives under the rules when discount of it was paid
// with rewards, and when. Points are earned on what is left to pay; a rule for one
// category bears its share of the discount, rounded down. A rule that gives
// nothing is left out. The basket may be a foreign one that nobody has checked: a
// discount, total, lines or time that cannot have been give ErrOverflow, as do
// results that are too large.
func Earn(rules RuleSet, basket Basket, discount, occurredAt int64) ([]Earned, error) {
	var out []Earned
	by, err := EarnByRule(rules, basket, discount, occurredAt)
	for _, e := range by {
		out = append(out, e.Earned)
	}
	return out, err
}

// EarnByRule is Earn that tells which rule gave what.
func EarnByRule(rules RuleSet, basket Basket, discount, occurredAt int64) ([]EarnedBy, error) {
	if discount < 0 || discount > basket.Total || basket.Total > MaxAmount || occurredAt < 0 || occurredAt > MaxAmount {
		return nil, ErrOverflow
	}
	var out []EarnedBy
	for _, rule := range rules.Earn {
		base, err := spentOn(rule.Category, basket)
		if err != nil {
			return nil, err
		}
		if base <= 0 || rule.Per <= 0 || rule.Points <= 0 {
			continue
		}
		paid := base - share(base, discount, basket.Total)
		amount, err := Mul(rule.steps(paid), rule.Points)
		if err != nil {
			return nil, err
		}
		if amount == 0 {
			continue
		}
		earned := Earned{Unit: rule.Unit, Amount: amount, ExpiresAt: rule.expiry(occurredAt)}
		if rule.VestDays > 0 {
			earned.VestsAt = time.UnixMilli(occurredAt).UTC().AddDate(0, 0, int(rule.VestDays)).UnixMilli()
		}
		out = append(out, EarnedBy{earned, rule})
	}
	return out, nil
}

// steps is how often the rule gives its points for what was paid.
func (r EarnRule) steps(paid int64) int64 {
	n, rest := paid/r.Per, paid%r.Per
	up := false
	switch r.Rounding {
	case RoundUp:
		up = rest > 0
	case RoundHalfUp:
		up = rest >= r.Per-rest
	case RoundHalfEven:
		up = rest > r.Per-rest || rest == r.Per-rest && n%2 == 1
	}
	if up {
		n++
	}
	return n
}

// Rolls is by how many days activity keeps what the rule gives alive, zero when it
// does not.
func (r EarnRule) Rolls() int32 {
	if r.ExpireMonths > 0 || r.ExpireOn > 0 {
		return 0
	}
	return r.RollDays
}

// expiry is when what is earned at a time expires, zero for never.
func (r EarnRule) expiry(at int64) int64 {
	switch {
	case r.ExpireMonths > 0:
		return endOfDayMonthsLater(at, int(r.ExpireMonths))
	case r.ExpireOn > 0:
		return r.ExpireOn
	case r.Rolls() > 0:
		return endOfDayDaysLater(at, r.RollDays)
	}
	return 0
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
