package hqclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Party is who settles: a franchisee.
type Party struct {
	ID       uuid.UUID `json:"id,omitzero"`
	Code     string    `json:"code"`
	Name     string    `json:"name"`
	Currency string    `json:"currency"`
	Language string    `json:"language"`
}

// Term is what was agreed about settlement: one of these.
type Term struct {
	Assignment *Assignment    `json:"assignment,omitempty"`
	Price      *ClearingPrice `json:"price,omitempty"`
}

// Assignment gives a store to a party from a date on, YYYY-MM-DD.
type Assignment struct {
	Store uuid.UUID `json:"store"`
	Party uuid.UUID `json:"party"`
	From  string    `json:"from"`
}

// ClearingPrice is what 1,000 of a unit are worth from a date on, in minor units.
type ClearingPrice struct {
	Unit        string `json:"unit"`
	Currency    string `json:"currency"`
	From        string `json:"from"`
	PerThousand int64  `json:"per_thousand"`
}

// CreateParty adds a franchisee.
func (c *Client) CreateParty(ctx context.Context, in Party) (Party, error) {
	return write[Party](ctx, c, http.MethodPost, "/settlement/parties", in)
}

// AddTerm records what was agreed.
func (c *Client) AddTerm(ctx context.Context, in Term) error {
	_, err := write[Term](ctx, c, http.MethodPost, "/settlement/terms", in)
	return err
}
