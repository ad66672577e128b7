package daybook

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// MaxCashiers is how many cashiers a close names; the others share a row.
const MaxCashiers = 100

// Figures are running sums. The zero value is an empty day. It is not safe for concurrent
// use.
type Figures struct {
	kinds    map[entry.Kind]uint64
	money    map[moneyKey]entry.DayMoney
	amounts  map[amountKey]entry.DayAmount
	cashiers map[cashierKey]entry.DayCashier
	claims   uint64
}

type moneyKey struct {
	kind     entry.Kind
	currency string
}

type amountKey struct {
	kind  entry.Kind
	flow  entry.DayFlow
	unit  string
	basis entry.Basis
}

type cashierKey struct {
	cashier  string
	id       uuid.UUID
	currency string
}

// Trades says whether entries of a kind are what a shop does, and so belong to the business
// date they are made on; all others are the terminal's own.
func Trades(k entry.Kind) bool {
	switch k {
	case entry.KindSale, entry.KindVoid, entry.KindReturn, entry.KindEnrolMember, entry.KindClaim:
		return true
	}
	return false
}

// Count adds an entry of any kind. Sales, voids and returns are added by their own calls
// too.
func (f *Figures) Count(k entry.Kind) {
	if f.kinds == nil {
		f.kinds = map[entry.Kind]uint64{}
	}
	f.kinds[k]++
}

// Sale adds a sale.
func (f *Figures) Sale(s entry.Sale) {
	f.trade(entry.KindSale, s)
	paid := plus(s.Total.Minor, -discount(s))
	f.cashier(s.Cashier, s.Hands, s.Total.Currency, func(c *entry.DayCashier) { c.Sales++; c.Taken = plus(c.Taken, paid) })
	if s.Claim != uuid.Nil {
		f.claims++
	}
}

// Void adds a void of a sale.
func (f *Figures) Void(v entry.Void, sale entry.Sale) {
	f.trade(entry.KindVoid, sale)
	paid := plus(sale.Total.Minor, -discount(sale))
	f.cashier(v.Cashier, v.Hands, sale.Total.Currency, func(c *entry.DayCashier) { c.Voids++; c.Undone = plus(c.Undone, paid) })
}

// Return adds a return.
func (f *Figures) Return(r entry.Return) {
	f.addMoney(entry.KindReturn, r.Refund.Currency, func(m *entry.DayMoney) {
		m.Total = plus(m.Total, r.Refund.Minor)
		if !r.Matched {
			m.Unmatched++
		}
	})
	f.cashier(r.Cashier, r.Hands, r.Refund.Currency, func(c *entry.DayCashier) {
		c.Returns++
		c.Refunded = plus(c.Refunded, r.Refund.Minor)
	})
}

// trade adds what a sale moved, under the kind of the entry that did or undid it.
func (f *Figures) trade(kind entry.Kind, s entry.Sale) {
	f.addMoney(kind, s.Total.Currency, func(m *entry.DayMoney) {
		m.Total, m.Discount = plus(m.Total, s.Total.Minor), plus(m.Discount, discount(s))
	})
	for _, e := range s.Earned {
		f.addAmount(amountKey{kind, entry.DayEarned, e.Unit, 0}, e.Amount, 0)
	}
	for _, r := range s.Redeemed {
		f.addAmount(amountKey{kind, entry.DayRedeemed, r.Unit, r.Basis}, r.Amount, r.Discount)
	}
}

func (f *Figures) addMoney(kind entry.Kind, currency string, add func(*entry.DayMoney)) {
	if f.money == nil {
		f.money = map[moneyKey]entry.DayMoney{}
	}
	key := moneyKey{kind, currency}
	m := f.money[key]
	m.Kind, m.Currency = kind, currency
	m.Count++
	add(&m)
	f.money[key] = m
}

func (f *Figures) addAmount(key amountKey, n, discount int64) {
	if f.amounts == nil {
		f.amounts = map[amountKey]entry.DayAmount{}
	}
	a := f.amounts[key]
	a.Kind, a.Flow, a.Unit, a.Basis = key.kind, key.flow, key.unit, key.basis
	a.Count++
	a.Amount, a.Discount = plus(a.Amount, n), plus(a.Discount, discount)
	f.amounts[key] = a
}

func (f *Figures) cashier(name string, hands entry.Hands, currency string, add func(*entry.DayCashier)) {
	if f.cashiers == nil {
		f.cashiers = map[cashierKey]entry.DayCashier{}
	}
	key := cashierKey{name, hands.CashierID, currency}
	c := f.cashiers[key]
	c.Cashier, c.CashierID, c.Currency = name, hands.CashierID, currency
	add(&c)
	f.cashiers[key] = c
}

// Fill writes the sums into a close, rows in a fixed order.
func (f *Figures) Fill(c *entry.DayClose) {
	c.Kinds = nil
	for _, k := range slices.Sorted(maps.Keys(f.kinds)) {
		c.Kinds = append(c.Kinds, entry.DayKind{Kind: k, Count: f.kinds[k]})
	}
	c.Money = slices.SortedFunc(maps.Values(f.money), func(a, b entry.DayMoney) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Currency, b.Currency))
	})
	c.Amounts = slices.SortedFunc(maps.Values(f.amounts), func(a, b entry.DayAmount) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Basis, b.Basis))
	})
	c.Cashiers, c.Claims = f.named(), f.claims
}

// named returns the rows of the first cashiers by their code, and one for each currency
// that sums all others up.
func (f *Figures) named() []entry.DayCashier {
	all := slices.SortedFunc(maps.Values(f.cashiers), func(a, b entry.DayCashier) int {
		return cmp.Or(cmp.Compare(a.Cashier, b.Cashier), bytes.Compare(a.CashierID[:], b.CashierID[:]), cmp.Compare(a.Currency, b.Currency))
	})
	if len(all) <= MaxCashiers {
		return all
	}
	others := map[string]entry.DayCashier{}
	for _, c := range all[MaxCashiers:] {
		sum := others[c.Currency]
		sum.Currency, sum.Others = c.Currency, true
		sum.Sales, sum.Voids, sum.Returns = sum.Sales+c.Sales, sum.Voids+c.Voids, sum.Returns+c.Returns
		sum.Taken, sum.Undone, sum.Refunded = plus(sum.Taken, c.Taken), plus(sum.Undone, c.Undone), plus(sum.Refunded, c.Refunded)
		others[c.Currency] = sum
	}
	return append(all[:MaxCashiers:MaxCashiers], slices.SortedFunc(maps.Values(others), func(a, b entry.DayCashier) int {
		return cmp.Compare(a.Currency, b.Currency)
	})...)
}

func discount(s entry.Sale) int64 {
	var sum int64
	for _, r := range s.Redeemed {
		sum = plus(sum, r.Discount)
	}
	return sum
}

// plus adds, and stays at the ends of the range: a sum that wrapped would look like a
// figure.
func plus(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
