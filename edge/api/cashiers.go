package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Desk is the part of till.Till that knows who stands at it.
type Desk interface {
	Cashiers() (till.Roster, error)
	Cashier(id uuid.UUID) till.Cashier
	SignIn(ctx context.Context, s till.SignIn) (till.Session, error)
	SignOut(session uuid.UUID)
	Session(session uuid.UUID) (till.Session, error)
	Allow(c till.Caller) error
	Approve(ctx context.Context, n till.NewApproval) (till.Approval, error)
	Reward(id uuid.UUID) (loyalty.Reward, bool)
}

func (h handlers) ListCashiers(context.Context, ListCashiersRequestObject) (ListCashiersResponseObject, error) {
	roster, err := h.cfg.Till.Cashiers()
	if err != nil {
		return nil, err
	}
	out := ListCashiers200JSONResponse{Cashiers: []Cashier{}, SignInRequired: roster.SignIn, IdleSeconds: int64(roster.Idle.Seconds())}
	for _, c := range roster.Cashiers {
		out.Cashiers = append(out.Cashiers, cashierOf(c))
	}
	return out, nil
}

func (h handlers) SignIn(ctx context.Context, r SignInRequestObject) (SignInResponseObject, error) {
	who := standingOf(ctx)
	s, err := h.cfg.Till.SignIn(ctx, till.SignIn{Cashier: r.Body.Cashier, PIN: r.Body.Pin, Training: value(r.Body.Training), Ends: who.caller.Session})
	if err != nil {
		return nil, err
	}
	who.keep(s.ID)
	out := sessionOf(s)
	if !who.caller.Page {
		out.Session = &s.ID
	}
	return SignIn201JSONResponse(out), nil
}

func (h handlers) GetCashierSession(ctx context.Context, _ GetCashierSessionRequestObject) (GetCashierSessionResponseObject, error) {
	s, err := h.cfg.Till.Session(standingOf(ctx).caller.Session)
	if err != nil {
		return nil, err
	}
	return GetCashierSession200JSONResponse(sessionOf(s)), nil
}

func (h handlers) SignOut(ctx context.Context, _ SignOutRequestObject) (SignOutResponseObject, error) {
	who := standingOf(ctx)
	h.cfg.Till.SignOut(who.caller.Session)
	who.keep(uuid.Nil)
	return SignOut204Response{}, nil
}

func (h handlers) Approve(ctx context.Context, r ApproveRequestObject) (ApproveResponseObject, error) {
	b := r.Body
	if n := value(b.Refund); n < 0 {
		return nil, problem.New(problem.AmountInvalid, "/refund must not be negative")
	}
	a, err := h.cfg.Till.Approve(ctx, till.NewApproval{
		Caller: callerOf(ctx, nil), Manager: b.Manager, PIN: b.Pin, For: till.Operation(b.For),
		Sale: value(b.Sale), SaleReceipt: value(b.PosReceipt), Refund: value(b.Refund), Scan: value(b.Scan),
	})
	if err != nil {
		return nil, err
	}
	return Approve201JSONResponse{Id: a.ID, For: ApprovalFor(a.For), Manager: personOf(a.Manager), ExpiresAt: a.ExpiresAt.UTC()}, nil
}

func cashierOf(c till.Cashier) Cashier {
	return Cashier{Id: c.ID, Name: c.Name, Role: CashierRole(c.Role.String())}
}

func sessionOf(s till.Session) CashierSession {
	return CashierSession{Cashier: cashierOf(s.Cashier), IdleSeconds: int64(s.Idle.Seconds()), EndsAt: s.EndsAt.UTC(), Training: optional(s.Training)}
}

func personOf(c till.Cashier) Person { return Person{Id: c.ID, Name: optional(c.Name)} }

// handsOf names who did something and who approved; nil for nobody.
func (h handlers) handsOf(hands entry.Hands) (done, approved *Person) {
	return h.person(hands.CashierID), h.person(hands.Approver)
}

func (h handlers) person(id uuid.UUID) *Person {
	if id == uuid.Nil {
		return nil
	}
	return optional(personOf(h.cfg.Till.Cashier(id)))
}

// saleOf shows a sale with the names of those who made it, and what is left to do at the
// register.
func (h handlers) saleOf(f till.Found) Sale {
	out := saleOf(f)
	out.DoneBy, out.ApprovedBy = h.handsOf(f.Sale.Body.Hands)
	out.Training = optional(f.Sale.Training)
	if f.Void == nil {
		out.Register = h.registerOf(f.Sale.Body)
	}
	return out
}

// registerOf says what is taken off for each reward, in the order of the sale.
func (h handlers) registerOf(sale entry.Sale) *[]RegisterStep {
	var steps []RegisterStep
	at := map[uuid.UUID]int{}
	for _, r := range sale.Redeemed {
		if r.Discount == 0 {
			continue
		}
		n, seen := at[r.Reward]
		if !seen {
			n, at[r.Reward] = len(steps), len(steps)
			reward, _ := h.cfg.Till.Reward(r.Reward)
			steps = append(steps, RegisterStep{
				Reward: r.Reward, Name: reward.Name, Currency: sale.Total.Currency,
				Key: optional(reward.RegisterKey), Coupon: optional(reward.CouponCode),
			})
		}
		steps[n].Amount += r.Discount
	}
	if steps == nil {
		return nil
	}
	return &steps
}
