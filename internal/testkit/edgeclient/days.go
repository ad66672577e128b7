package edgeclient

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// Day is the open business date.
type Day struct {
	BusinessDate string    `json:"business_date"`
	Today        string    `json:"today"`
	Closable     bool      `json:"closable"`
	EndsAt       time.Time `json:"ends_at"`
	Figures      Figures   `json:"figures"`
}

// DayClose is a closed business date.
type DayClose struct {
	BusinessDate string  `json:"business_date"`
	Seq          uint64  `json:"seq"`
	Hash         string  `json:"hash"`
	Reason       string  `json:"reason"`
	Figures      Figures `json:"figures"`
}

// Figures are what the entries of a day add up to.
type Figures struct {
	FirstSeq uint64      `json:"first_seq"`
	LastSeq  uint64      `json:"last_seq"`
	Kinds    []DayKind   `json:"kinds"`
	Money    []DayMoney  `json:"money"`
	Amounts  []DayAmount `json:"amounts"`
}

// DayKind counts entries of a kind.
type DayKind struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

// DayMoney sums money of a kind, in minor units.
type DayMoney struct {
	Kind     string `json:"kind"`
	Count    uint64 `json:"count"`
	Total    int64  `json:"total"`
	Discount int64  `json:"discount"`
	Net      int64  `json:"net"`
}

// DayAmount sums a unit by kind, flow and basis.
type DayAmount struct {
	Kind   string `json:"kind"`
	Flow   string `json:"flow"`
	Unit   string `json:"unit"`
	Basis  string `json:"basis"`
	Count  uint64 `json:"count"`
	Amount int64  `json:"amount"`
}

// Day reads the open business date.
func (c *Client) Day(ctx context.Context) (Day, error) {
	var out Day
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/day", Out: &out})
	return out, err
}

// CloseDay closes the open business date.
func (c *Client) CloseDay(ctx context.Context, key string) (DayClose, error) {
	var out DayClose
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/day/close", Key: key, In: map[string]string{"cashier": "7"}, Out: &out})
	return out, err
}

// Days lists closed days, newest first.
func (c *Client) Days(ctx context.Context) ([]DayClose, error) {
	var out struct {
		Days []DayClose `json:"days"`
	}
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/days", Out: &out})
	return out.Days, err
}

// SalesOf lists the sales of a business date, newest first.
func (c *Client) SalesOf(ctx context.Context, date string) ([]Sale, error) {
	var out struct {
		Sales []Sale `json:"sales"`
	}
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/sales", Query: url.Values{"business_date": {date}}, Out: &out})
	return out.Sales, err
}
