package api

import (
	"context"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/edge/till"
)

func (h handlers) ClaimReceipt(ctx context.Context, r ClaimReceiptRequestObject) (ClaimReceiptResponseObject, error) {
	if err := checkKey(r.Params.IdempotencyKey); err != nil {
		return nil, err
	}
	if r.Body.ReceiptCode == "" {
		return nil, invalid("/receipt_code", "is missing")
	}
	if r.Body.Code == "" {
		return nil, invalid("/code", "is missing")
	}
	call := till.NewClaim{Receipt: r.Body.ReceiptCode, Code: r.Body.Code, Key: r.Params.IdempotencyKey, Cashier: value(r.Body.Cashier), Caller: callerOf(ctx, nil)}
	var err error
	if call.KeyHash, err = hashOf("claim", r.Body); err != nil {
		return nil, err
	}
	c, err := h.cfg.Till.Claim(ctx, call)
	if err != nil {
		return nil, err
	}
	if !c.Replayed {
		h.cfg.Committed()
	}
	return ClaimReceipt201JSONResponse{
		Id: c.Body.Claim, Member: c.Body.Member, Seq: int64(c.At.Seq), Hash: c.At.Hash.Short(), At: c.OccurredAt.UTC(),
		BusinessDate: dateOf(c.BusinessDate), Matched: c.Body.Matched, Cashier: optional(c.Body.Cashier), DoneBy: h.person(c.Body.CashierID),
	}, nil
}

func receiptClaimOf(c *till.ReceiptClaim) *ReceiptClaim {
	if c == nil {
		return nil
	}
	out := &ReceiptClaim{
		Code: c.Token.Text(), ExpiresOn: openapi_types.Date{Time: c.Token.Pass().ExpiresOn.End().AddDate(0, 0, -1)}, Worth: []Earned{},
	}
	for _, e := range c.Worth {
		out.Worth = append(out.Worth, earnedOf(e.Unit, e.Amount, e.Line, e.VestsAt, e.ExpiresAt))
	}
	return out
}
