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

// Enrol makes a shopper a member, under an idempotency key.
func (c *Client) Enrol(ctx context.Context, key string) (EnrolledMember, error) {
	var out EnrolledMember
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/members", Key: key, In: struct{}{}, Out: &out})
	return out, err
}
