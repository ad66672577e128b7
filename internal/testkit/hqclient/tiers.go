package hqclient

import (
	"context"
	"net/http"
)

// Tiers are the steps that members reach by what they earn within a period: the last Days
// days.
type Tiers struct {
	Unit   string  `json:"unit"`
	Days   int     `json:"days"`
	Zone   string  `json:"zone"`
	Levels []Level `json:"levels"`
}

// Level is one tier.
type Level struct {
	Key       string            `json:"key"`
	Names     map[string]string `json:"names"` // by language
	Threshold int64             `json:"threshold"`
	Colour    string            `json:"colour,omitempty"`
}

// PutTiers puts tiers in force.
func (c *Client) PutTiers(ctx context.Context, in Tiers) error {
	_, err := write[struct{}](ctx, c, http.MethodPut, "/programme/tiers", in)
	return err
}
