package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// bought writes a sale of three coffees (9 euros) and a cake (7 euros) that redeems
// points, and returns it with its number.
func bought(t *testing.T, till *books.Till, account uuid.UUID, redeem int64) (entry.Sale, uint64) {
	t.Helper()
	sale := till.Basket(t, account, books.Brisk, redeem,
		entry.Line{No: 1, Quantity: 3000, Amount: 900, Category: "coffee"}, entry.Line{No: 2, Quantity: 1000, Amount: 700, Category: "cake"})
	till.Write(t, entry.KindSale, sale)
	return sale, uint64(len(till.Entries))
}

func back(till *books.Till, sale entry.Sale, lines ...entry.ReturnLine) entry.Return {
	return entry.Return{Sale: sale.ID, Origin: till.ID, Account: sale.Account, Matched: true, Lines: lines}
}

// However a sale comes back in parts, all parts net to the whole; a line takes back
// only what was earned on it.
func TestReturnsByLineNetToTheWholeSale(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	sale, _ := bought(t, till, account, 101) // earns 14 points, 1 cup pending, 2 stamps on 8.43 of coffee
	deliver(t, hq, till)
	if got := hq.Holding(t, account, "stamps").Free; got != 2 {
		t.Fatalf("%d stamps, want 2", got)
	}
	for _, step := range []struct {
		name          string
		line          entry.ReturnLine
		points, stamp int64
	}{
		{"the cake", entry.ReturnLine{No: 2, Quantity: 1000}, 500 - 101 + 14 + 44 - 6, 2},
		{"a coffee", entry.ReturnLine{No: 1, Quantity: 1000}, 500 - 101 + 14 + 63 - 8, 2},
		{"a coffee more", entry.ReturnLine{No: 1, Quantity: 1000}, 500 - 101 + 14 + 82 - 11, 1},
		{"the last", entry.ReturnLine{No: 1, Quantity: 1000}, 500, 0},
	} {
		from := len(till.Entries) + 1
		till.Return(t, back(till, sale, step.line))
		till.Sync(t, from)
		hq.Apply(t)
		hq.Verify(t)
		if got := hq.Holding(t, account, "points"); got.Free != step.points || got.Overdraft != 0 {
			t.Errorf("%s: %d points, want %d", step.name, got.Free, step.points)
		}
		if got := hq.Holding(t, account, "stamps").Free; got != step.stamp {
			t.Errorf("%s: %d stamps, want %d", step.name, got, step.stamp)
		}
	}
	if got := hq.Holding(t, account, "cups"); got.Free+got.Pending != 0 {
		t.Errorf("cups: %+v", got)
	}
	wantExceptions(t, hq)
	from := len(till.Entries) + 1
	till.Return(t, back(till, sale, entry.ReturnLine{No: 1, Quantity: 1000}))
	till.Sync(t, from)
	hq.Apply(t)
	wantExceptions(t, hq, ledger.ReturnExceedsSale)
	if got := hq.Holding(t, account, "points").Free; got != 500 {
		t.Errorf("returned twice: %d points, want 500", got)
	}
}

// What was redeemed comes back with its own expiry; when that has passed, it comes
// back and expires, and both are to be seen.
func TestReturnAfterExpiryRestoresAndExpires(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	expiry := hq.Clock.Now().Add(10 * time.Hour)
	err := hq.Ledger.Adjust(context.Background(), entry.HQAdjustment{Account: account, Unit: "points", Amount: 100, Reason: 1, ExpiresAt: expiry.UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	till := hq.Till(t, "1")
	sale := till.Basket(t, account, books.Brisk, 80, entry.Line{No: 1, Quantity: 1000, Amount: 80})
	till.Write(t, entry.KindSale, sale)
	deliver(t, hq, till)
	hq.Clock.Advance(24 * time.Hour)
	till.Skip(24 * time.Hour)
	till.Return(t, back(till, sale, entry.ReturnLine{No: 1, Quantity: 1000}))
	till.Sync(t, 3)
	hq.Apply(t)
	hq.Verify(t)
	if _, err := hq.Ledger.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	hq.Verify(t)
	if got := hq.Holding(t, account, "points"); got.Free != 0 || got.Overdraft != 0 {
		t.Errorf("points: %+v", got)
	}
	history, _, err := hq.Ledger.History(context.Background(), account, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var restored, expired int64
	for _, p := range history {
		if p.From == loyalty.BookStore && p.To == loyalty.BookFree {
			restored += p.Amount
		}
		if p.To == loyalty.BookBreakage {
			expired += p.Amount
		}
	}
	if restored != 80 || expired != 100 {
		t.Errorf("restored %d, expired %d, want 80 and 100", restored, expired)
	}
}

// A return made in another store is found by the sale's id or its place, whichever
// of the two is heard of first; of a sale nobody knows it waits, and after the
// grace a person must look.
func TestReturnInAnotherStoreFindsItsSale(t *testing.T) {
	for _, c := range []struct {
		name  string
		first bool // the return is heard of before the sale
		of    func(till *books.Till, sale entry.Sale, seq uint64) entry.Return
	}{
		{"by id", false, func(till *books.Till, sale entry.Sale, _ uint64) entry.Return {
			return entry.Return{Sale: sale.ID, Origin: till.ID}
		}},
		{"by id alone", true, func(_ *books.Till, sale entry.Sale, _ uint64) entry.Return { return entry.Return{Sale: sale.ID} }},
		{"by place", true, func(till *books.Till, _ entry.Sale, seq uint64) entry.Return {
			return entry.Return{Origin: till.ID, OriginEpoch: 1, OriginSeq: seq}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hq := books.New(t)
			account := hq.Member(t, "ann", 500)
			sold, other := hq.Till(t, "sold"), hq.Till(t, "other")
			sale, seq := bought(t, sold, account, 100)
			other.Skip(time.Hour / 2)
			r := c.of(sold, sale, seq)
			r.Lines = []entry.ReturnLine{{No: 1, Quantity: 3000}, {No: 2, Quantity: 1000}}
			other.Return(t, r)
			order := []*books.Till{sold, other}
			if c.first {
				order = []*books.Till{other, sold}
			}
			for _, till := range order {
				deliver(t, hq, till)
			}
			if got := hq.Holding(t, account, "points"); got.Free != 500 || got.Overdraft != 0 {
				t.Errorf("points: %+v", got)
			}
			for _, e := range hq.Exceptions(t, "") {
				if e.State != ledger.ExceptionWithdrawn || e.ExplainedBy != sold.Hashes[1] || !c.first {
					t.Errorf("exception %+v", e)
				}
			}
		})
	}
}

// A return that is heard of before its sale moves nothing until both are; so what was known
// in between is the same ever after, also where it puts facts right that came behind it.
func TestWhatWasKnownBeforeTheSaleOfAReturnArrivedStays(t *testing.T) {
	for _, r := range []string{"return", "void"} {
		t.Run(r, func(t *testing.T) {
			hq := books.New(t)
			account := hq.Member(t, "ann", 500)
			sold, other := hq.Till(t, "sold"), hq.Till(t, "other")
			sale, _ := bought(t, sold, account, 100)
			if r == "void" {
				sold.Void(t, sale.ID, account)
			} else {
				other.Skip(time.Hour / 2)
				other.Return(t, entry.Return{Sale: sale.ID, Lines: []entry.ReturnLine{{No: 1, Quantity: 3000}}})
			}
			other.Skip(time.Hour)
			other.Sell(t, account, 3000, 450)
			deliver(t, hq, other)
			known := func(at time.Time) string {
				t.Helper()
				got, err := hq.Ledger.BalanceAsKnown(t.Context(), account, at.UnixMilli())
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%+v", got)
			}
			between := hq.Clock.Now()
			before := known(between)
			hq.Clock.Advance(40 * 24 * time.Hour)
			deliver(t, hq, sold)
			if after := known(between); after != before {
				t.Errorf("on %s head office knew %s, and now it says it knew %s", between, before, after)
			}
			if now := known(hq.Clock.Now()); now == before {
				t.Errorf("nothing moved: %s", now)
			}
		})
	}
}

func TestReturnOfAnUnknownSaleWaitsAndThenIsAnException(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Return(t, entry.Return{Sale: uuid.NewSHA1(till.ID, []byte("no sale")), Refund: entry.Money{Minor: 500}})
	till.Return(t, entry.Return{SaleReceipt: "4711", Refund: entry.Money{Minor: 500}})
	till.Sell(t, account, 1000, 0)
	deliver(t, hq, till)
	if got := hq.Holding(t, account, "points").Free; got != 510 {
		t.Errorf("it stopped what came after it: %d points, want 510", got)
	}
	for _, want := range []string{ledger.ExceptionAwaiting, ledger.ExceptionOpen} {
		list := hq.Exceptions(t, ledger.ReturnUnmatched)
		if len(list) != 2 || list[0].State != want || list[1].State != want || list[0].Money != 500 {
			t.Errorf("exceptions: %+v, want two that are %s", list, want)
		}
		hq.Clock.Advance(8 * 24 * time.Hour)
		if _, err := hq.Ledger.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// A void and a return of one sale, in any order, undo it once.
func TestVoidAndReturnUndoTheSaleOnce(t *testing.T) {
	for _, voidFirst := range []bool{false, true} {
		hq := books.New(t)
		account := hq.Member(t, "ann", 500)
		till := hq.Till(t, "1")
		sale, _ := bought(t, till, account, 100)
		if voidFirst {
			till.Void(t, sale.ID, account)
		}
		till.Return(t, back(till, sale, entry.ReturnLine{No: 1, Quantity: 2000}))
		if !voidFirst {
			till.Void(t, sale.ID, account)
		}
		deliver(t, hq, till)
		if got := hq.Holding(t, account, "points"); got.Free != 500 || got.Overdraft != 0 {
			t.Errorf("void first %v: points %+v", voidFirst, got)
		}
		if list := hq.Exceptions(t, ledger.ReturnExceedsSale); len(list) == 1 != voidFirst {
			t.Errorf("void first %v: exceptions %+v", voidFirst, list)
		}
	}
}
