package till_test

import (
	"context"
	"crypto/sha256"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

func TestScanQuoteSaleVoid(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	scan, err := s.till.Identify(ctx, s.Rotating(t, s.member))
	if err != nil {
		t.Fatal(err)
	}
	m := scan.Member
	if scan.Freshness != entry.FreshnessRotating || len(m.Rewards) != 2 || len(m.Vouchers) != 1 {
		t.Fatalf("scanned %+v", scan)
	}
	for _, r := range m.Rewards {
		if over := r.Reward.ID == s.fifty.ID; over != (r.Refused != nil) || over && r.Refused.Code != problem.CapPerSale {
			t.Errorf("reward %s: %v", r.Reward.Name, r.Refused)
		}
	}
	s.Pass(3 * time.Minute) // the basket takes longer than the code lives
	quote, err := s.till.Quote(ctx, till.Request{
		Scans: []uuid.UUID{scan.ID}, Basket: tilltest.Basket(5000),
		Wishes: []loyalty.Wish{points(s.five, 2), use(s.voucher, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if quote.Decision.Discount != 1500 || quote.Decision.ToPay != 3500 {
		t.Errorf("decided %+v", quote.Decision)
	}
	if h := s.free(t); h.Free != 10_000 || h.Held != 200 {
		t.Errorf("with an open quote: %+v", h)
	}
	commit := tilltest.Commit("k1", till.Request{})
	commit.Quote = quote.ID
	sale, err := s.till.Commit(ctx, commit)
	if err != nil {
		t.Fatal(err)
	}
	if sale.Discount() != 1500 || sale.ToPay() != 3500 || sale.BusinessDate != 20260310 || sale.Body.RuleSet != 3 {
		t.Errorf("sold %+v", sale)
	}
	if h := s.free(t); h.Free != 9800 || h.Held != 0 || h.Pending != 35 {
		t.Errorf("after the sale: %+v", h)
	}
	commit.Key = "k2"
	_, err = s.till.Commit(ctx, commit)
	wantCode(t, err, problem.QuoteUnknown)
	if found := s.withReceipt(t, "R-k1"); len(found) != 1 || !reflect.DeepEqual(found[0].Sale, sale) || found[0].Void != nil {
		t.Errorf("by receipt: %+v", found)
	}
	void, err := s.till.Void(ctx, till.Void{SaleKey: "k1", Key: "v1"})
	if err != nil || void.Body.Sale != sale.Body.ID {
		t.Fatalf("void: %+v, %v", void, err)
	}
	if h := s.free(t); h.Free != 10_000 || h.Pending != 0 {
		t.Errorf("after the void: %+v", h)
	}
	if found, err := s.till.Sale(ctx, sale.Body.ID); err != nil || found.Void == nil || !reflect.DeepEqual(*found.Void, void) {
		t.Errorf("after the void: %+v, %v", found, err)
	}
	_, err = s.till.Void(ctx, till.Void{Sale: sale.Body.ID, Key: "v2"})
	wantCode(t, err, problem.SaleVoided)
	_, err = s.till.Void(ctx, till.Void{Sale: uuid.UUID{1}, Key: "v3"})
	wantCode(t, err, problem.SaleUnknown)
	_, err = s.till.Void(ctx, till.Void{SaleKey: "never", Key: "v3"})
	wantCode(t, err, problem.SaleUnknown)
	if found := s.withReceipt(t, "never"); len(found) != 0 {
		t.Errorf("by a receipt that never was: %+v", found)
	}
	if found, err := s.till.SaleByKey(ctx, "k1"); err != nil || found.Sale.Body.ID != sale.Body.ID || found.Void == nil {
		t.Errorf("by key: %+v, %v", found, err)
	}
	for _, key := range []string{"never", "v1"} {
		_, err = s.till.SaleByKey(ctx, key)
		wantCode(t, err, problem.SaleUnknown)
	}
}

func TestVoucherCodeAloneIsUsedWithoutARightToPoints(t *testing.T) {
	s := newShop(t, nil)
	code := s.Token(t, passtoken.KindVoucher, s.voucher.Voucher.ID, 1).Text()
	scan, err := s.till.Identify(context.Background(), code)
	if err != nil || scan.Voucher == nil || scan.Member != nil || scan.Voucher.Refused != nil {
		t.Fatalf("scanned %+v, %v", scan, err)
	}
	req := till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{points(s.five, 1)}}
	_, err = s.till.Commit(context.Background(), tilltest.Commit("p", req))
	wantCode(t, err, problem.PointsInsufficient)
	req.Wishes = []loyalty.Wish{use(s.voucher, 1)}
	sale := s.commit(t, "v", req)
	if sale.Body.Account != s.member.Account || sale.Body.Redeemed[0].Amount != 1 {
		t.Errorf("sold %+v", sale.Body)
	}
}

// Who holds a gift needs no card, and the till no network; a gift is used once, also when the
// terminal has started again in between.
func TestG4_AGiftedVoucherIsUsedOnceByWhoeverHoldsIt(t *testing.T) {
	s := newShop(t, nil)
	gift := s.World.Voucher(s.member, s.five, 1)
	s.Feed(t, s.till, s.Item(t, wire.ItemVoucher, gift.Voucher.ID, gift))
	s.Pass(time.Hour) // offline from here on
	code := s.Token(t, passtoken.KindVoucher, gift.Voucher.ID, 1).Text()
	req := till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{use(gift, 1)}}
	sale := s.commit(t, "gift", req)
	if sale.Discount() != 500 || sale.Body.Redeemed[0].Voucher != uuid.UUID(gift.Voucher.ID) || sale.Body.Code.Subject != uuid.UUID(gift.Voucher.ID) {
		t.Errorf("sold %+v", sale.Body)
	}
	for _, again := range []string{"at once", "after a start"} {
		_, err := s.till.Commit(context.Background(), tilltest.Commit(again, req))
		wantCode(t, err, problem.VoucherUsed)
		if same := s.commit(t, "gift", req); !same.Replayed || same.Body.ID != sale.Body.ID {
			t.Errorf("%s, the same key: %+v", again, same)
		}
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		s.open(t)
	}
}

func TestQuoteThatExpiresOrChangesIsRefused(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	quote := func() till.Commit {
		q, err := s.till.Quote(ctx, s.buy(t, 1000, points(s.five, 1)))
		if err != nil {
			t.Fatal(err)
		}
		c := tilltest.Commit("k", till.Request{})
		c.Quote = q.ID
		return c
	}
	late := quote()
	s.Pass(till.DefaultLimits.QuoteLife)
	_, err := s.till.Commit(ctx, late)
	wantCode(t, err, problem.QuoteExpired)
	changed := quote()
	s.Rules.Version, s.Rules.Earn = 4, []loyalty.EarnRule{{Unit: "points", Points: 9, Per: 100}}
	s.Feed(t, s.till, s.Item(t, wire.ItemRuleSet, s.HQ, s.Rules))
	_, err = s.till.Commit(ctx, changed)
	wantCode(t, err, problem.QuoteChanged)
}

func TestG4_OneKeyMakesOneSaleForEver(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	commit := tilltest.Commit("key", s.buy(t, 1000, points(s.five, 1)))
	var wait sync.WaitGroup
	sales := make([]till.Sale, 16)
	for i := range sales {
		wait.Go(func() {
			var err error
			if sales[i], err = s.till.Commit(ctx, commit); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	made := 0
	for i := range sales {
		if !sales[i].Replayed {
			made++
		}
		sales[i].Replayed = false
		if !reflect.DeepEqual(sales[i], sales[0]) {
			t.Errorf("answer %d is %+v, another %+v", i, sales[i], sales[0])
		}
	}
	if made != 1 || s.free(t).Free != 9900 {
		t.Fatalf("%d sales, %+v", made, s.free(t))
	}
	void := till.Void{Sale: sales[0].Body.ID, Key: "void"}
	voided, err := s.till.Void(ctx, void)
	if err != nil {
		t.Fatal(err)
	}
	for name, lose := range map[string]bool{"restart": false, "restart with a new cache": true} {
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		if lose {
			s.state = tilltest.NewState()
		}
		s.open(t)
		again, err := s.till.Commit(ctx, commit)
		again.Replayed = !again.Replayed
		if err != nil || !reflect.DeepEqual(again, sales[0]) {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
		if again, err := s.till.Void(ctx, void); err != nil || !again.Replayed || again.Body.ID != voided.Body.ID {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
		other := commit
		other.KeyHash = sha256.Sum256([]byte("another request"))
		_, err = s.till.Commit(ctx, other)
		wantCode(t, err, problem.IdempotencyReused)
		_, err = s.till.Void(ctx, till.Void{Sale: sales[0].Body.ID, Key: "key", KeyHash: commit.KeyHash})
		wantCode(t, err, problem.IdempotencyReused)
	}
}

// Thirty-two at once, with room for some of them only: exactly those fit.
func TestCapsHoldExactlyUnderConcurrentSales(t *testing.T) {
	const clients, fit = 32, 11
	for _, c := range []struct {
		name   string
		change func(*shop)
		same   bool // all by one member
	}{
		{"terminal", func(s *shop) { s.Policy.PerTerminal = fit*100 + 99 }, false},
		{"member and day", func(s *shop) { s.Policy.PerMemberDay = fit * 100 }, true},
		{"points", func(s *shop) { s.member.Holdings[0].Free = fit*100 + 50; s.Policy.PerMemberDay = 99_999 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t, c.change)
			requests := make([]till.Request, clients)
			for i := range requests {
				if !c.same {
					s.member = s.Member(100)
					s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
				}
				requests[i] = s.buy(t, 1000, points(s.five, 1))
			}
			var wait sync.WaitGroup
			var mu sync.Mutex
			sold := 0
			for i, r := range requests {
				wait.Go(func() {
					_, err := s.till.Commit(context.Background(), tilltest.Commit(string(rune('A'+i)), r))
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						sold++
					}
				})
			}
			wait.Wait()
			if sold != fit {
				t.Errorf("%d sales, want %d", sold, fit)
			}
		})
	}
}
