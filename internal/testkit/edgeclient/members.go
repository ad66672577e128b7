package edgeclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// EnrolledMember is a shopper whom the terminal made a member.
type EnrolledMember struct {
	ID      uuid.UUID `json:"id"`
	Account uuid.UUID `json:"account"`
	Seq     uint64    `json:"seq"`
	Code    string    `json:"code"`
	CodeSVG string    `json:"code_svg"`
	CodePNG []byte    `json:"code_png"`
}

// ReceiptClaim is what a receipt without a card says.
type ReceiptClaim struct {
	Code      string   `json:"code"`
	ExpiresOn string   `json:"expires_on"`
	Worth     []Earned `json:"worth"`
}

// ClaimedReceipt is a receipt that was shown with a member's code.
type ClaimedReceipt struct {
	ID      uuid.UUID `json:"id"`
	Member  uuid.UUID `json:"member"`
	Matched bool      `json:"matched"`
}

// Claim shows a receipt's code and a member's, under an idempotency key.
func (c *Client) Claim(ctx context.Context, key, receipt, code string) (ClaimedReceipt, error) {
	var out ClaimedReceipt
	in := map[string]string{"receipt_code": receipt, "code": code}
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/claims", Key: key, In: in, Out: &out})
	return out, err
}

// Enrol makes a shopper a member, under an idempotency key.
func (c *Client) Enrol(ctx context.Context, key string) (EnrolledMember, error) {
	var out EnrolledMember
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/members", Key: key, In: struct{}{}, Out: &out})
	return out, err
}
