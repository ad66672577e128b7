package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
)

func expiringShop(t *testing.T, e loyalty.Expiry) *shop {
	t.Helper()
	return newShop(t, func(s *shop) { s.member.Holdings[0].Expires = e })
}

// wantExpiry checks what a scan tells, and that a till that starts again tells the same.
func (s *shop) wantExpiry(t *testing.T, what string, amount int64) {
	t.Helper()
	for _, when := range []string{what, what + ", started again"} {
		if got := s.free(t).Expires; got.Amount != amount {
			t.Errorf("%s: %+v expires, want %d", when, got, amount)
		}
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		s.open(t)
	}
}

func TestWhatExpiresSoonIsTold(t *testing.T) {
	day := 24 * time.Hour
	at := tilltest.Start.Add(20 * day).UnixMilli()
	s := expiringShop(t, loyalty.Expiry{At: at, Amount: 250})
	s.wantExpiry(t, "nothing sold", 250)
	quote, err := s.till.Quote(context.Background(), s.buy(t, 5000, points(s.five, 1)))
	if err != nil || quote.Member.Holdings[0].Expires.Amount != 250 {
		t.Errorf("quoted %+v, %v", quote.Member, err)
	}
	sale := s.commit(t, "a", s.buy(t, 5000, points(s.five, 1)))
	s.wantExpiry(t, "after one redemption", 150)
	s.commit(t, "b", s.buy(t, 5000))
	s.wantExpiry(t, "after a sale that only earns", 150)
	if _, err := s.till.Void(context.Background(), till.Void{SaleKey: "a", Key: "v"}); err != nil {
		t.Fatal(err)
	}
	s.wantExpiry(t, "after a void", 0)
	// HQ has applied all of it and says how it is.
	s.member.Marks = []wire.Mark{s.mark(s.journal.Head().Seq)}
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	s.wantExpiry(t, "when head office has answered", 250)
	s.commit(t, "c", s.buy(t, 5000, points(s.five, 2)))
	s.commit(t, "d", s.buy(t, 5000, points(s.five, 1)))
	s.wantExpiry(t, "after more was redeemed than expires first", 0)
	if sale.At.Seq == 0 {
		t.Error("the sale has no place in the journal")
	}
}

func TestWhatExpiresLaterOrLivesOnIsNotTold(t *testing.T) {
	day := 24 * time.Hour
	s := expiringShop(t, loyalty.Expiry{At: tilltest.Start.Add(31 * day).UnixMilli(), Amount: 250})
	s.wantExpiry(t, "in 31 days", 0)
	s.Pass(2 * day)
	s.wantExpiry(t, "in 29 days", 250)
	s.Pass(29 * day)
	s.wantExpiry(t, "when it has expired", 0)

	s = expiringShop(t, loyalty.Expiry{At: tilltest.Start.Add(3 * day).UnixMilli(), Amount: 250, Rolls: true})
	s.wantExpiry(t, "before the visit", 250)
	s.commit(t, "a", s.buy(t, 1)) // too little to earn
	s.wantExpiry(t, "kept alive by the visit", 0)

	s = expiringShop(t, loyalty.Expiry{At: tilltest.Start.Add(20 * day).UnixMilli(), Amount: 250})
	s.Rules.Version++
	s.Rules.Earn[0].ExpireOn = tilltest.Start.Add(10 * day).UnixMilli()
	s.Feed(t, s.till, s.Item(t, wire.ItemRuleSet, s.HQ, s.Rules))
	s.commit(t, "a", s.buy(t, 5000))
	s.wantExpiry(t, "behind what was earned here", 0)
}

func TestWhatIsRedeemedOnARightExpiresFirstToo(t *testing.T) {
	s := expiringShop(t, loyalty.Expiry{At: tilltest.Start.Add(9 * 24 * time.Hour).UnixMilli(), Amount: 250})
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 500), false, false))
	sale := s.commit(t, "a", s.buy(t, 5000, points(s.five, 1)))
	if sale.Body.Redeemed[0].Right == [16]byte{} {
		t.Fatalf("redeemed without a right: %+v", sale.Body.Redeemed)
	}
	s.wantExpiry(t, "redeemed on a right", 150)
}

// Head office gives back what was redeemed with the expiry it had, so what the till said of it
// is not certain any more.
func TestAReturnThatTakesNoEarningsBackMakesItUncertain(t *testing.T) {
	s := expiringShop(t, loyalty.Expiry{At: tilltest.Start.Add(20 * 24 * time.Hour).UnixMilli(), Amount: 250})
	sale := s.commit(t, "a", s.buy(t, 501, points(s.five, 1))) // too little is paid to earn
	if len(sale.Body.Earned) > 0 {
		t.Fatalf("earned %+v", sale.Body.Earned)
	}
	s.wantExpiry(t, "redeemed", 150)
	if _, err := s.till.Return(context.Background(), till.Return{Sale: sale.Body.ID, Key: "r"}); err != nil {
		t.Fatal(err)
	}
	s.wantExpiry(t, "brought back", 0)
}
