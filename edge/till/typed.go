package till

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// typed reports whether something is redeemed on a typed card number.
func (f *facts) typed() bool {
	return f.party.code != nil && f.party.code.freshness == entry.FreshnessKeyed && len(f.request.Wishes) > 0
}

// trust takes a typed card number for as good as a static code: a manager has seen the
// card. The entry says that it was typed, and who approved.
func (f *facts) trust() { f.request.StandIn.Freshness = loyalty.Static }

// approveTyped uses up the approval of a sale that brings one. That one was needed, and
// is missing, the decision says: HQ may allow it too.
func (t *Till) approveTyped(who *acting, f *facts) (done func(error), err error) {
	if who.caller.Approval == uuid.Nil {
		return func(error) {}, nil
	}
	if err := f.approved(); err != nil {
		return nil, err
	}
	return t.approve(who, true, OpRedeem, aboutMember(f.party.id))
}

// peekTyped has a quote decide as its commit will, with the approval still there.
func (t *Till) peekTyped(who acting, f *facts) error {
	if who.caller.Approval == uuid.Nil {
		return nil
	}
	_, err := t.approvals.good(who.caller.Approval, who.caller.Session, OpRedeem, []string{aboutMember(f.party.id)})
	if err != nil {
		return err
	}
	return f.approved()
}

// approved takes in that a manager has approved.
func (f *facts) approved() error {
	if !f.typed() || !f.request.Policy.KeyedNeedsApproval() {
		return problem.New(problem.ApprovalInvalid, "nothing is redeemed on a typed card number that needs one")
	}
	f.trust()
	return nil
}
