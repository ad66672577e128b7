package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"math"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
)

// CreateQuote implements StrictServerInterface.
func (h handlers) CreateQuote(ctx context.Context, r CreateQuoteRequestObject) (CreateQuoteResponseObject, error) {
	q, err := h.o.Shop.Quote(ctx, readBasket(*r.Body))
	if err != nil {
		return nil, err
	}
	return CreateQuote201JSONResponse{
		ID: q.ID, ExpiresAt: q.ExpiresAt, Total: q.Request.Basket.Total, Discount: q.Decision.Discount, ToPay: q.Decision.ToPay,
		Earned: showAll(q.Decision.Earned, showEarned), Redeemed: showAll(q.Decision.Redeemed, showRedeemed),
	}, nil
}

// CreateSale implements StrictServerInterface.
func (h handlers) CreateSale(ctx context.Context, r CreateSaleRequestObject) (CreateSaleResponseObject, error) {
	if (r.Body.Quote == nil) == (r.Body.Basket == nil) {
		return nil, &problem.Error{
			Code: problem.InvalidField, Detail: "the sale cannot be made", Fields: map[string]string{"/quote": "give either a quote or a basket"},
		}
	}
	hash, err := hashOf(r.Body)
	if err != nil {
		return nil, err
	}
	order := webshop.Order{Quote: valueOf(r.Body.Quote), Receipt: valueOf(r.Body.Receipt), Key: r.Params.IdempotencyKey, KeyHash: hash}
	if r.Body.Basket != nil {
		order.Request = readBasket(*r.Body.Basket)
	}
	s, err := h.o.Shop.Sell(ctx, order)
	if err != nil {
		return nil, err
	}
	return CreateSale201JSONResponse(showSale(s)), nil
}

// GetSale implements StrictServerInterface.
func (h handlers) GetSale(ctx context.Context, r GetSaleRequestObject) (GetSaleResponseObject, error) {
	s, err := h.o.Shop.Sale(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return GetSale200JSONResponse(showSale(s)), nil
}

// VoidSale implements StrictServerInterface.
func (h handlers) VoidSale(ctx context.Context, r VoidSaleRequestObject) (VoidSaleResponseObject, error) {
	hash, err := hashOf(r.ID)
	if err != nil {
		return nil, err
	}
	s, err := h.o.Shop.Void(ctx, r.ID, r.Params.IdempotencyKey, hash)
	if err != nil {
		return nil, err
	}
	return VoidSale200JSONResponse(showSale(s)), nil
}

// CreateReturn implements StrictServerInterface.
func (h handlers) CreateReturn(ctx context.Context, r CreateReturnRequestObject) (CreateReturnResponseObject, error) {
	hash, err := hashOf(r.Body)
	if err != nil {
		return nil, err
	}
	wanted := webshop.Return{
		Sale: r.Body.Sale, Refund: valueOf(r.Body.Refund), Receipt: valueOf(r.Body.Receipt), Key: r.Params.IdempotencyKey, KeyHash: hash,
	}
	for i, l := range valueOf(r.Body.Lines) {
		if l.No < 1 || l.No > math.MaxUint16 {
			return nil, badField("/lines/"+strconv.Itoa(i)+"/no", "is no line of the sale")
		}
		wanted.Lines = append(wanted.Lines, entry.ReturnLine{No: uint16(l.No), Quantity: l.Quantity})
	}
	b, err := h.o.Shop.Return(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return CreateReturn201JSONResponse{
		ID: b.Body.ID, Sale: b.Sale, Terminal: b.Terminal, Epoch: int64(b.Epoch), Seq: int64(b.Seq), OccurredAt: b.OccurredAt,
		Member: unlessEmpty(b.Body.Member), Receipt: unlessEmpty(b.Body.Receipt), Currency: b.Body.Refund.Currency, Refund: b.Body.Refund.Minor,
		Whole: b.Body.Whole,
		Lines: showAll(b.Body.Lines, func(l entry.ReturnLine) ReturnLine { return ReturnLine{No: int32(l.No), Quantity: l.Quantity} }),
	}, nil
}

// hashOf commits the journal to a request.
func hashOf(request any) ([32]byte, error) {
	raw, err := json.Marshal(request)
	return sha256.Sum256(raw), err
}

func readBasket(q QuoteNew) webshop.Request {
	r := webshop.Request{
		Store: q.Store, Shopper: webshop.Shopper{Member: valueOf(q.Member), Pass: valueOf(q.Pass), Card: valueOf(q.Card)},
		Basket: loyalty.Basket{Currency: q.Currency, Total: q.Total},
	}
	for i, l := range valueOf(q.Lines) {
		line := loyalty.Line{No: uint16(i + 1), SKU: valueOf(l.Sku), Quantity: 1000, Amount: l.Amount, Category: valueOf(l.Category)}
		if l.Quantity != nil {
			line.Quantity = *l.Quantity
		}
		r.Basket.Lines = append(r.Basket.Lines, line)
	}
	for _, w := range valueOf(q.Redeem) {
		wish := loyalty.Wish{Reward: loyalty.ID(valueOf(w.Reward)), Voucher: loyalty.ID(valueOf(w.Voucher)), Times: 1}
		if w.Times != nil {
			wish.Times = *w.Times
		}
		r.Wishes = append(r.Wishes, wish)
	}
	return r
}

func showEarned(e loyalty.Earned) SaleEarned {
	return SaleEarned{Unit: e.Unit, Amount: e.Amount, VestsAt: fromMillis(e.VestsAt), ExpiresAt: fromMillis(e.ExpiresAt)}
}

func showRedeemed(r loyalty.Redeemed) SaleRedeemed {
	return SaleRedeemed{
		Reward: r.Reward, Voucher: unlessEmpty(uuid.UUID(r.Voucher)), Unit: unlessEmpty(r.Unit), Amount: r.Amount, Discount: r.Discount,
	}
}

func showSale(s webshop.Sale) Sale {
	out := Sale{
		ID: s.Sale, Terminal: s.Terminal, Epoch: int64(s.Epoch), Seq: int64(s.Seq), Voided: s.Voided, Returns: int32(s.Returns), OccurredAt: s.OccurredAt,
		Member: unlessEmpty(s.Body.Member), Receipt: unlessEmpty(s.Body.Receipt), Currency: s.Body.Total.Currency, Total: s.Body.Total.Minor,
		Earned: showAll(s.Body.Earned, func(e entry.Earning) SaleEarned { return showEarned(loyalty.Earned(e)) }),
		Redeemed: showAll(s.Body.Redeemed, func(r entry.Redemption) SaleRedeemed {
			return SaleRedeemed{
				Reward: r.Reward, Voucher: unlessEmpty(r.Voucher), Unit: unlessEmpty(r.Unit), Amount: r.Amount, Discount: r.Discount,
			}
		}),
	}
	for _, r := range s.Body.Redeemed {
		out.Discount += r.Discount
	}
	out.ToPay = out.Total - out.Discount
	return out
}
