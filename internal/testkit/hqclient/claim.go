package hqclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Claim is a receipt as HQ knows it.
type Claim struct {
	ID     uuid.UUID `json:"id"`
	State  string    `json:"state"`
	Member uuid.UUID `json:"member"`
}

// ClaimReceipt gives a member what a sale without a card earned, by its code.
func (c *Client) ClaimReceipt(ctx context.Context, member uuid.UUID, code string) (Claim, error) {
	return write[Claim](ctx, c, http.MethodPost, "/claims", map[string]any{"member": member, "code": code})
}
