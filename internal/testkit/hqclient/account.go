package hqclient

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// Transfer is points on their way from one account to another, or arrived.
type Transfer struct {
	ID     uuid.UUID `json:"id"`
	From   uuid.UUID `json:"from"`
	To     uuid.UUID `json:"to"`
	Unit   string    `json:"unit"`
	Amount int64     `json:"amount"`
	State  string    `json:"state"`
}

// AccountLink makes facts of one account count for another.
type AccountLink struct {
	ID      uuid.UUID  `json:"id"`
	Account uuid.UUID  `json:"account"`
	Target  uuid.UUID  `json:"target"`
	Kind    string     `json:"kind"`
	State   string     `json:"state"`
	Member  uuid.UUID  `json:"member"`
	From    time.Time  `json:"from"`
	Until   *time.Time `json:"until"`
}

// WebBasket is a basket of the web shop.
type WebBasket struct {
	Store    uuid.UUID `json:"store"`
	Member   uuid.UUID `json:"member"`
	Currency string    `json:"currency"`
	Total    int64     `json:"total"`
	Redeem   []WebWish `json:"redeem,omitempty"`
}

// WebWish is a reward bought with points.
type WebWish struct {
	Reward uuid.UUID `json:"reward"`
}

// WebSale is a sale of the web shop.
type WebSale struct {
	ID       uuid.UUID `json:"id"`
	Terminal uuid.UUID `json:"terminal"`
	Epoch    int64     `json:"epoch"`
	Seq      int64     `json:"seq"`
	Voided   bool      `json:"voided"`
	Total    int64     `json:"total"`
	ToPay    int64     `json:"to_pay"`
}

// Transfer gives points of one member to another.
func (c *Client) Transfer(ctx context.Context, from, to uuid.UUID, unit string, amount int64) (Transfer, error) {
	in := map[string]any{"to": to, "unit": unit, "amount": amount, "reason": "goodwill"}
	return write[Transfer](ctx, c, http.MethodPost, "/members/"+from.String()+"/transfers", in)
}

// TransferState reads one transfer.
func (c *Client) TransferState(ctx context.Context, id uuid.UUID) (Transfer, error) {
	return read[Transfer](ctx, c, "/transfers/"+id.String())
}

// Merge makes a duplicate card use another member's account.
func (c *Client) Merge(ctx context.Context, member, into uuid.UUID) (AccountLink, error) {
	in := map[string]any{"into": into, "reason": "correction"}
	return write[AccountLink](ctx, c, http.MethodPost, "/members/"+member.String()+"/merge", in)
}

// Link reads one link.
func (c *Client) Link(ctx context.Context, id uuid.UUID) (AccountLink, error) {
	return read[AccountLink](ctx, c, "/account-links/"+id.String())
}

// EndLink undoes a merge or leaves a household.
func (c *Client) EndLink(ctx context.Context, id uuid.UUID) (AccountLink, error) {
	return write[AccountLink](ctx, c, http.MethodPost, "/account-links/"+id.String()+"/end", map[string]any{"reason": "correction"})
}

// WebSell sells a basket in the web shop.
func (c *Client) WebSell(ctx context.Context, basket WebBasket) (WebSale, error) {
	return write[WebSale](ctx, c, http.MethodPost, "/sales", map[string]any{"basket": basket})
}

// WebVoid undoes a sale of the web shop.
func (c *Client) WebVoid(ctx context.Context, sale uuid.UUID) (WebSale, error) {
	return write[WebSale](ctx, c, http.MethodPost, "/sales/"+sale.String()+"/void", nil)
}

// ApplePass gives a member a pass for their phone and downloads it.
func (c *Client) ApplePass(ctx context.Context, member uuid.UUID) ([]byte, error) {
	type issued struct {
		Download string `json:"download"`
	}
	pass, err := write[issued](ctx, c, http.MethodPost, "/members/"+member.String()+"/passes", map[string]string{"channel": "apple"})
	if err != nil {
		return nil, err
	}
	var raw []byte
	err = c.Do(ctx, rest.Call{Method: http.MethodGet, Path: pass.Download, Out: &raw})
	return raw, err
}

// AdjustmentRow changes one member's points.
type AdjustmentRow struct {
	Member uuid.UUID `json:"member"`
	Unit   string    `json:"unit"`
	Amount int64     `json:"amount"`
}

// AdjustmentList is a list of adjustments and how far it is.
type AdjustmentList struct {
	ID      uuid.UUID `json:"id"`
	State   string    `json:"state"`
	Rows    int       `json:"rows"`
	Done    int       `json:"done"`
	Refused int       `json:"refused"`
}

// AdjustAll has HQ book up to 10,000 rows. It returns when HQ has promised to.
func (c *Client) AdjustAll(ctx context.Context, rows []AdjustmentRow) (AdjustmentList, error) {
	in := map[string]any{"reason": "goodwill", "rows": rows}
	l, err := write[AdjustmentList](ctx, c, http.MethodPost, "/adjustment-lists", in)
	if err != nil {
		return l, err
	}
	return write[AdjustmentList](ctx, c, http.MethodPost, "/adjustment-lists/"+l.ID.String()+"/commit", map[string]any{})
}

// AdjustmentList reads how far a list is.
func (c *Client) AdjustmentList(ctx context.Context, id uuid.UUID) (AdjustmentList, error) {
	return read[AdjustmentList](ctx, c, "/adjustment-lists/"+id.String())
}
