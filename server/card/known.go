package card

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
)

// Known is what a shopper told about themselves, for those who help them. Consents are
// all there were, oldest first.
type Known struct {
	Holder   Holder
	Consents []Consent
}

// Known returns it; a member without a web card is problem.NotFound.
func (c *Cards) Known(ctx context.Context, member uuid.UUID) (Known, error) {
	var out Known
	var err error
	if out.Holder, err = c.env.Store.Holder(ctx, member); err != nil {
		return Known{}, fmt.Errorf("find holder: %w", err)
	}
	if out.Consents, err = c.env.Store.Consents(ctx, member); err != nil {
		return Known{}, fmt.Errorf("read consents: %w", err)
	}
	return out, nil
}

// Found is a member who gave an address.
type Found struct {
	Member programme.Member
	State  EmailState
}

// mostFound bounds who is found by one address: it may have been given by many before
// one of them confirmed it.
const mostFound = 20

// Find returns who gave an address, as it is kept: the one who confirmed it first, then
// the others, the newest first. What is no address is problem.InvalidField.
func (c *Cards) Find(ctx context.Context, email string) ([]Found, error) {
	folded, ok := foldEmail(email)
	if !ok {
		return nil, &problem.Error{Code: problem.InvalidField, Detail: "nobody can be found by this", Fields: map[string]string{"/email": "is not an e-mail address"}}
	}
	holders, err := c.env.Store.HoldersByEmail(ctx, folded, mostFound)
	if err != nil {
		return nil, fmt.Errorf("find by address: %w", err)
	}
	out := make([]Found, len(holders))
	for i, h := range holders {
		if out[i].Member, err = c.env.Programme.Member(ctx, h.Member); err != nil {
			return nil, fmt.Errorf("find by address: %w", err)
		}
		out[i].State = h.State
	}
	return out, nil
}
