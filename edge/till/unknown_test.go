package till_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// A shopper of whom the feed never told shows a good pass in a store without network.
func TestG1_AMemberUnknownHereEarnsAndRedeemsNothing(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	stranger := s.World.Member(700)
	code := s.Static(t, stranger)
	scan, err := s.till.Identify(ctx, code)
	if err != nil || scan.Member.ID != stranger.ID || len(scan.Member.Holdings) != 0 {
		t.Fatalf("%+v, %v", scan.Member, err)
	}
	for _, offer := range scan.Member.Rewards {
		if offer.Refused == nil || offer.Refused.Code != problem.PointsUnknown {
			t.Errorf("%s could be redeemed: %v", offer.Reward.Name, offer.Refused)
		}
	}
	sale := s.commit(t, "a", till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000)})
	if sale.Body.Member != stranger.ID || sale.Body.Account != stranger.ID || sale.Body.Code == nil ||
		len(sale.Body.Earned) != 1 || sale.Body.Earned[0].Amount != 10 {
		t.Errorf("sold %+v", sale.Body)
	}
	pending := func(want int64) {
		t.Helper()
		scan, err := s.till.Identify(ctx, code)
		var got int64
		for _, h := range scan.Member.Holdings {
			got += h.Pending
		}
		if err != nil || got != want {
			t.Errorf("%d pending, %v; want %d", got, err, want)
		}
	}
	pending(10)
	// The feed brings the member, without this sale and then with it.
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, stranger.ID, stranger))
	pending(10)
	if _, err := s.till.Commit(ctx, tilltest.Commit("b", till.Request{
		Codes: []string{code}, Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{points(s.five, 1)},
	})); err != nil {
		t.Errorf("a known member does not redeem: %v", err)
	}
	stranger.Marks = []wire.Mark{s.mark(sale.At.Seq + 1)}
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, stranger.ID, stranger))
	pending(0)
}

func TestSalesOfAnUnknownMemberAreCappedForADay(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.UnknownSales = 2 })
	ctx := context.Background()
	code := s.Static(t, s.World.Member(0))
	sell := func(key, code string) error {
		_, err := s.till.Commit(ctx, tilltest.Commit(key, till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000)}))
		return err
	}
	for i := range 2 {
		if err := sell(fmt.Sprint(i), code); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, sell("c", code), problem.CapUnknownDay)
	if err := s.till.Close(); err != nil { // what was sold is counted again from the journal
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	s.Restart()
	s.Feed(t, s.till, s.Base(t)...)
	wantCode(t, sell("c", code), problem.CapUnknownDay)
	if err := sell("d", s.Static(t, s.World.Member(0))); err != nil {
		t.Errorf("another member: %v", err)
	}
	s.Pass(24 * time.Hour)
	if err := sell("e", code); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestASaleOfAnUnknownMemberIsVoidedAndReturned(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	stranger := s.World.Member(0)
	buy := till.Request{Codes: []string{s.Static(t, stranger)}, Basket: tilltest.Basket(1000)}
	s.commit(t, "a", buy)
	void, err := s.till.Void(ctx, till.Void{SaleKey: "a", Key: "v"})
	if err != nil || void.Body.Account != uuid.UUID(stranger.ID) || void.Body.Member != stranger.ID {
		t.Errorf("void %+v, %v", void.Body, err)
	}
	sale := s.commit(t, "b", buy)
	back := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r"})
	if back.Body.Account != stranger.ID || back.Body.Member != stranger.ID {
		t.Errorf("return %+v", back.Body)
	}
}
