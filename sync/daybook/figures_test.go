package daybook_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

func sale(cashier, currency string, total int64) entry.Sale {
	return entry.Sale{
		Cashier: cashier, Total: entry.Money{Currency: currency, Minor: total},
		Earned:   []entry.Earning{{Unit: "points", Amount: total / 100}},
		Redeemed: []entry.Redemption{{Unit: "points", Amount: 7, Basis: entry.BasisStandIn, Discount: 5}},
	}
}

// Entries that come in another order, as from a journal read backwards, make the same day.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		sales := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) entry.Sale {
			return sale(fmt.Sprint(rapid.IntRange(0, 130).Draw(r, "cashier")), rapid.SampledFrom([]string{"EUR", "TRY"}).Draw(r, "currency"), rapid.Int64Range(10, 9999).Draw(r, "total"))
		}), 0, 300).Draw(r, "sales")
		close := func(sales []entry.Sale) (c entry.DayClose) {
			var f daybook.Figures
			for _, s := range sales {
				f.Count(entry.KindSale)
				f.Sale(s)
			}
			f.Fill(&c)
			return c
		}
		one, other := close(sales), close(rapid.Permutation(sales).Draw(r, "order"))
		if !reflect.DeepEqual(one, other) {
			r.Fatalf("%+v\n%+v", one, other)
		}
	})
}

func TestManyCashiersShareARow(t *testing.T) {
	var f daybook.Figures
	for n := range daybook.MaxCashiers + 20 {
		f.Sale(sale(fmt.Sprintf("%04d", n), "EUR", 105))
	}
	f.Void(entry.Void{Cashier: "9999"}, sale("", "TRY", 205))
	f.Return(entry.Return{Cashier: "9998", Refund: entry.Money{Currency: "EUR", Minor: 3}})
	var c entry.DayClose
	f.Fill(&c)
	rest := c.Cashiers[daybook.MaxCashiers:]
	want := []entry.DayCashier{
		{Currency: "EUR", Sales: 20, Returns: 1, Taken: 2000, Refunded: 3, Others: true},
		{Currency: "TRY", Voids: 1, Undone: 200, Others: true},
	}
	if !reflect.DeepEqual(rest, want) {
		t.Errorf("%+v", rest)
	}
}

// A sum that wrapped around would look like a figure.
func TestSumsStayAtTheEnd(t *testing.T) {
	var f daybook.Figures
	for range 3 {
		f.Sale(entry.Sale{Total: entry.Money{Currency: "EUR", Minor: math.MaxInt64 - 1}})
		f.Return(entry.Return{Refund: entry.Money{Currency: "EUR", Minor: math.MinInt64 + 1}})
	}
	var c entry.DayClose
	if f.Fill(&c); c.Money[0].Total != math.MaxInt64 || c.Money[1].Total != math.MinInt64 {
		t.Errorf("%+v", c.Money)
	}
}

// Somebody who is signed in is told by the id; what the till software says is another.
func TestCashiersAreToldByTheirIDs(t *testing.T) {
	var f daybook.Figures
	for n := range byte(3) {
		s := sale("", "EUR", 105)
		s.CashierID = uuid.UUID{n % 2}
		f.Sale(s)
	}
	var c entry.DayClose
	f.Fill(&c)
	want := []entry.DayCashier{
		{Currency: "EUR", Sales: 2, Taken: 200},
		{Currency: "EUR", Sales: 1, Taken: 100, CashierID: uuid.UUID{1}},
	}
	if !reflect.DeepEqual(c.Cashiers, want) {
		t.Errorf("%+v", c.Cashiers)
	}
}
