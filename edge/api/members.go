package api

import (
	"context"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// codePixels is how wide one module of a code's picture is.
const codePixels = 8

func (h handlers) EnrolMember(ctx context.Context, r EnrolMemberRequestObject) (EnrolMemberResponseObject, error) {
	if err := checkKey(r.Params.IdempotencyKey); err != nil {
		return nil, err
	}
	call := till.NewMember{Key: r.Params.IdempotencyKey, Cashier: value(r.Body.Cashier), Caller: callerOf(ctx, nil)}
	var err error
	if call.KeyHash, err = hashOf("enrol", r.Body); err != nil {
		return nil, err
	}
	m, err := h.cfg.Till.Enrol(ctx, call)
	if err != nil {
		return nil, err
	}
	if !m.Replayed {
		h.cfg.Committed() // no event: a stream has no business with a shopper's code
	}
	out, err := enrolledOf(m)
	out.DoneBy = h.person(m.Body.CashierID)
	return EnrolMember201JSONResponse(out), err
}

func enrolledOf(m till.EnrolledMember) (EnrolledMember, error) {
	text := m.Token.Text()
	svg, err := passtoken.SVG(text)
	if err != nil {
		return EnrolledMember{}, err
	}
	png, err := passtoken.PNG(text, codePixels)
	if err != nil {
		return EnrolledMember{}, err
	}
	last := m.Token.Pass().ExpiresOn.End().AddDate(0, 0, -1)
	return EnrolledMember{
		Id: m.Body.Member, Account: m.Body.Account, Seq: int64(m.At.Seq), Hash: m.At.Hash.Short(), At: m.OccurredAt.UTC(),
		BusinessDate: dateOf(m.BusinessDate), Code: text, CardNumber: passtoken.CardNumberOf(m.Body.Member).String(), CodeSvg: svg, CodePng: png,
		ExpiresOn: openapi_types.Date{Time: last}, Cashier: optional(m.Body.Cashier),
	}, nil
}
