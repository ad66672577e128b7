package api

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

func (h handlers) ReturnGoods(ctx context.Context, r ReturnGoodsRequestObject) (ReturnGoodsResponseObject, error) {
	if err := checkKey(r.Params.IdempotencyKey); err != nil {
		return nil, err
	}
	call, err := returnOf(*r.Body)
	if err != nil {
		return nil, err
	}
	call.Key, call.Caller = r.Params.IdempotencyKey, callerOf(ctx, r.Body.Approval)
	if call.KeyHash, err = hashOf("return", r.Body); err != nil {
		return nil, err
	}
	returned, err := h.cfg.Till.Return(ctx, call)
	if err != nil {
		return nil, err
	}
	out := returnedOf(returned)
	out.DoneBy, out.ApprovedBy = h.handsOf(returned.Body.Hands)
	out.Training = optional(returned.Training)
	if !returned.Replayed && !returned.Training {
		h.committed(eventReturn, out)
		h.printAfter(ctx, returned.Entry)
	}
	return ReturnGoods201JSONResponse(out), nil
}

func returnOf(b ReturnRequest) (till.Return, error) {
	out := till.Return{
		Sale: value(b.Sale), SaleReceipt: value(b.PosReceipt), Receipt: value(b.Receipt), Cashier: value(b.Cashier),
	}
	switch {
	case b.Sale != nil && *b.Sale == uuid.Nil:
		return out, invalid("/sale", "is the empty id")
	case b.PosReceipt != nil && *b.PosReceipt == "":
		return out, invalid("/pos_receipt", "is empty")
	}
	if o := b.Origin; o != nil {
		epoch, seq := value(o.Epoch), value(o.Seq)
		if o.Terminal == uuid.Nil || epoch < 0 || epoch > math.MaxUint32 || seq < 0 {
			return out, invalid("/origin", "is no place in a journal")
		}
		out.Origin = till.Origin{Terminal: o.Terminal, Epoch: uint32(epoch), Seq: uint64(seq)}
	}
	if b.Refund != nil {
		out.Refund = &entry.Money{Currency: b.Refund.Currency, Minor: b.Refund.Minor}
	}
	var err error
	out.Lines, err = returnLinesOf(value(b.Lines))
	return out, err
}

func returnLinesOf(lines []ReturnLine) ([]till.ReturnLine, error) {
	var out []till.ReturnLine
	for i, line := range lines {
		if line.No < 1 || line.No > math.MaxUint16 {
			return nil, invalid(fmt.Sprintf("/lines/%d/no", i), "must be from 1 to 65535")
		}
		// To the till a missing amount is zero, which nobody may say.
		if line.Amount != nil && *line.Amount == 0 {
			return nil, problem.Newf(problem.AmountInvalid, "/lines/%d/amount is 0", i)
		}
		out = append(out, till.ReturnLine{No: uint16(line.No), Quantity: line.Quantity, Amount: value(line.Amount)})
	}
	return out, nil
}

func returnedOf(r till.Returned) Return {
	b := r.Body
	return Return{
		Id: b.ID, Seq: int64(r.At.Seq), Hash: r.At.Hash.Short(), At: r.OccurredAt.UTC(), BusinessDate: dateOf(r.BusinessDate),
		Sale: optional(b.Sale), PosReceipt: optional(b.SaleReceipt), Matched: b.Matched, Whole: b.Whole,
		Lines: goodsOf(b.Lines), Refund: Money{Currency: b.Refund.Currency, Minor: b.Refund.Minor}, Left: leftOf(r.Left),
		Receipt: optional(b.Receipt), Cashier: optional(b.Cashier),
	}
}

func goodsOf(lines []entry.ReturnLine) []GoodsLine {
	out := []GoodsLine{}
	for _, line := range lines {
		out = append(out, GoodsLine{No: int(line.No), Quantity: line.Quantity, Amount: optional(line.Amount)})
	}
	return out
}

func leftOf(left *till.Left) *Left {
	if left == nil {
		return nil
	}
	out := &Left{Refund: left.Refund, Lines: []GoodsLine{}}
	for _, line := range left.Lines {
		out.Lines = append(out.Lines, GoodsLine{
			No: int(line.No), Sku: optional(line.SKU), Quantity: line.Quantity, Amount: optional(line.Amount),
		})
	}
	return out
}

func broughtBackOf(b *till.BroughtBack) *Returned {
	if b == nil {
		return nil
	}
	return &Returned{Returns: b.Returns, Refund: b.Refund, Lines: goodsOf(b.Lines), Whole: b.Whole}
}
