package casework

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
)

// Trial is what a rule or a bulk would do now. N are those it means, LeftOut those of them
// that need two people. Sums are of those that are not left out. When there are more than
// were looked at, More says so.
type Trial struct {
	N, LeftOut int64
	More       bool
	Sums       []Sum
	Some       []uuid.UUID // the oldest few
}

// Sum is an amount of a unit, or in a currency.
type Sum struct {
	Unit, Currency string
	Amount         int64
}

// foundAtOnce is how many exceptions are read at once, maxTrial how many a trial looks at,
// someShown how many it names.
const (
	foundAtOnce = 500
	maxTrial    = 20_000
	someShown   = 10
)

// leftOut tells which exceptions an outcome leaves to two people.
func (s *Service) leftOut(ctx context.Context, o Outcome) (func(ledger.Exception) bool, error) {
	policy, err := s.Policy(ctx)
	return func(e ledger.Exception) bool { return o == OutcomeSettle && policy.NeedsTwo(e) }, err
}

// try counts what a filter means; left tells which of them are left out.
func (s *Service) try(ctx context.Context, f Filter, left func(ledger.Exception) bool) (Trial, error) {
	var t Trial
	sums := map[Sum]int64{}
	err := s.each(ctx, f, func(found Found) (bool, error) {
		if t.N == maxTrial {
			t.More = true
			return false, nil
		}
		t.N++
		e := found.Exception
		if left(e) {
			t.LeftOut++
			return true, nil
		}
		if e.Unit != "" {
			sums[Sum{Unit: e.Unit}] += bounded(e.Amount)
		}
		if e.Currency != "" {
			sums[Sum{Currency: e.Currency}] += bounded(e.Money)
		}
		if len(t.Some) < someShown {
			t.Some = append(t.Some, e.ID)
		}
		return true, nil
	})
	if err != nil {
		return Trial{}, err
	}
	for key, n := range sums {
		t.Sums = append(t.Sums, Sum{key.Unit, key.Currency, n})
	}
	slices.SortFunc(t.Sums, func(a, b Sum) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Currency, b.Currency)) })
	return t, nil
}

// bounded keeps an amount that HQ doubts from making a sum too large.
func bounded(n int64) int64 { return max(-maxAmount, min(maxAmount, n)) }

// each calls do for what a filter means now, the oldest first, until it says no.
func (s *Service) each(ctx context.Context, f Filter, do func(Found) (bool, error)) error {
	now := s.now()
	for after := (*ledger.Place)(nil); ; {
		found, err := s.env.Store.Matching(ctx, f, now, after, foundAtOnce)
		if err != nil {
			return fmt.Errorf("find exceptions: %w", err)
		}
		for _, one := range found {
			more, err := do(one)
			if err != nil || !more {
				return err
			}
		}
		if len(found) < foundAtOnce {
			return nil
		}
		last := found[len(found)-1].Exception
		after = &ledger.Place{At: last.RecordedAt, Key: last.ID[:]}
	}
}
