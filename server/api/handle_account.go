package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// GetMemberAccount implements StrictServerInterface.
func (h handlers) GetMemberAccount(ctx context.Context, r GetMemberAccountRequestObject) (GetMemberAccountResponseObject, error) {
	v, err := h.o.Accounts.View(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return GetMemberAccount200JSONResponse{
		Member: r.ID, Account: v.Account, Links: showAll(v.Links, showLink),
		Holdings: showAll(v.Holdings, func(h loyalty.Holding) HoldingDetail { return showHolding(h, v.Source) }),
	}, nil
}

// GetMemberBalances implements StrictServerInterface.
func (h handlers) GetMemberBalances(ctx context.Context, r GetMemberBalancesRequestObject) (GetMemberBalancesResponseObject, error) {
	known := r.Params.AsKnown != nil
	if known == (r.Params.AsOf != nil) {
		return nil, badParameter("as_of", "give either as_of or as_known")
	}
	when := r.Params.AsOf
	if known {
		when = r.Params.AsKnown
	}
	id, holdings, err := h.o.Accounts.At(ctx, r.ID, when.UnixMilli(), known)
	return GetMemberBalances200JSONResponse{
		Account: id, AsOf: r.Params.AsOf, AsKnown: r.Params.AsKnown, Balances: showAll(holdings, showBalance),
	}, err
}

// CreateTransfer implements StrictServerInterface.
func (h handlers) CreateTransfer(ctx context.Context, r CreateTransferRequestObject) (CreateTransferResponseObject, error) {
	m, err := h.o.Accounts.Give(ctx, callerOf(ctx).person.ID, account.Gift{
		From: r.ID, To: r.Body.To, Unit: r.Body.Unit, Amount: r.Body.Amount, Reason: uint8(reasons[r.Body.Reason]),
	})
	if err != nil {
		return nil, err
	}
	return CreateTransfer201JSONResponse(showTransfer(m)), nil
}

// GetTransfer implements StrictServerInterface.
func (h handlers) GetTransfer(ctx context.Context, r GetTransferRequestObject) (GetTransferResponseObject, error) {
	m, err := h.o.Accounts.Move(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return GetTransfer200JSONResponse(showTransfer(m)), nil
}

// MergeMember implements StrictServerInterface.
func (h handlers) MergeMember(ctx context.Context, r MergeMemberRequestObject) (MergeMemberResponseObject, error) {
	l, err := h.o.Accounts.Merge(ctx, callerOf(ctx).person.ID, r.ID, r.Body.Into, uint8(reasons[r.Body.Reason]))
	return MergeMember201JSONResponse(showLink(l)), err
}

// CreateHousehold implements StrictServerInterface.
func (h handlers) CreateHousehold(ctx context.Context, r CreateHouseholdRequestObject) (CreateHouseholdResponseObject, error) {
	id, links, err := h.o.Accounts.OpenHousehold(ctx, callerOf(ctx).person.ID, r.Body.Members, uint8(reasons[r.Body.Reason]))
	return CreateHousehold201JSONResponse{ID: id, Links: showAll(links, showLink), Shares: []Share{}}, err
}

// GetHousehold implements StrictServerInterface.
func (h handlers) GetHousehold(ctx context.Context, r GetHouseholdRequestObject) (GetHouseholdResponseObject, error) {
	links, err := h.o.Accounts.Links(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return nil, notFound("household")
	}
	shares, err := h.o.Accounts.Shares(ctx, r.ID)
	return GetHousehold200JSONResponse{ID: r.ID, Links: showAll(links, showLink), Shares: showAll(shares, showShare)}, err
}

// JoinHousehold implements StrictServerInterface.
func (h handlers) JoinHousehold(ctx context.Context, r JoinHouseholdRequestObject) (JoinHouseholdResponseObject, error) {
	l, err := h.o.Accounts.JoinHousehold(ctx, callerOf(ctx).person.ID, r.ID, r.Body.Member, uint8(reasons[r.Body.Reason]))
	return JoinHousehold201JSONResponse(showLink(l)), err
}

// GetAccountLink implements StrictServerInterface.
func (h handlers) GetAccountLink(ctx context.Context, r GetAccountLinkRequestObject) (GetAccountLinkResponseObject, error) {
	l, err := h.o.Accounts.Link(ctx, r.ID)
	return GetAccountLink200JSONResponse(showLink(l)), err
}

// EndAccountLink implements StrictServerInterface.
func (h handlers) EndAccountLink(ctx context.Context, r EndAccountLinkRequestObject) (EndAccountLinkResponseObject, error) {
	l, err := h.o.Accounts.End(ctx, callerOf(ctx).person.ID, r.ID, uint8(reasons[r.Body.Reason]))
	return EndAccountLink200JSONResponse(showLink(l)), err
}

func showHolding(h loyalty.Holding, source map[loyalty.ID]journal.Hash) HoldingDetail {
	out := HoldingDetail{
		Unit: h.Unit, Balance: h.Balance(), Free: h.Free, Allowance: h.Allowance, Pending: h.Pending, Overdraft: h.Overdraft,
		Lots: []Lot{},
	}
	if expiry, amount := account.NextExpiry(h); amount > 0 {
		out.NextExpiry = &NextExpiry{At: at(expiry), Amount: amount}
	}
	for _, l := range h.Lots {
		if l.Left == 0 {
			continue
		}
		out.Lots = append(out.Lots, Lot{
			Amount: l.Amount, Left: l.Left, Pending: l.Pending, EarnedAt: at(l.EarnedAt), VestsAt: fromMillis(l.VestsAt),
			ExpiresAt: fromMillis(l.ExpiresAt), Entry: source[l.ID].String(),
		})
	}
	return out
}

func showBalance(h loyalty.Holding) UnitBalance {
	return UnitBalance{
		Unit: h.Unit, Free: h.Free, Allowance: h.Allowance, Pending: h.Pending, Overdraft: h.Overdraft, Balance: h.Balance(),
	}
}

func showTransfer(m account.Move) Transfer {
	out := Transfer{
		ID: m.Leg.ID, From: m.Leg.Account, To: m.Leg.Other, Reason: wordOf(m.Leg.Reason), State: Moving, CreatedAt: m.CreatedAt,
	}
	if m.Arrived {
		out.State = Arrived
	}
	for _, u := range m.Leg.Units {
		out.Unit = u.Unit
		for _, lot := range u.Lots {
			out.Amount += lot.Amount
		}
	}
	return out
}

func showLink(l account.Link) AccountLink {
	return AccountLink{
		ID: l.ID, Account: l.Account, Target: l.Target, Kind: LinkKind(l.Kind.String()), State: LinkState(l.State.String()),
		Member: l.Member, Reason: wordOf(l.Reason), From: at(l.From), Until: fromMillis(l.Until),
	}
}

func showShare(s account.Share) Share {
	return Share{
		Member: unlessEmpty(s.Member), Unit: s.Unit, Earned: s.Earned, Spent: s.Spent, Brought: s.Brought, Expired: s.Expired, Net: s.Net(),
	}
}

// wordOf is the document's word for a reason of the journal.
func wordOf(reason uint8) AdjustmentReason {
	for word, number := range reasons {
		if uint8(number) == reason {
			return word
		}
	}
	return ""
}

// lines shows postings of an account, each with where its entry stands.
func (h handlers) lines(ctx context.Context, of uuid.UUID, postings []ledger.Posting) ([]Posting, error) {
	found, err := h.o.Accounts.Sources(ctx, of, postings)
	if err != nil {
		return nil, err
	}
	return showAll(postings, func(p ledger.Posting) Posting {
		shown := showPosting(p)
		if s, ok := found[p.Source]; ok {
			shown.Source = &EntryPlace{Writer: s.Writer, Epoch: int64(s.Epoch), Seq: int64(s.Seq), Kind: s.Kind.String()}
		}
		return shown
	}), nil
}
