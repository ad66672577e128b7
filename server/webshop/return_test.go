package webshop_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
)

// However a sale of the web shop comes back in parts, the refunds add up to what was
// paid and the account is what it was before the sale.
func TestReturnsInPartsNetToTheWhole(t *testing.T) {
	r, ctx := newRig(t, 500), context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		order := r.of(r.member, 0)
		var left []entry.ReturnLine
		for no := range rapid.IntRange(0, 4).Draw(rt, "lines") {
			line := loyalty.Line{
				No: uint16(no + 1), Quantity: rapid.Int64Range(1, 5).Draw(rt, "quantity") * 1000, Amount: rapid.Int64Range(50, 3000).Draw(rt, "amount"),
			}
			order.Request.Basket.Lines = append(order.Request.Basket.Lines, line)
			order.Request.Basket.Total += line.Amount
			left = append(left, entry.ReturnLine{No: line.No, Quantity: line.Quantity})
		}
		if len(left) == 0 {
			order.Request.Basket.Total = rapid.Int64Range(100, 9000).Draw(rt, "total")
		}
		if order.Request.Basket.Total > 100 && rapid.Bool().Draw(rt, "redeems") {
			order.Request.Wishes = []loyalty.Wish{{Reward: r.reward, Times: 1}}
		}
		before := r.Holding(rt, r.account, "points").Balance()
		sale, err := r.shop.Sell(ctx, order)
		if err != nil {
			rt.Fatalf("sell: %v", err)
		}
		paid := sale.Body.Total.Minor
		for _, x := range sale.Body.Redeemed {
			paid -= x.Discount
		}
		var refunds int64
		for whole := false; !whole; {
			back := webshop.Return{Sale: sale.Sale, Key: uuid.NewString()}
			if rest := rapid.IntRange(0, 3).Draw(rt, "rest"); rest > 0 {
				part(rt, &back, left, paid-refunds)
			}
			done, err := r.shop.Return(ctx, back)
			if err != nil {
				rt.Fatalf("return %+v: %v", back, err)
			}
			whole = done.Body.Whole
			refunds += done.Body.Refund.Minor
		}
		if after := r.Holding(rt, r.account, "points").Balance(); refunds != paid || after != before {
			rt.Fatalf("paid %d, %d came back; had %d, has %d", paid, refunds, before, after)
		}
		if _, err := r.shop.Return(ctx, webshop.Return{Sale: sale.Sale}); problem.CodeOf(err) != problem.ReturnTooMuch {
			rt.Fatalf("once more: %v", err)
		}
	})
	r.Apply(t)
	if open := r.Exceptions(t, ""); len(open) != 0 {
		t.Errorf("%+v", open)
	}
	r.Verify(t)
}

// part draws a part of what is left; nothing drawn is all of it.
func part(rt *rapid.T, back *webshop.Return, left []entry.ReturnLine, unpaid int64) {
	if len(left) == 0 && unpaid > 0 {
		back.Refund = rapid.Int64Range(1, unpaid).Draw(rt, "refund")
	}
	for i := range left {
		if left[i].Quantity == 0 {
			continue
		}
		if n := rapid.Int64Range(0, left[i].Quantity).Draw(rt, "back"); n > 0 {
			back.Lines = append(back.Lines, entry.ReturnLine{No: left[i].No, Quantity: n})
			left[i].Quantity -= n
		}
	}
}

// Of one thing sold, one comes back, however many bring it at once; and a void and
// a return of one sale never both happen.
func TestReturnsAtOnceTakeBackOnce(t *testing.T) {
	r, ctx := newRig(t, 0), context.Background()
	for _, void := range []bool{false, true} {
		sale, err := r.shop.Sell(ctx, r.of(r.member, 900))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for i := range 6 {
			wg.Go(func() {
				var err error
				if void && i%2 == 0 {
					_, err = r.shop.Void(ctx, sale.Sale, uuid.NewString(), [32]byte{})
				} else {
					_, err = r.shop.Return(ctx, webshop.Return{Sale: sale.Sale, Key: uuid.NewString()})
				}
				mu.Lock()
				defer mu.Unlock()
				switch problem.CodeOf(err) {
				case problem.SaleVoided, problem.SaleHasReturns, problem.ReturnTooMuch:
				default:
					if done++; err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if h := r.Holding(t, r.account, "points"); done != 1 || h.Balance() != 0 || h.Overdraft != 0 {
			t.Errorf("%d undid it: %+v", done, h)
		}
	}
	r.Apply(t)
	r.Verify(t)
}
