package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

func TestSaleEarnsAndRedeems(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 200)
	deliver(t, hq, till)
	if h := hq.Holding(t, account, "points"); h.Free != 500-200+23 || h.Overdraft != 0 {
		t.Errorf("points: %+v", h)
	}
	if h := hq.Holding(t, account, "cups"); h.Pending != 2 || h.Free != 0 {
		t.Errorf("cups: %+v", h)
	}
	wantExceptions(t, hq)
}

func TestPendingVestsAndIsFree(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2000, 0)
	deliver(t, hq, till)
	hq.Clock.Advance(15 * 24 * time.Hour)
	till.Skip(15 * 24 * time.Hour)
	till.Sell(t, account, 1000, 0)
	till.Sync(t, 3)
	hq.Apply(t)
	if h := hq.Holding(t, account, "cups"); h.Free != 2 || h.Pending != 1 {
		t.Errorf("cups: %+v", h)
	}
	hq.Verify(t)
}

func TestOverdrawIsAnExceptionWithItsAmountAndRepaid(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2000, 150)
	deliver(t, hq, till)
	list := hq.Exceptions(t, ledger.Overdraw)
	if len(list) != 1 || list[0].Amount != 50 || list[0].Money != 50 || list[0].Liable != "programme" || list[0].Seq != 2 {
		t.Fatalf("exceptions: %+v", list)
	}
	if h := hq.Holding(t, account, "points"); h.Free != 0 || h.Overdraft != 50-18 {
		t.Errorf("points: %+v", h)
	}
}

func TestDoubleSpendInTwoStoresIsOneException(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 300)
	one, two := hq.Till(t, "1"), hq.Till(t, "2")
	one.Sell(t, account, 300, 300)
	two.Skip(time.Second)
	two.Sell(t, account, 300, 300)
	deliver(t, hq, one)
	deliver(t, hq, two)
	list := hq.Exceptions(t, "")
	if len(list) != 1 || list[0].Kind != ledger.Overdraw || list[0].Amount != 300 || list[0].Terminal != two.ID {
		t.Errorf("exceptions: %+v", list)
	}
}

func TestVoucherOveruse(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	voucher := uuid.NewSHA1(account, []byte("voucher"))
	ctx := context.Background()
	v := loyalty.Voucher{ID: loyalty.ID(voucher), Account: loyalty.ID(account), Uses: 1}
	if err := hq.Ledger.IssueVoucher(ctx, v, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	if err := hq.Ledger.IssueVoucher(ctx, v, uuid.Nil); err == nil {
		t.Error("issued twice")
	}
	for _, name := range []string{"1", "2"} {
		till := hq.Till(t, name)
		sale := till.Sale(t, account, 1000, 0)
		sale.Earned = nil
		sale.Redeemed = []entry.Redemption{{Voucher: voucher, Amount: 1, Basis: entry.BasisStandIn, Discount: 500}}
		till.Write(t, entry.KindSale, sale)
		deliver(t, hq, till)
	}
	list := hq.Exceptions(t, "")
	if len(list) != 1 || list[0].Kind != ledger.VoucherOveruse || list[0].Amount != 1 || list[0].Money != 500 || list[0].Currency != "EUR" {
		t.Errorf("exceptions: %+v", list)
	}
	left, err := hq.Ledger.Vouchers(ctx, account)
	if err != nil || len(left) != 1 || left[0].Left != 0 || left[0].Uses != 1 {
		t.Errorf("vouchers: %+v, %v", left, err)
	}
	if err := hq.Ledger.BlockVoucher(ctx, account, voucher, true, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	if left, err = hq.Ledger.Vouchers(ctx, account); err != nil || !left[0].Blocked {
		t.Errorf("vouchers: %+v, %v", left, err)
	}
	hq.Verify(t)
}

func TestVoidUndoesExactlyTheSaleOnce(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	before := hq.Holding(t, account, "points")
	till := hq.Till(t, "1")
	sale := till.Sell(t, account, 2500, 200)
	till.Void(t, sale, account)
	till.Void(t, sale, account)
	deliver(t, hq, till)
	after := hq.Holding(t, account, "points")
	if after.Free != before.Free || after.Overdraft != 0 || len(after.Lots) != 1 || after.Lots[0].Left != 500 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if h := hq.Holding(t, account, "cups"); h.Pending != 0 {
		t.Errorf("cups: %+v", h)
	}
	wantExceptions(t, hq)
}

func TestVoidBeforeItsSaleWaitsAndIsExplained(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	sale := till.Sale(t, account, 2500, 200)
	till.Void(t, sale.ID, account)
	deliver(t, hq, till)
	wantExceptions(t, hq, ledger.VoidWithoutSale)
	till.Write(t, entry.KindSale, sale)
	till.Sync(t, 3)
	hq.Apply(t)
	if h := hq.Holding(t, account, "points"); h.Free != 500 {
		t.Errorf("points: %+v", h)
	}
	if list := hq.Exceptions(t, ledger.VoidWithoutSale); len(list) != 1 || list[0].State != ledger.ExceptionWithdrawn {
		t.Errorf("exceptions: %+v", list)
	}
	hq.Verify(t)
}

func TestVoidOfSpentPointsIsAnOverdraw(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	till := hq.Till(t, "1")
	sale := till.Sell(t, account, 10000, 0)
	till.Sell(t, account, 60, 60)
	till.Void(t, sale, account)
	deliver(t, hq, till)
	list := hq.Exceptions(t, "")
	if len(list) != 1 || list[0].Kind != ledger.Overdraw || list[0].Amount != 60 {
		t.Errorf("exceptions: %+v", list)
	}
}

func TestG5_WhatCannotBePostedWaitsInSuspense(t *testing.T) {
	hq := books.New(t)
	known := hq.Member(t, "ann", 500)
	unknown := uuid.NewSHA1(hq.ID, []byte("nobody"))
	forged := func(till *books.Till) {
		sale := till.Sale(t, known, 1000, 0)
		sale.Earned[0].Amount += 1000
		till.Write(t, entry.KindSale, sale)
	}
	for _, c := range []struct {
		name     string
		state    string
		write    func(*books.Till)
		kinds    []ledger.ExceptionKind
		suspense int64 // points in suspense after this case
		free     int64
	}{
		{
			"unknown account", ingest.StateEnrolled, func(till *books.Till) { till.Sell(t, unknown, 1000, 100) },
			[]ledger.ExceptionKind{ledger.UnknownMember, ledger.UnknownMember},
			9 - 100, 500,
		},
		{
			"revoked", ingest.StateRevoked, func(till *books.Till) { till.Sell(t, known, 900, 0) },
			[]ledger.ExceptionKind{ledger.Unproven},
			9, 500,
		},
		{
			"forged earning", ingest.StateEnrolled, forged,
			[]ledger.ExceptionKind{ledger.EarningDiffers},
			1000, 510,
		},
		{
			"no member", ingest.StateEnrolled, func(till *books.Till) { till.Sell(t, uuid.Nil, 1000, 0) },
			nil, 0, 510,
		},
	} {
		before, seen := suspense(t, hq), len(hq.Exceptions(t, ""))
		till := hq.Till(t, c.name)
		till.State = c.state
		c.write(till)
		deliver(t, hq, till)
		if got := suspense(t, hq) - before; got != c.suspense {
			t.Errorf("%s: suspense moved by %d, want %d", c.name, got, c.suspense)
		}
		if h := hq.Holding(t, known, "points"); h.Free != c.free {
			t.Errorf("%s: points: %+v", c.name, h)
		}
		if list := hq.Exceptions(t, ""); len(list)-seen != len(c.kinds) {
			t.Errorf("%s: %d exceptions, want %v: %+v", c.name, len(list)-seen, c.kinds, list)
		}
	}
}

// suspense is the points in the suspense book.
func suspense(t *testing.T, hq *books.HQ) int64 {
	t.Helper()
	balances, err := hq.Ledger.TrialBalance(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, b := range balances {
		if b.Book == loyalty.BookSuspense && b.Unit == "points" {
			sum += b.Amount
		}
	}
	return sum
}

func TestG5_ImpossibleAmountsAreExceptionsAndStopNobody(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	for _, spoil := range []func(*entry.Sale){
		func(s *entry.Sale) { s.Earned = []entry.Earning{{Unit: "points", Amount: -5}} },
		func(s *entry.Sale) { s.Earned = []entry.Earning{{Unit: "po\x00ints", Amount: 5}} },
		func(s *entry.Sale) { s.Earned = []entry.Earning{{Unit: "use:x", Amount: 5}} },
		func(s *entry.Sale) { s.Redeemed = []entry.Redemption{{Unit: "points", Amount: 1<<63 - 1}} },
		func(s *entry.Sale) { s.Redeemed = []entry.Redemption{{Amount: 1}} },
		func(s *entry.Sale) { s.Total.Minor = -1 },
		func(s *entry.Sale) { s.Total.Currency = "\x00\x00\x00" },
	} {
		sale := till.Sale(t, account, 100, 0)
		spoil(&sale)
		till.Write(t, entry.KindSale, sale)
	}
	till.Sell(t, account, 1000, 0)
	deliver(t, hq, till)
	if got := len(hq.Exceptions(t, ledger.InvalidEntry)); got != 7 {
		t.Errorf("%d exceptions, want 7", got)
	}
	if h := hq.Holding(t, account, "points"); h.Free != 510 {
		t.Errorf("points: %+v", h)
	}
}

func TestClockAheadIsNamed(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	till := hq.Till(t, "1")
	till.Sell(t, account, 1000, 0)
	hq.Clock.Set(books.Start.AddDate(0, 0, -3))
	deliver(t, hq, till)
	wantExceptions(t, hq, ledger.ClockAhead)
}

func deliver(t *testing.T, hq *books.HQ, till *books.Till) {
	t.Helper()
	till.Sync(t, 1)
	hq.Apply(t)
	hq.Verify(t)
}

func wantExceptions(t *testing.T, hq *books.HQ, kinds ...ledger.ExceptionKind) {
	t.Helper()
	list := hq.Exceptions(t, "")
	if len(list) != len(kinds) {
		t.Fatalf("exceptions: %+v, want %v", list, kinds)
	}
	for i, kind := range kinds {
		if list[i].Kind != kind {
			t.Errorf("exception %d is %s, want %s", i, list[i].Kind, kind)
		}
	}
}
