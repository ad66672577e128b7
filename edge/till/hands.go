package till

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Caller is on whose behalf a call is made. The zero value is till software that holds
// the agent's token and says itself who the cashier is.
type Caller struct {
	Page     bool      // the till page, where the store's rules may want a cashier signed in
	Session  uuid.UUID // of a cashier; zero: nobody is signed in
	Approval uuid.UUID // of a manager, for what this call does; zero: none
}

// acting is a caller as the rules of the store see them.
type acting struct {
	caller  Caller
	session Session // zero: nobody is signed in
	hands   entry.Hands
}

// Allow refuses a caller that may not act now, and keeps their session going.
func (t *Till) Allow(c Caller) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	_, err = t.act(c)
	return err
}

// act finds who it is that acts.
func (t *Till) act(c Caller) (acting, error) {
	cat := t.catalogue.Load()
	a := acting{caller: c, hands: entry.Hands{TillRules: cat.tillRules.Version}}
	if c.Session == uuid.Nil {
		if c.Page && cat.tillRules.SignIn {
			return a, problem.New(problem.CashierNeeded, "")
		}
		return a, nil
	}
	var err error
	if a.session, err = t.sessions.find(c.Session, t.idleLimit(), t.presentTime(), true); err != nil {
		return a, err
	}
	a.hands.CashierID = a.session.Cashier.ID
	return a, nil
}

// cashierText is what the till software says the cashier is. Of somebody who is signed
// in the id says it.
func (a acting) cashierText(said string) string {
	if a.hands.CashierID != uuid.Nil {
		return ""
	}
	return said
}

// endSessions signs out who may not work here any more, or has got another PIN.
func (t *Till) endSessions(before, after *catalogue) {
	for id, was := range before.cashiers {
		is, known := after.cashiers[id]
		if !known || !is.Active || string(is.PIN.Key) != string(was.PIN.Key) {
			t.sessions.endOf(id)
		}
	}
}

// approve takes the approval of a call that needs one, or that brings one. done gives it
// back when what it was for has failed.
func (t *Till) approve(a *acting, needed bool, op Operation, about ...string) (done func(err error), err error) {
	if a.caller.Approval == uuid.Nil {
		if needed {
			return nil, problem.Newf(problem.ApprovalNeeded, "for: %s", op)
		}
		return func(error) {}, nil
	}
	given, err := t.approvals.take(a.caller.Approval, a.caller.Session, op, about)
	if err != nil {
		return nil, err
	}
	a.hands.Approver = given.manager.ID
	return func(err error) {
		if err != nil {
			t.approvals.giveBack(given)
		}
	}, nil
}

// Approve makes a manager's approval of one thing. It is for one use.
func (t *Till) Approve(ctx context.Context, n NewApproval) (Approval, error) {
	end, err := t.begin()
	if err != nil {
		return Approval{}, err
	}
	defer end()
	a, err := t.act(n.Caller)
	if err != nil {
		return Approval{}, err
	}
	about, err := t.about(n)
	if err != nil {
		return Approval{}, err
	}
	manager, known := t.catalogue.Load().cashiers[n.Manager]
	if known && !isManager(manager) {
		return Approval{}, problem.New(problem.ManagerNeeded, "the cashier named is no manager")
	}
	if manager, err = t.checkPIN(ctx, n.Manager, n.PIN); err != nil {
		return Approval{}, err
	}
	out := approval{
		id: t.cfg.NewID(), session: a.caller.Session, op: n.For, about: about, manager: shownCashier(manager),
		until: t.cfg.Monotonic() + ApprovalLife,
	}
	t.approvals.keep(out)
	return Approval{ID: out.id, For: n.For, Manager: out.manager, ExpiresAt: t.presentTime().Add(ApprovalLife)}, nil
}
