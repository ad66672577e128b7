package ledger_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

const most = loyalty.MaxAmount

// badWorld is an HQ with a till that has sold to Ann.
type badWorld struct {
	*books.HQ
	t    *testing.T
	till *books.Till
	ann  uuid.UUID
	sold entry.Sale
}

// badInput is something that a till says, and what HQ makes of it.
type badInput struct {
	name string
	bad  func(w *badWorld)
	want []ledger.ExceptionKind // none: it is no exception
	left int64                  // points besides those of the sales around it
}

// says is a sale that was changed.
func says(change func(w *badWorld, s *entry.Sale)) func(w *badWorld) {
	return func(w *badWorld) {
		sale := w.till.Sale(w.t, w.ann, 500, 0)
		change(w, &sale)
		w.till.Write(w.t, entry.KindSale, sale)
	}
}

// saysBack says a return, changed, of the sale that was made.
func saysBack(change func(w *badWorld, r *entry.Return)) func(w *badWorld) {
	return func(w *badWorld) {
		r := entry.Return{Sale: w.sold.ID, Origin: w.till.ID, Account: w.ann, Matched: true}
		change(w, &r)
		w.till.Return(w.t, r)
	}
}

var badSales = []badInput{
	{"an earning above what can be", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Amount = most + 1 }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"an earning at the edge of int64", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Amount = math.MaxInt64 }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"an earning as large as can be", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Amount = most }), []ledger.ExceptionKind{ledger.EarningDiffers}, 5},
	{"an earning of zero", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Amount = 0 }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"a negative earning", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Amount = -5 }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"an earning without unit", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Unit = "" }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"an earning of voucher uses", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Unit = loyalty.UseUnit("x") }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"an earning that vests and expires at the edges of time", says(func(_ *badWorld, s *entry.Sale) {
		s.Earned[0].VestsAt, s.Earned[0].ExpiresAt = math.MaxInt64, math.MinInt64
	}), nil, 5},
	{"a negative total", says(func(_ *badWorld, s *entry.Sale) { s.Total.Minor = -500 }), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"a total of zero", says(func(_ *badWorld, s *entry.Sale) { s.Total.Minor = 0 }), []ledger.ExceptionKind{ledger.EarningDiffers}, 0},
	{"a redemption of zero", says(func(_ *badWorld, s *entry.Sale) {
		s.Redeemed = []entry.Redemption{{Unit: "points"}}
	}), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"a negative redemption", says(func(_ *badWorld, s *entry.Sale) {
		s.Redeemed = []entry.Redemption{{Unit: "points", Amount: -1}}
	}), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"discounts that do not add up", says(func(_ *badWorld, s *entry.Sale) {
		s.Redeemed = []entry.Redemption{{Unit: "points", Amount: 1, Discount: most}, {Unit: "points", Amount: 1, Discount: most}}
	}), []ledger.ExceptionKind{ledger.InvalidEntry}, 0},
	{"a redemption that overdraws", says(func(_ *badWorld, s *entry.Sale) {
		s.Earned, s.Redeemed = nil, []entry.Redemption{{Unit: "points", Amount: 1000, Discount: 10}}
	}), []ledger.ExceptionKind{ledger.Overdraw}, -1000},
	{"an unknown unit earned", says(func(_ *badWorld, s *entry.Sale) { s.Earned[0].Unit = "moons" }), []ledger.ExceptionKind{ledger.UnitUnknown}, 0},
	{"an unknown unit redeemed", says(func(_ *badWorld, s *entry.Sale) {
		s.Earned, s.Redeemed = nil, []entry.Redemption{{Unit: "moons", Amount: 1, Discount: 10}}
	}), []ledger.ExceptionKind{ledger.UnitUnknown}, 0},
	{"an unknown voucher", says(func(w *badWorld, s *entry.Sale) {
		s.Earned, s.Redeemed = nil, []entry.Redemption{{Voucher: w.ID, Amount: 1, Discount: 10}}
	}), []ledger.ExceptionKind{ledger.VoucherOveruse}, 0},
	{"an unknown member", says(func(w *badWorld, s *entry.Sale) { s.Account = w.ID }), []ledger.ExceptionKind{ledger.UnknownMember, ledger.UnknownMember}, 0},
	{"unknown rules", says(func(_ *badWorld, s *entry.Sale) { s.RuleSet = 99 }), []ledger.ExceptionKind{ledger.EarningDiffers}, 0},
	{"a sale id twice", says(func(w *badWorld, s *entry.Sale) { s.ID = w.sold.ID }), []ledger.ExceptionKind{ledger.SaleRepeated}, 0},
}

var badOthers = []badInput{
	{"from the future", func(w *badWorld) {
		w.till.Skip(48 * time.Hour)
		w.till.Sell(w.t, w.ann, 500, 0)
		w.till.Skip(-48 * time.Hour)
	}, []ledger.ExceptionKind{ledger.ClockAhead}, 5},
	{"from a revoked terminal", func(w *badWorld) {
		w.till.State = ingest.StateRevoked
		w.till.Sell(w.t, w.ann, 500, 0)
	}, []ledger.ExceptionKind{ledger.Unproven}, -5}, // the sale behind it waits, too
	{"a void of no sale", func(w *badWorld) { w.till.Void(w.t, w.ID, w.ann) }, []ledger.ExceptionKind{ledger.VoidWithoutSale}, 0},
	{"a void twice", func(w *badWorld) {
		w.till.Void(w.t, w.sold.ID, w.ann)
		w.till.Void(w.t, w.sold.ID, w.ann)
	}, nil, -9},
	{"a return of no sale", saysBack(func(w *badWorld, r *entry.Return) { r.Sale = w.ID }), []ledger.ExceptionKind{ledger.ReturnUnmatched}, 0},
	{"a return of more money than was paid", saysBack(func(_ *badWorld, r *entry.Return) { r.Refund.Minor = 901 }), []ledger.ExceptionKind{ledger.ReturnExceedsSale}, -9},
	{"a return of an endless sum", saysBack(func(_ *badWorld, r *entry.Return) { r.Refund.Minor = math.MaxInt64 }), []ledger.ExceptionKind{ledger.ReturnExceedsSale}, -9},
	{"a return of less than nothing", saysBack(func(_ *badWorld, r *entry.Return) { r.Refund.Minor = math.MinInt64 }), []ledger.ExceptionKind{ledger.ReturnExceedsSale}, 0},
	{"a return of a line that was not sold", saysBack(func(_ *badWorld, r *entry.Return) {
		r.Lines = []entry.ReturnLine{{No: 7, Quantity: 1000, Amount: 5}}
	}), []ledger.ExceptionKind{ledger.ReturnExceedsSale}, 0},
	{"a return twice", func(w *badWorld) {
		for range 2 {
			w.till.Return(w.t, entry.Return{Sale: w.sold.ID, Origin: w.till.ID, Account: w.ann, Matched: true, Whole: true})
		}
	}, []ledger.ExceptionKind{ledger.ReturnExceedsSale}, -9},
}

// Whatever a terminal says happened is taken: it becomes an exception, never an
// error, and what came behind it in the queue is posted. No amount wraps, all books
// sum to zero, and the account folds to what it is.
func TestBadInput_Ledger(t *testing.T) {
	for _, c := range slices.Concat(badSales, badOthers) {
		t.Run(c.name, func(t *testing.T) {
			w := &badWorld{HQ: books.New(t), t: t}
			w.ann, w.till = w.Member(t, "ann", 100), w.Till(t, "1")
			w.sold = w.till.Sale(t, w.ann, 900, 0)
			w.till.Write(t, entry.KindSale, w.sold)
			w.till.Sync(t, 1)
			from := len(w.till.Entries) + 1
			c.bad(w)
			w.till.Sell(t, w.ann, 500, 0) // behind it
			w.till.Sync(t, from)
			w.Apply(t)
			seen := map[ledger.ExceptionKind]int{}
			for _, e := range w.Exceptions(t, "") {
				seen[e.Kind]++
			}
			want := map[ledger.ExceptionKind]bool{}
			for _, kind := range c.want {
				want[kind] = true
			}
			for kind := range want {
				if seen[kind] == 0 {
					t.Errorf("no %s among %v", kind, seen)
				}
			}
			for kind := range seen {
				if !want[kind] {
					t.Errorf("%s among %v", kind, seen)
				}
			}
			if got := w.Holding(t, w.ann, "points").Balance(); got != 100+9+5+c.left {
				t.Errorf("%d points, want %d", got, 100+9+5+c.left)
			}
			checkTrialBalance(t, w.HQ)
			w.Verify(t)
		})
	}
}
