package api

import (
	"bytes"
	"context"
	"strings"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// CreateMember implements StrictServerInterface.
func (h handlers) CreateMember(ctx context.Context, r CreateMemberRequestObject) (CreateMemberResponseObject, error) {
	members, err := h.o.Programme.AddMembers(ctx, callerOf(ctx).person.ID, "", []programme.NewMember{readMember(*r.Body)})
	if err != nil {
		return nil, err
	}
	return CreateMember201JSONResponse(showMember(members[0])), nil
}

// CreateMembers implements StrictServerInterface.
func (h handlers) CreateMembers(ctx context.Context, r CreateMembersRequestObject) (CreateMembersResponseObject, error) {
	members, err := h.o.Programme.AddMembers(ctx, callerOf(ctx).person.ID, "/members", showAll(r.Body.Members, readMember))
	return CreateMembers201JSONResponse{Members: showAll(members, showMember)}, err
}

// ListMembers implements StrictServerInterface.
func (h handlers) ListMembers(ctx context.Context, r ListMembersRequestObject) (ListMembersResponseObject, error) {
	if r.Params.Q != nil && len(*r.Params.Q) > 64 {
		return nil, badParameter("q", "is too long")
	}
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]programme.Member, error) {
		return h.o.Programme.Members(ctx, valueOf(r.Params.Q), after, limit)
	}, func(m programme.Member) uuid.UUID { return m.ID }, showMember)
	return ListMembers200JSONResponse{Items: items, Next: next}, err
}

// detailSize is how many vouchers and postings come with one member.
const detailSize = 50

// GetMember implements StrictServerInterface.
func (h handlers) GetMember(ctx context.Context, r GetMemberRequestObject) (GetMemberResponseObject, error) {
	m, err := h.o.Programme.Member(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	account, err := h.o.Ledger.Account(ctx, m.Account)
	if err != nil {
		return nil, err
	}
	history, _, err := h.o.Ledger.History(ctx, m.Account, "", detailSize)
	if err != nil {
		return nil, err
	}
	vouchers, err := h.o.Programme.Vouchers(ctx, m.ID, uuid.Nil, detailSize)
	if err != nil {
		return nil, err
	}
	return GetMember200JSONResponse{
		Member: showMember(m), Holdings: showHoldings(account.Holdings),
		Vouchers: showAll(vouchers, showVoucher), History: showAll(history, showPosting),
	}, nil
}

// ListMemberHistory implements StrictServerInterface.
func (h handlers) ListMemberHistory(ctx context.Context, r ListMemberHistoryRequestObject) (ListMemberHistoryResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	m, err := h.o.Programme.Member(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	history, next, err := h.o.Ledger.History(ctx, m.Account, opaque(r.Params.Cursor), size)
	if err != nil {
		return nil, err
	}
	lines, err := h.lines(ctx, m.Account, history)
	return ListMemberHistory200JSONResponse{Items: lines, Next: unlessEmpty(next)}, err
}

// BlockMember implements StrictServerInterface.
func (h handlers) BlockMember(ctx context.Context, r BlockMemberRequestObject) (BlockMemberResponseObject, error) {
	m, err := h.o.Programme.Block(ctx, callerOf(ctx).person.ID, r.ID)
	return BlockMember200JSONResponse(showMember(m)), err
}

// UnblockMember implements StrictServerInterface.
func (h handlers) UnblockMember(ctx context.Context, r UnblockMemberRequestObject) (UnblockMemberResponseObject, error) {
	m, err := h.o.Programme.Unblock(ctx, callerOf(ctx).person.ID, r.ID)
	return UnblockMember200JSONResponse(showMember(m)), err
}

// ReissuePass implements StrictServerInterface.
func (h handlers) ReissuePass(ctx context.Context, r ReissuePassRequestObject) (ReissuePassResponseObject, error) {
	m, err := h.o.Programme.Reissue(ctx, callerOf(ctx).person.ID, r.ID)
	return ReissuePass200JSONResponse(showMember(m)), err
}

// reasons maps the words of the document to the journal's numbers.
var reasons = map[AdjustmentReason]programme.Reason{
	OpeningBalance: programme.ReasonOpeningBalance, Goodwill: programme.ReasonGoodwill,
	Correction: programme.ReasonCorrection, Migration: programme.ReasonMigration,
}

// CreateAdjustment implements StrictServerInterface.
func (h handlers) CreateAdjustment(ctx context.Context, r CreateAdjustmentRequestObject) (CreateAdjustmentResponseObject, error) {
	a, err := h.o.Programme.Adjust(ctx, callerOf(ctx).person.ID, programme.Adjustment{
		Member: r.ID, Unit: r.Body.Unit, Amount: r.Body.Amount, Reason: reasons[r.Body.Reason], ExpiresAt: valueOf(r.Body.ExpiresAt),
	})
	return CreateAdjustment201JSONResponse{
		ID: a.ID, Member: a.Member, Unit: a.Unit, Amount: a.Amount, Reason: r.Body.Reason, ExpiresAt: unlessEmpty(a.ExpiresAt),
	}, err
}

// GetPass implements StrictServerInterface.
func (h handlers) GetPass(ctx context.Context, r GetPassRequestObject) (GetPassResponseObject, error) {
	pass, err := h.pass(ctx, r.ID, r.Params.Form)
	return GetPass200JSONResponse{
		Member: pass.Member.ID, Form: PassForm(pass.Form), Text: pass.Text, Issue: int32(pass.Member.Issue),
		ExpiresOn: openapi_types.Date{Time: pass.ExpiresOn}, CardNumber: passtoken.CardNumberOf(pass.Member.ID).String(),
	}, err
}

// GetPassPNG implements StrictServerInterface.
func (h handlers) GetPassPNG(ctx context.Context, r GetPassPNGRequestObject) (GetPassPNGResponseObject, error) {
	scale := 8
	if r.Params.Scale != nil {
		scale = *r.Params.Scale
	}
	if scale < 1 || scale > 32 {
		return nil, badParameter("scale", "must be 1 to 32")
	}
	pass, err := h.pass(ctx, r.ID, r.Params.Form)
	if err != nil {
		return nil, err
	}
	picture, err := passtoken.PNG(pass.Text, scale)
	return GetPassPNG200ImagePngResponse{Body: bytes.NewReader(picture), ContentLength: int64(len(picture))}, err
}

// GetPassSVG implements StrictServerInterface.
func (h handlers) GetPassSVG(ctx context.Context, r GetPassSVGRequestObject) (GetPassSVGResponseObject, error) {
	pass, err := h.pass(ctx, r.ID, r.Params.Form)
	if err != nil {
		return nil, err
	}
	drawing, err := passtoken.SVG(pass.Text)
	return GetPassSVG200ImageSvgXMLResponse{Body: strings.NewReader(drawing), ContentLength: int64(len(drawing))}, err
}

func (h handlers) pass(ctx context.Context, member uuid.UUID, form *PassForm) (programme.Pass, error) {
	wanted := passtoken.FreshnessStatic
	if form != nil {
		if !form.Valid() {
			return programme.Pass{}, badParameter("form", "must be static or rotating")
		}
		wanted = passtoken.Freshness(*form)
	}
	return h.o.Programme.Pass(ctx, member, wanted)
}

func readMember(m MemberNew) programme.NewMember {
	return programme.NewMember{Alias: valueOf(m.Alias), Reference: valueOf(m.Reference)}
}

func showMember(m programme.Member) Member {
	return Member{
		ID: m.ID, Account: m.Account, Alias: unlessEmpty(m.Alias), Reference: unlessEmpty(m.Reference),
		Issue: int32(m.Issue), Blocked: m.Blocked, CreatedAt: m.CreatedAt,
		CardNumber: passtoken.CardNumberOf(m.ID).String(),
	}
}

// showHoldings leaves the uses of vouchers out: they are shown with the vouchers.
func showHoldings(all []loyalty.Holding) []Holding {
	out := []Holding{}
	for _, h := range all {
		if strings.HasPrefix(h.Unit, loyalty.UseUnit("")) {
			continue
		}
		out = append(out, Holding{
			Unit: h.Unit, Balance: h.Balance(), Free: h.Free, Allowance: h.Allowance, Pending: h.Pending, Overdraft: h.Overdraft,
		})
	}
	return out
}

func showPosting(p ledger.Posting) Posting {
	return Posting{
		ID: p.ID, Unit: p.Unit, Amount: p.Amount, From: p.From.String(), To: p.To.String(), Entry: p.Source.String(),
		Store: unlessEmpty(p.Store), OccurredAt: at(p.OccurredAt), EffectiveAt: at(p.EffectiveAt), RecordedAt: at(p.RecordedAt),
	}
}

// notFound is a record that the ledger lists but that is not there.
func notFound(what string) error { return problem.New(problem.NotFound, "no such "+what) }
