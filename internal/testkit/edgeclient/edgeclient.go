package edgeclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// Client calls one agent. It is safe for concurrent use.
type Client struct{ *rest.Caller }

// New returns a client for the agent at base, with its bearer token.
func New(base, token string) *Client { return &Client{rest.New(base, token)} }

// ReadToken reads the token that enrolment left in the agent's data directory.
func ReadToken(data string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(data, "token"))
	if err != nil {
		return "", fmt.Errorf("read agent's token: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// Scan asks what a code is worth.
func (c *Client) Scan(ctx context.Context, code string) (Scan, error) {
	var out Scan
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/scan", In: map[string]string{"code": code}, Out: &out})
	return out, err
}

// Quote asks what a sale would do.
func (c *Client) Quote(ctx context.Context, in QuoteRequest) (Quote, error) {
	var out Quote
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/quotes", In: in, Out: &out})
	return out, err
}

// Commit makes a quote a sale, under an idempotency key.
func (c *Client) Commit(ctx context.Context, key string, in SaleRequest) (Sale, error) {
	var out Sale
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/sales", Key: key, In: in, Out: &out})
	return out, err
}

// Sell quotes and commits. The receipt number is the key as well.
func (c *Client) Sell(ctx context.Context, receipt string, in QuoteRequest) (Sale, error) {
	quote, err := c.Quote(ctx, in)
	if err != nil {
		return Sale{}, err
	}
	return c.Commit(ctx, receipt, SaleRequest{Quote: quote.ID, Receipt: receipt, Cashier: "7"})
}

// Sale reads one sale.
func (c *Client) Sale(ctx context.Context, id uuid.UUID) (Sale, error) {
	var out Sale
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/sales/" + id.String(), Out: &out})
	return out, err
}

// Find returns the sales with a receipt number, newest first.
func (c *Client) Find(ctx context.Context, receipt string) ([]Sale, error) {
	var out struct {
		Sales []Sale `json:"sales"`
	}
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/sales", Query: url.Values{"pos_receipt": {receipt}}, Out: &out})
	return out.Sales, err
}

// Void undoes a sale.
func (c *Client) Void(ctx context.Context, key string, sale uuid.UUID) (Void, error) {
	var out Void
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/sales/" + sale.String() + "/void", Key: key, In: struct{}{}, Out: &out})
	return out, err
}

// VoidByKey undoes the sale that was sent under saleKey and whose answer was lost.
func (c *Client) VoidByKey(ctx context.Context, key, saleKey string) (Void, error) {
	var out Void
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/voids", Key: key, In: map[string]string{"sale_key": saleKey}, Out: &out})
	return out, err
}

// Return takes goods back.
func (c *Client) Return(ctx context.Context, key string, in ReturnRequest) (Return, error) {
	var out Return
	err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: "/v1/returns", Key: key, In: in, Out: &out})
	return out, err
}

// Status asks how the terminal stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var out Status
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/v1/status", Out: &out})
	return out, err
}
