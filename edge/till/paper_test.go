package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

func TestThereIsAPaperOfEachThingDone(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.ClaimDays = 10 })
	ctx := context.Background()
	paper := func(seq uint64) till.Paper {
		t.Helper()
		p, err := s.till.Paper(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		if p.At.Seq != seq || p.Store != "Berlin 1" || p.Zone.String() != "Europe/Berlin" || p.Epoch != 1 {
			t.Errorf("paper of entry %d: %+v", seq, p)
		}
		return p
	}
	sale := s.commit(t, "a", s.buy(t, 5000, points(s.five, 2)))
	got := paper(sale.At.Seq)
	if got.Sale == nil || got.Sale.Sale.Body.ID != sale.Body.ID || got.Cashier != "7" || got.Rewards[s.five.ID] != "500 off" ||
		len(got.Balance) != 1 || got.Balance[0].Free != 9800 || got.Balance[0].Pending != 40 || !got.BalanceAt.Equal(s.Clock.Now()) {
		t.Errorf("of the sale: %+v", got)
	}
	bare := s.commit(t, "b", till.Request{Basket: tilltest.Basket(700)})
	if got := paper(bare.At.Seq); got.Balance != nil || got.Sale.Sale.Claim == nil {
		t.Errorf("of a sale without a card: %+v", got)
	}
	claim, err := s.till.Claim(ctx, till.NewClaim{Receipt: bare.Claim.Token.Text(), Code: s.Static(t, s.member), Key: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if got := paper(claim.At.Seq); got.Claim == nil || got.Claim.Body.Claim != bare.Body.Claim {
		t.Errorf("of a claim: %+v", got)
	}
	back, err := s.till.Return(ctx, till.Return{Sale: sale.Body.ID, Key: "r", Cashier: "8", Lines: []till.ReturnLine{{No: 1, Quantity: 500}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := paper(back.At.Seq); got.Return == nil || got.Cashier != "8" || got.Return.Left == nil || got.Return.Left.Refund != back.Left.Refund {
		t.Errorf("of a return: %+v", got)
	}
	void, err := s.till.Void(ctx, till.Void{SaleKey: "b", Key: "v"})
	if err != nil {
		t.Fatal(err)
	}
	if got := paper(void.At.Seq); got.Void == nil || got.Void.Sale == nil || got.Void.Sale.Body.ID != bare.Body.ID {
		t.Errorf("of a void: %+v", got)
	}
	closed := s.closeDay(t, "d")
	if got := paper(closed.At.Seq); got.Day == nil || got.Day.Body.Date != closed.Body.Date {
		t.Errorf("of a day: %+v", got)
	}
	for _, seq := range []uint64{0, 1, s.journal.Head().Seq + 1, 1 << 63} {
		_, err := s.till.Paper(ctx, seq)
		wantCode(t, err, problem.NotFound)
	}
	s.journal.Prune(void.At.Seq)
	if got := paper(void.At.Seq); got.Void.Sale != nil {
		t.Errorf("of a void whose sale is pruned: %+v", got)
	}
	_, err = s.till.Paper(ctx, sale.At.Seq)
	wantCode(t, err, problem.NotFound)
}

func TestAPaperShowsTheBalanceOfNow(t *testing.T) {
	s := newShop(t, nil)
	sale := s.commit(t, "a", s.buy(t, 5000))
	heard := s.Clock.Now()
	s.Pass(time.Hour)
	s.commit(t, "b", s.buy(t, 5000, points(s.five, 1)))
	got, err := s.till.Paper(context.Background(), sale.At.Seq)
	if err != nil || got.Balance[0].Free != 9900 || !got.BalanceAt.Equal(heard) || got.BusinessDate != entry.Date(20260310) {
		t.Errorf("%+v, %v", got, err)
	}
}
