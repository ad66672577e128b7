package edgeclient

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// Person is a cashier or manager.
type Person struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	Role string    `json:"role"`
}

// Roster is who may sign in.
type Roster struct {
	Cashiers []Person `json:"cashiers"`
	SignIn   bool     `json:"sign_in_required"`
}

// Session is a cashier who is signed in.
type Session struct {
	Session  uuid.UUID `json:"session"`
	Cashier  Person    `json:"cashier"`
	EndsAt   time.Time `json:"ends_at"`
	Training bool      `json:"training"`
}

// RegisterStep is what the cashier takes off at a register.
type RegisterStep struct {
	Name   string `json:"name"`
	Amount int64  `json:"amount"`
	Key    string `json:"key"`
	Coupon string `json:"coupon"`
}

// Cashiers asks who may sign in.
func (c *Client) Cashiers(ctx context.Context) (Roster, error) {
	var out Roster
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/cashiers", Out: &out})
	return out, err
}

// SignIn signs a cashier in.
func (c *Client) SignIn(ctx context.Context, cashier uuid.UUID, pin string, training bool) (Session, error) {
	var out Session
	in := map[string]any{"cashier": cashier, "pin": pin, "training": training}
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/sign-in", In: in, Out: &out})
	return out, err
}

// As returns a client whose calls are those of a session.
func (c *Client) As(s Session) *Client {
	caller := *c.Caller
	caller.Headers = map[string]string{"Tallystick-Session": s.Session.String()}
	return &Client{&caller}
}

// Approve has a manager approve what the other members of in say; it returns the id.
func (c *Client) Approve(ctx context.Context, manager uuid.UUID, pin string, in map[string]any) (uuid.UUID, error) {
	in["manager"], in["pin"] = manager, pin
	var out struct {
		ID uuid.UUID `json:"id"`
	}
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/approvals", In: in, Out: &out})
	return out.ID, err
}

// VoidApproved undoes a sale with an approval.
func (c *Client) VoidApproved(ctx context.Context, key string, sale, approval uuid.UUID) (Void, error) {
	var out Void
	in := map[string]uuid.UUID{"approval": approval}
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/sales/" + sale.String() + "/void", Key: key, In: in, Out: &out})
	return out, err
}
