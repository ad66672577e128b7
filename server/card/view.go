package card

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
)

const (
	// mostShown bounds each list on a card.
	mostShown = 100
	// MaxStores bounds the list of stores.
	MaxStores = 1000
	pageSize  = 200
)

// View is all that a card shows, as HQ knew it at AsOf.
type View struct {
	Member   programme.Member
	Holder   Holder
	Consents []Consent // the last of each purpose
	Code     programme.Code
	Units    []ledger.Units
	Rewards  []programme.Reward
	Vouchers []programme.Voucher
	Tiers    tier.Ladder // the tiers there are, and where the member stands
	Standing loyalty.Standing
	AsOf     time.Time
}

// View returns a member's card.
func (c *Cards) View(ctx context.Context, member uuid.UUID) (View, error) {
	v := View{AsOf: c.now()}
	var err error
	if v.Holder, err = c.env.Store.Holder(ctx, member); err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	if v.Member, err = c.env.Programme.Member(ctx, member); err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	if !v.Member.Blocked {
		if v.Code, err = c.env.Programme.Code(ctx, member); err != nil {
			return View{}, fmt.Errorf("show card: %w", err)
		}
	}
	account, err := c.env.Ledger.Account(ctx, v.Member.Account)
	if err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	v.Units = account.Units(v.AsOf)
	if v.Tiers, v.Standing, err = c.env.Tiers.Of(ctx, v.Member.Account); err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	all, err := c.env.Store.Consents(ctx, member)
	if err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	given := Given(all)
	for _, p := range Purposes() {
		v.Consents = append(v.Consents, cmp.Or(given[p], Consent{Purpose: p}))
	}
	if v.Rewards, err = c.rewards(ctx, v.AsOf); err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	if v.Vouchers, err = c.env.Programme.Vouchers(ctx, member, uuid.Nil, mostShown); err != nil {
		return View{}, fmt.Errorf("show card: %w", err)
	}
	return v, nil
}

// rewards are those that can be had for points now, the cheapest first.
func (c *Cards) rewards(ctx context.Context, now time.Time) ([]programme.Reward, error) {
	var out []programme.Reward
	var after uuid.UUID
	for {
		page, err := c.env.Programme.Rewards(ctx, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.OnSale(now) {
				out = append(out, r)
			}
			after = r.ID
		}
		if len(page) < pageSize {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b programme.Reward) int { return cmp.Compare(a.Cost, b.Cost) })
	return out[:min(len(out), mostShown)], nil
}

// History returns what changed a member's account, newest first.
func (c *Cards) History(ctx context.Context, member uuid.UUID, cursor string, limit int) ([]ledger.Posting, string, error) {
	m, err := c.env.Programme.Member(ctx, member)
	if err != nil {
		return nil, "", fmt.Errorf("show history: %w", err)
	}
	return c.env.Ledger.History(ctx, m.Account, cursor, limit)
}

// Stores lists the stores, MaxStores at most.
func (c *Cards) Stores(ctx context.Context) ([]fleet.Store, error) {
	var out []fleet.Store
	var after uuid.UUID
	for len(out) < MaxStores {
		page, err := c.env.Stores.Stores(ctx, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list stores: %w", err)
		}
		out = append(out, page...)
		if len(page) < pageSize {
			break
		}
		after = page[len(page)-1].ID
	}
	return out, nil
}

// Claim takes the code of a receipt for a member.
func (c *Cards) Claim(ctx context.Context, member uuid.UUID, code string) (claim.Row, error) {
	return c.env.Claims.ByHand(ctx, member, member, code)
}

// Everything is all that HQ keeps about a shopper, for them to take away.
type Everything struct {
	View     View
	Consents []Consent // each, oldest first
	History  []ledger.Posting
	Whole    bool // History is whole
}

// mostExported bounds the history in an export.
const mostExported = 10_000

// Export returns it.
func (c *Cards) Export(ctx context.Context, member uuid.UUID) (Everything, error) {
	view, err := c.View(ctx, member)
	if err != nil {
		return Everything{}, err
	}
	out := Everything{View: view}
	if out.Consents, err = c.env.Store.Consents(ctx, member); err != nil {
		return Everything{}, fmt.Errorf("export card: %w", err)
	}
	cursor := ""
	for len(out.History) < mostExported {
		page, next, err := c.env.Ledger.History(ctx, view.Member.Account, cursor, pageSize)
		if err != nil {
			return Everything{}, fmt.Errorf("export card: %w", err)
		}
		out.History = append(out.History, page...)
		if cursor = next; next == "" {
			out.Whole = true
			break
		}
	}
	return out, nil
}
