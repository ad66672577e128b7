package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
)

// needsTwo tells whether it takes two people to decide about an exception. To release or to
// reject decides all of an entry that waits for the same cause, so that is what counts: an
// exception about little would else carry one about much with it.
func (s *Service) needsTwo(ctx context.Context, p Policy, e ledger.Exception) (bool, error) {
	if p.NeedsTwo(e) {
		return true, nil
	}
	if e.Account == uuid.Nil || e.State != ledger.ExceptionOpen || e.Kind != ledger.Unproven && e.Kind != ledger.EarningDiffers && e.Kind != ledger.UnitUnknown {
		return false, nil
	}
	all, err := s.env.Store.AccountExceptions(ctx, []ledger.AccountKey{{Shard: shard.Of(e.Account), Account: e.Account}})
	if err != nil {
		return false, fmt.Errorf("read what is decided together: %w", err)
	}
	return p.NeedsTwoOf(together(e, all)), nil
}

// together are the exceptions of an account that are decided with one of them, it too.
func together(e ledger.Exception, all []ledger.Exception) (out []ledger.Exception) {
	for _, x := range all {
		if x.State == ledger.ExceptionOpen && x.Source == e.Source && x.Kind == e.Kind && (e.Kind != ledger.UnitUnknown || x.Unit == e.Unit) {
			out = append(out, x)
		}
	}
	return out
}

// NeedsTwoOf tells whether exceptions of one kind that are decided at once take two people:
// what they say of a unit or in a currency is added up.
func (p Policy) NeedsTwoOf(all []ledger.Exception) bool {
	amounts, money := map[string]int64{}, map[string]int64{}
	for _, e := range all {
		amounts[e.Unit] = addedUp(amounts[e.Unit], e.Amount)
		money[e.Currency] = addedUp(money[e.Currency], e.Money)
	}
	for _, e := range all {
		e.Amount, e.Money = amounts[e.Unit], money[e.Currency]
		if p.NeedsTwo(e) {
			return true
		}
	}
	return false
}

// addedUp adds sizes; what is above all limits stays so.
func addedUp(sum, n int64) int64 { return min(sum, 2*maxAmount) + min(size(n), 2*maxAmount) }
