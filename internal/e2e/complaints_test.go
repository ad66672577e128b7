package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// TestComplaints is what shoppers and shops complain about in the products of others,
// row by row. Each subtest cites where the complaint stands.
func TestComplaints(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	for _, c := range []struct {
		row  int
		name string
		is   func(t *testing.T, s *scene, lane *stage.Lane)
	}{
		{1, "points spent offline are never deducted (odoo/odoo#108240)", spentOfflineIsDeducted},
		{2, "points double when a sync is tried again (OCA/pos#185, odoo/odoo#222372)", lostAnswersDoubleNothing},
		{3, "orders appear twice after a reconnect (odoo/odoo#152259, frappe/erpnext#11000)", twoProcessesFlushOneLog},
		{4, "loyalty does not work offline (frappe/erpnext#14885)", offlineAtAll},
		{5, "a refund keeps the points earned (odoo/odoo#257854)", buyAndRefundNetsZero},
		{6, "a refund does not give the reward back (odoo/odoo#212922)", refundGivesTheRewardBack},
		{7, "one voucher is spent twice at once (POSNext#198, spree/spree#13734)", oneOfManyWins},
		{8, "points are redeemed again by another kind of document (frappe/erpnext#59050)", noSecondKindOfDocument},
		{9, "expiry takes what was spent already (FreeOpenSourcePOS/FloCafe#78)", expiryIsPairedToLots},
	} {
		t.Run(fmt.Sprintf("%d %s", c.row, c.name), func(t *testing.T) { c.is(t, s, lane) })
	}
}

func (s *scene) offline(t *testing.T, lane *stage.Lane) (back func()) {
	t.Helper()
	s.WAN.Cut()
	t.Cleanup(func() { must(t, s.WAN.Restore(context.Background())) })
	must(t, lane.AwaitOffline(t.Context()))
	return func() {
		t.Helper()
		must(t, s.WAN.Restore(t.Context()))
		must(t, lane.AwaitOnline(t.Context()))
		s.settle(t)
	}
}

func coffee(s *scene, who stage.Shopper) edgeclient.QuoteRequest {
	return edgeclient.QuoteRequest{
		Code: who.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
	}
}

func spentOfflineIsDeducted(t *testing.T, s *scene, lane *stage.Lane) {
	who := s.shopper(t, "Spends offline", 600)
	back := s.offline(t, lane)
	sale := sell(t, lane, "c1", coffee(s, who))
	if got := s.free(t, who); got != 600 {
		t.Errorf("before the sync HQ has %d points, want 600", got)
	}
	back()
	if got, want := s.free(t, who), 600-200+sale.ToPay/100; got != want {
		t.Errorf("HQ has %d points, want %d", got, want)
	}
}

// Whatever part of the answer arrives, it is no answer, and the batch is sent again.
func lostAnswersDoubleNothing(t *testing.T, _ *scene, _ *stage.Lane) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 200)
	receipt, err := till.Push(1, 2)
	must(t, err)
	for cut := range receipt {
		if _, err := wire.Open[wire.Receipt](receipt[:cut], wire.DomainReceipt, hq.Keys, hq.Clock.Now()); err == nil {
			t.Fatalf("%d bytes of %d were taken for an answer", cut, len(receipt))
		}
		again, err := till.Push(1, 2)
		must(t, err)
		if !slices.Equal(again, receipt) {
			t.Fatal("the same batch got another answer")
		}
		if cut%16 == 0 {
			hq.Apply(t)
		}
	}
	hq.Apply(t)
	if got := hq.Holding(t, account, "points").Free; got != 500-200+23 {
		t.Errorf("%d points, want %d", got, 500-200+23)
	}
	hq.Verify(t)
}

func twoProcessesFlushOneLog(t *testing.T, _ *scene, _ *stage.Lane) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	for range 40 {
		till.Sell(t, account, 1000, 5)
	}
	hq.Clock.Set(till.Now())
	var both sync.WaitGroup
	for _, size := range []int{1, 7} {
		both.Go(func() {
			for first := 1; first <= len(till.Entries); first += size {
				last := min(first+size-1, len(till.Entries))
				for {
					_, err := till.Push(first, last)
					if err == nil {
						break
					}
					if problem.CodeOf(err) != problem.BatchGap {
						t.Errorf("push %d to %d: %v", first, last, err)
						return
					}
				}
				if _, err := hq.Ledger.Apply(context.Background()); err != nil {
					t.Errorf("apply: %v", err)
				}
			}
		})
	}
	both.Wait()
	hq.Apply(t)
	hq.Verify(t)
	entries, _, err := hq.Ledger.Entries(t.Context(), ledger.EntryFilter{Terminal: till.ID, Kind: entry.KindSale}, "", 0)
	must(t, err)
	if got := hq.Holding(t, account, "points").Free; got != 500+40*(9-5) || len(entries) != 40 {
		t.Errorf("%d sales, %d points, want 40 and %d", len(entries), got, 500+40*(9-5))
	}
}

func offlineAtAll(t *testing.T, s *scene, lane *stage.Lane) {
	who := s.shopper(t, "Has no signal", 600)
	back := s.offline(t, lane)
	scan, err := lane.Scan(t.Context(), who.Code)
	must(t, err)
	if scan.Free(stage.Points) != 600 {
		t.Errorf("scanned offline: %d points, want 600", scan.Free(stage.Points))
	}
	sale := sell(t, lane, "c4", coffee(s, who))
	if sale.Discount != 300 || len(sale.Redeemed) != 1 || sale.Redeemed[0].Amount != 200 {
		t.Errorf("sold offline: %+v", sale)
	}
	void, err := lane.Void(t.Context(), "void-c4", sale.ID)
	must(t, err)
	back()
	if got := s.free(t, who); void.Sale != sale.ID || got != 600 {
		t.Errorf("sold and voided offline: %d points, want 600", got)
	}
}

func buyAndRefundNetsZero(t *testing.T, s *scene, lane *stage.Lane) {
	who := s.shopper(t, "Buys and returns", 0)
	for i := range 3 {
		receipt := fmt.Sprint("c5/", i)
		sale := sell(t, lane, receipt, edgeclient.QuoteRequest{Code: who.Code, Total: 50_00})
		if len(sale.Earned) != 1 || sale.Earned[0].Amount != 50 {
			t.Fatalf("sold: %+v", sale)
		}
		_, err := lane.Return(t.Context(), "return-"+receipt, edgeclient.ReturnRequest{Sale: sale.ID})
		must(t, err)
	}
	s.settle(t)
	m, err := s.Office.Member(t.Context(), who.ID)
	must(t, err)
	if h := m.Holding(stage.Points); h.Free != 0 || h.Pending != 0 || h.Overdraft != 0 {
		t.Errorf("left over: %+v", h)
	}
}

func refundGivesTheRewardBack(t *testing.T, s *scene, lane *stage.Lane) {
	who := s.shopper(t, "Returns what was redeemed", 600)
	voucher := s.voucherOf(t, lane, who)
	sale := sell(t, lane, "c6", edgeclient.QuoteRequest{
		Code: who.Code, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}, {Voucher: voucher}},
	})
	s.settle(t)
	if got, want := s.free(t, who), 600-200+sale.ToPay/100; got != want {
		t.Fatalf("after the sale: %d points, want %d", got, want)
	}
	_, err := lane.Return(t.Context(), "return-c6", edgeclient.ReturnRequest{Sale: sale.ID})
	must(t, err)
	s.settle(t)
	m, err := s.Office.Member(t.Context(), who.ID)
	must(t, err)
	if got := m.Holding(stage.Points).Free; got != 600 || len(m.Vouchers) != 1 || m.Vouchers[0].Left != 1 {
		t.Errorf("after the return: %d points and %+v, want 600 and the voucher", got, m.Vouchers)
	}
}

// voucherOf gives a shopper a voucher that the lane knows.
func (s *scene) voucherOf(t *testing.T, lane *stage.Lane, who stage.Shopper) uuid.UUID {
	t.Helper()
	voucher, err := s.GiveVoucher(t.Context(), who, s.programme.Breakfast)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane knows the voucher", func() (bool, error) {
		scan, err := lane.Scan(t.Context(), who.Code)
		return len(scan.Vouchers) == 1, err
	}))
	return voucher
}

func oneOfManyWins(t *testing.T, s *scene, lane *stage.Lane) {
	who := s.shopper(t, "Comes ten times at once", 0)
	voucher := s.voucherOf(t, lane, who)
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 10 {
		all.Go(func() {
			_, err := lane.Sell(t.Context(), fmt.Sprint("c7/", i), edgeclient.QuoteRequest{
				Code: who.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Voucher: voucher}},
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if problem.CodeOf(err) == "" {
				t.Errorf("an answer without a code: %v", err)
			}
		})
	}
	all.Wait()
	s.settle(t)
	m, err := s.Office.Member(t.Context(), who.ID)
	must(t, err)
	if won != 1 || len(m.Vouchers) != 1 || m.Vouchers[0].Left != 0 {
		t.Errorf("%d of ten won; HQ has %+v", won, m.Vouchers)
	}
}

// What a sale redeemed no other kind of document gives again.
func noSecondKindOfDocument(t *testing.T, _ *scene, _ *stage.Lane) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 200)
	till := hq.Till(t, "1")
	sale := till.Sale(t, account, 1000, 200)
	sale.Earned = nil
	till.Write(t, entry.KindSale, sale)
	till.Sync(t, 1)
	hq.Apply(t)
	for name, take := range map[string]func() error{
		"an adjustment": func() error { return hq.Adjust(account, -1) },
		"a correction": func() error {
			_, err := hq.Ledger.Correct(t.Context(), entry.HQCorrection{Account: account, Unit: "points", Amount: -1})
			return err
		},
		"a transfer": func() error {
			_, _, err := hq.Ledger.Depart(t.Context(), entry.HQTransfer{Account: account}, ledger.Gift("points", 1))
			return err
		},
	} {
		if err := take(); problem.CodeOf(err) != problem.PointsInsufficient {
			t.Errorf("%s took a point that a sale had redeemed: %v", name, err)
		}
	}
	// A document that happened is a fact; it cannot be refused, and it is not free.
	till.Skip(time.Minute)
	again := till.Sale(t, account, 1000, 200)
	again.Earned = nil
	till.Write(t, entry.KindSale, again)
	till.Sync(t, 3)
	hq.Apply(t)
	list := hq.Exceptions(t, ledger.Overdraw)
	if h := hq.Holding(t, account, "points"); h.Free != 0 || h.Overdraft != 200 || len(list) != 1 || list[0].Amount != 200 {
		t.Errorf("redeemed again: %+v, %+v", h, list)
	}
	hq.Verify(t)
}

// Points expire that were earned, by their lots, and were not spent; the model keeps
// lots of its own.
func expiryIsPairedToLots(t *testing.T, _ *scene, _ *stage.Lane) {
	hq := books.New(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		account, till := hq.Member(t, fmt.Sprint(round), 0), hq.Till(t, fmt.Sprint(round))
		var lots []loyalty.Lot
		var broken int64
		now := hq.Clock.Now()
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			hq.Clock.Set(now)
			if rapid.Bool().Draw(t, "earn") || len(lots) == 0 {
				lot := loyalty.Lot{
					Left:      rapid.Int64Range(1, 100).Draw(t, "points"),
					ExpiresAt: now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "lives")) * time.Hour).UnixMilli(),
				}
				err := hq.Ledger.Adjust(context.Background(), entry.HQAdjustment{Account: account, Unit: "points", Amount: lot.Left, Reason: 1, ExpiresAt: lot.ExpiresAt})
				if err != nil {
					t.Fatalf("adjust: %v", err)
				}
				lots = append(lots, lot)
				continue
			}
			broken += expire(lots, now.UnixMilli())
			amount := spendable(lots)
			if amount == 0 {
				continue
			}
			amount = rapid.Int64Range(1, amount).Draw(t, "redeem")
			till.Skip(now.Sub(till.Now()) - time.Second)
			sale := till.Sale(t, account, 1000, amount)
			sale.Earned = nil
			till.Write(t, entry.KindSale, sale)
			spend(lots, amount)
		}
		till.Sync(t, 1)
		hq.Apply(t)
		hq.Clock.Advance(8 * 24 * time.Hour) // the sweep waits for the tills of earlier rounds
		var until time.Time
		for {
			done, err := hq.Ledger.Sweep(context.Background())
			if err != nil {
				t.Fatalf("sweep: %v", err)
			}
			if until = time.UnixMilli(done.Until); done.Accounts == 0 {
				break
			}
		}
		broken += expire(lots, until.UnixMilli())
		if got := hq.Holding(t, account, "points"); got.Free != spendable(lots) || got.Overdraft != 0 {
			t.Fatalf("%+v, want %d free", got, spendable(lots))
		}
		if got := breakageOf(t, hq, account); got != broken {
			t.Fatalf("%d expired, want %d", got, broken)
		}
	})
	hq.Verify(t)
}

func expire(lots []loyalty.Lot, now int64) (gone int64) {
	for i := range lots {
		if lots[i].ExpiresAt <= now {
			gone, lots[i].Left = gone+lots[i].Left, 0
		}
	}
	return gone
}

func spendable(lots []loyalty.Lot) (sum int64) {
	for _, l := range lots {
		sum += l.Left
	}
	return sum
}

func spend(lots []loyalty.Lot, amount int64) {
	for amount > 0 {
		next := -1
		for i, l := range lots {
			if l.Left > 0 && (next < 0 || l.ExpiresAt < lots[next].ExpiresAt) {
				next = i
			}
		}
		n := min(amount, lots[next].Left)
		lots[next].Left -= n
		amount -= n
	}
}

func breakageOf(t books.Failer, hq *books.HQ, account uuid.UUID) (sum int64) {
	history, _, err := hq.Ledger.History(context.Background(), account, "", 0)
	if err != nil {
		t.Fatalf("history: %v", err)
	}
	for _, p := range history {
		switch loyalty.BookBreakage {
		case p.To:
			sum += p.Amount
		case p.From:
			sum -= p.Amount
		}
	}
	return sum
}
