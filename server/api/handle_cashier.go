package api

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// CreateCashier implements StrictServerInterface.
func (h handlers) CreateCashier(ctx context.Context, r CreateCashierRequestObject) (CreateCashierResponseObject, error) {
	c, err := h.o.Cashiers.Add(ctx, callerOf(ctx).person.ID, cashier.New{
		Store: r.ID, Name: r.Body.Name, Role: readRole(r.Body.Role), PIN: r.Body.Pin,
	})
	return CreateCashier201JSONResponse(showCashier(c)), err
}

// ListCashiers implements StrictServerInterface.
func (h handlers) ListCashiers(ctx context.Context, r ListCashiersRequestObject) (ListCashiersResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]cashier.Cashier, error) {
		return h.o.Cashiers.List(ctx, r.ID, after, limit)
	}, func(c cashier.Cashier) uuid.UUID { return c.ID }, showCashier)
	return ListCashiers200JSONResponse{Items: items, Next: next}, err
}

// GetCashier implements StrictServerInterface.
func (h handlers) GetCashier(ctx context.Context, r GetCashierRequestObject) (GetCashierResponseObject, error) {
	c, err := h.o.Cashiers.Cashier(ctx, r.ID, r.Cashier)
	return GetCashier200JSONResponse(showCashier(c)), err
}

// ChangeCashier implements StrictServerInterface.
func (h handlers) ChangeCashier(ctx context.Context, r ChangeCashierRequestObject) (ChangeCashierResponseObject, error) {
	change := cashier.Change{Name: r.Body.Name, PIN: r.Body.Pin, Active: r.Body.Active}
	if r.Body.Role != nil {
		role := readRole(*r.Body.Role)
		change.Role = &role
	}
	c, err := h.o.Cashiers.Change(ctx, callerOf(ctx).person.ID, r.ID, r.Cashier, change)
	return ChangeCashier200JSONResponse(showCashier(c)), err
}

// GetTillRules implements StrictServerInterface.
func (h handlers) GetTillRules(ctx context.Context, r GetTillRulesRequestObject) (GetTillRulesResponseObject, error) {
	rules, err := h.o.Cashiers.TillRules(ctx, r.ID)
	return GetTillRules200JSONResponse(showTillRules(rules)), err
}

// PutTillRules implements StrictServerInterface.
func (h handlers) PutTillRules(ctx context.Context, r PutTillRulesRequestObject) (PutTillRulesResponseObject, error) {
	b := r.Body
	ends, err := loyalty.ReadDayEnds(cmp.Or(valueOf(b.DayEndsAt), "00:00"))
	if err != nil {
		return nil, &problem.Error{
			Code: problem.InvalidField, Detail: "the rules cannot be set",
			Fields: map[string]string{"/day_ends_at": "must be HH:MM after midnight, or -HH:MM before it, at most 12 hours"},
		}
	}
	rules, err := h.o.Cashiers.PutTillRules(ctx, callerOf(ctx).person.ID, r.ID, loyalty.TillRules{
		SignIn: valueOf(b.SignIn), IdleSeconds: valueOf(b.IdleSeconds), VoidOver: b.VoidOver, ReturnOver: b.ReturnOver,
		ReceiptNeeded: valueOf(b.ReceiptRequired), DayEnds: ends,
	})
	return PutTillRules200JSONResponse(showTillRules(rules)), err
}

// readRole is zero, which is refused, for a word that is no role.
func readRole(r CashierRole) wire.CashierRole {
	for _, role := range []wire.CashierRole{wire.RoleCashier, wire.RoleManager} {
		if string(r) == role.String() {
			return role
		}
	}
	return 0
}

func showCashier(c cashier.Cashier) Cashier {
	return Cashier{
		ID: c.ID, Store: c.Store, Name: c.Name, Role: CashierRole(c.Role.String()), Active: c.Active,
		CreatedAt: c.CreatedAt, PinSetAt: c.PINSetAt,
	}
}

func showTillRules(r loyalty.TillRules) TillRules {
	return TillRules{
		Version: int64(r.Version), SignIn: r.SignIn, IdleSeconds: r.Idle(), VoidOver: r.VoidOver, ReturnOver: r.ReturnOver,
		ReceiptRequired: r.ReceiptNeeded, DayEndsAt: r.DayEndsText(),
	}
}

// nameHands names who did what an entry says, and who approved.
func (h handlers) nameHands(ctx context.Context, e ledger.Entry, into *EntryDetail) error {
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return nil // nobody can be read out of it
	}
	hands, err := entry.DecodeBody[entry.Hands](env)
	if err != nil {
		return nil
	}
	if into.DoneBy, err = h.cashierName(ctx, e.Store, hands.CashierID); err != nil {
		return err
	}
	into.ApprovedBy, err = h.cashierName(ctx, e.Store, hands.Approver)
	return err
}

// cashierName is nil for nobody.
func (h handlers) cashierName(ctx context.Context, store, id uuid.UUID) (*CashierName, error) {
	if id == uuid.Nil {
		return nil, nil
	}
	c, err := h.o.Cashiers.Cashier(ctx, store, id)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return nil, err
	}
	return &CashierName{ID: id, Name: unlessEmpty(c.Name)}, nil
}
