package hqclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// base is where HQ's API lives.
const base = "/api/v1"

// pageSize is the largest page HQ gives.
const pageSize = 200

// Client calls HQ as one signed-in person. It is safe for concurrent use once
// signed in.
type Client struct{ *rest.Caller }

// SignIn opens a session at the HQ at address ("http://host:port").
func SignIn(ctx context.Context, address, name, password string) (*Client, error) {
	c := &Client{rest.New(address, "")}
	var session struct {
		Token string `json:"token"`
	}
	in := map[string]string{"name": name, "password": password}
	if err := c.Do(ctx, rest.Call{Method: http.MethodPost, Path: base + "/sessions", In: in, Out: &session}); err != nil {
		return nil, err
	}
	c.Token = session.Token
	return c, nil
}

// write sends in with a new idempotency key.
func write[Out any](ctx context.Context, c *Client, method, path string, in any) (Out, error) {
	var out Out
	err := c.Do(ctx, rest.Call{Method: method, Path: base + path, Key: uuid.NewString(), In: in, Out: &out})
	return out, err
}

func read[Out any](ctx context.Context, c *Client, path string) (Out, error) {
	var out Out
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: base + path, Out: &out})
	return out, err
}

// list reads all pages.
func list[Item any](ctx context.Context, c *Client, path string, query url.Values) ([]Item, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(pageSize))
	var all []Item
	for {
		var page struct {
			Items []Item `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: base + path, Query: query, Out: &page}); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}

// PutRuleSet puts rules in force.
func (c *Client) PutRuleSet(ctx context.Context, in RuleSet) error {
	_, err := write[RuleSet](ctx, c, http.MethodPut, "/programme/rule-set", in)
	return err
}

// PutPolicy puts caps in force.
func (c *Client) PutPolicy(ctx context.Context, in Policy) error {
	_, err := write[Policy](ctx, c, http.MethodPut, "/programme/policy", in)
	return err
}

// CreateStore opens a store.
func (c *Client) CreateStore(ctx context.Context, in Store) (Store, error) {
	return write[Store](ctx, c, http.MethodPost, "/stores", in)
}

// CreateTerminal adds a lane and returns it with its one-time enrolment code.
func (c *Client) CreateTerminal(ctx context.Context, store uuid.UUID, name string) (Terminal, string, error) {
	type created struct {
		Terminal  Terminal `json:"terminal"`
		Enrolment struct {
			Code string `json:"code"`
		} `json:"enrolment"`
	}
	in := map[string]string{"store": store.String(), "name": name}
	out, err := write[created](ctx, c, http.MethodPost, "/terminals", in)
	return out.Terminal, out.Enrolment.Code, err
}

// EnrolmentCode makes a new code for a terminal that must enrol again.
func (c *Client) EnrolmentCode(ctx context.Context, terminal uuid.UUID) (string, error) {
	type created struct {
		Code string `json:"code"`
	}
	out, err := write[created](ctx, c, http.MethodPost, "/terminals/"+terminal.String()+"/enrolment-codes", nil)
	return out.Code, err
}

// Terminal reads one lane.
func (c *Client) Terminal(ctx context.Context, id uuid.UUID) (Terminal, error) {
	return read[Terminal](ctx, c, "/terminals/"+id.String())
}

// Revoke revokes a terminal.
func (c *Client) Revoke(ctx context.Context, id uuid.UUID) error {
	_, err := write[Terminal](ctx, c, http.MethodPost, "/terminals/"+id.String()+"/revoke", nil)
	return err
}

// CreateMembers enrols up to 1,000 members, all or none, and returns them in order.
func (c *Client) CreateMembers(ctx context.Context, in []MemberNew) ([]Member, error) {
	type batch struct {
		Members []Member `json:"members"`
	}
	out, err := write[batch](ctx, c, http.MethodPost, "/members/batch", map[string]any{"members": in})
	return out.Members, err
}

// Member reads one member with holdings and vouchers.
func (c *Client) Member(ctx context.Context, id uuid.UUID) (MemberDetail, error) {
	return read[MemberDetail](ctx, c, "/members/"+id.String())
}

// History lists every posting of a member.
func (c *Client) History(ctx context.Context, id uuid.UUID) ([]Posting, error) {
	return list[Posting](ctx, c, "/members/"+id.String()+"/history", nil)
}

// Block blocks a member.
func (c *Client) Block(ctx context.Context, id uuid.UUID) error {
	_, err := write[Member](ctx, c, http.MethodPost, "/members/"+id.String()+"/block", nil)
	return err
}

// PassText returns the text in the QR code of a member's pass.
func (c *Client) PassText(ctx context.Context, id uuid.UUID) (string, error) {
	type pass struct {
		Text string `json:"text"`
	}
	out, err := read[pass](ctx, c, "/members/"+id.String()+"/pass")
	return out.Text, err
}

// PassPNG returns the QR picture of a member's pass.
func (c *Client) PassPNG(ctx context.Context, id uuid.UUID) ([]byte, error) {
	var out []byte
	err := c.Do(ctx, rest.Call{Method: http.MethodGet, Path: base + "/members/" + id.String() + "/pass.png", Out: &out})
	return out, err
}

// Adjust changes a member's points by hand.
func (c *Client) Adjust(ctx context.Context, member uuid.UUID, in Adjustment) error {
	_, err := write[Adjustment](ctx, c, http.MethodPost, "/members/"+member.String()+"/adjustments", in)
	return err
}

// CreateReward adds to the catalogue.
func (c *Client) CreateReward(ctx context.Context, in Reward) (Reward, error) {
	return write[Reward](ctx, c, http.MethodPost, "/rewards", in)
}

// CreateVoucher issues a voucher.
func (c *Client) CreateVoucher(ctx context.Context, in VoucherNew) (Voucher, error) {
	return write[Voucher](ctx, c, http.MethodPost, "/vouchers", in)
}

// Entries lists what HQ recorded of one writer's journal.
func (c *Client) Entries(ctx context.Context, writer uuid.UUID) ([]Entry, error) {
	return list[Entry](ctx, c, "/entries", url.Values{"writer": {writer.String()}})
}

// Exceptions lists what a person must look at.
func (c *Client) Exceptions(ctx context.Context) ([]Exception, error) {
	return list[Exception](ctx, c, "/exceptions", nil)
}

// TrialBalance sums the ledger.
func (c *Client) TrialBalance(ctx context.Context) (TrialBalance, error) {
	return read[TrialBalance](ctx, c, "/ledger/trial-balance")
}

// Status asks how HQ stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return read[Status](ctx, c, "/status")
}
