package casework

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
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
	return p.NeedsTwoOf(together(e, all, ledger.ExceptionOpen)), nil
}

// stillAlone refuses what one person decided and may not. It is asked in the transaction of
// the decision, which no fact of the account can overtake any more: an amount that grew
// after it was looked at is seen here, and the decision is undone.
func (s *Service) stillAlone(ctx context.Context, e ledger.Exception) error {
	policy, err := s.Policy(ctx)
	if err != nil {
		return err
	}
	all, err := s.env.Store.AccountExceptions(ctx, []ledger.AccountKey{{Shard: shard.Of(e.Account), Account: e.Account}})
	if err != nil {
		return fmt.Errorf("read what was decided together: %w", err)
	}
	if policy.NeedsTwoOf(together(e, all, ledger.ExceptionReleased, ledger.ExceptionRejected)) {
		return problem.New(problem.SecondPersonNeeded, "")
	}
	return nil
}

// together are the exceptions of an account in some states that are decided with one of
// them, it too.
func together(e ledger.Exception, all []ledger.Exception, in ...string) (out []ledger.Exception) {
	for _, x := range all {
		if slices.Contains(in, x.State) && x.Source == e.Source && x.Kind == e.Kind && (e.Kind != ledger.UnitUnknown || x.Unit == e.Unit) {
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
