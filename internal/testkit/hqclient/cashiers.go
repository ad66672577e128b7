package hqclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Cashier is somebody who works at a store's tills. PIN is only sent.
type Cashier struct {
	ID   uuid.UUID `json:"id,omitzero"`
	Name string    `json:"name"`
	Role string    `json:"role"`
	PIN  string    `json:"pin,omitempty"`
}

// TillRules is how the tills of a store work.
type TillRules struct {
	SignIn          bool   `json:"sign_in,omitempty"`
	VoidOver        *int64 `json:"void_over,omitempty"`
	ReturnOver      *int64 `json:"return_over,omitempty"`
	ReceiptRequired bool   `json:"receipt_required,omitempty"`
	DayEndsAt       string `json:"day_ends_at,omitempty"`
}

// AddCashier adds somebody to a store.
func (c *Client) AddCashier(ctx context.Context, store uuid.UUID, in Cashier) (Cashier, error) {
	return write[Cashier](ctx, c, http.MethodPost, "/stores/"+store.String()+"/cashiers", in)
}

// PutTillRules sets how the tills of a store work.
func (c *Client) PutTillRules(ctx context.Context, store uuid.UUID, in TillRules) error {
	_, err := write[struct{}](ctx, c, http.MethodPut, "/stores/"+store.String()+"/till-rules", in)
	return err
}
