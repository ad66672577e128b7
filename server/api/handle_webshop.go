package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"

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

// hashOf commits the journal to a request.
func hashOf(request any) ([32]byte, error) {
	raw, err := json.Marshal(request)
	return sha256.Sum256(raw), err
}

func readBasket(q QuoteNew) webshop.Request {
	r := webshop.Request{
		Store: q.Store, Member: valueOf(q.Member), Basket: loyalty.Basket{Currency: q.Currency, Total: q.Total},
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
		ID: s.Sale, Terminal: s.Terminal, Epoch: int64(s.Epoch), Seq: int64(s.Seq), Voided: s.Voided, OccurredAt: s.OccurredAt,
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
