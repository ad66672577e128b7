package till_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Whatever happens in whatever order, the figures of every close and of the open day are
// what the journal says, added up in the simplest way.
func TestDaysEqualTheJournal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newShop(t, func(s *shop) {
			s.Policy.ClaimDays = 10
			s.Policy.PerMemberDay, s.Policy.PerTerminal = 1<<40, 1<<40
		})
		w := &workday{shop: s}
		defer func() { _ = s.till.Close() }()
		r.Repeat(map[string]func(*rapid.T){
			"sale": w.sale, "void": w.void, "return": w.bringBack, "quote": w.quote, "close": w.close, "restart": w.restart,
			"lose the cache": w.lose, "time goes by": w.wait, "tend": func(r *rapid.T) { w.tend(r) }, "": w.check,
		})
	})
}

// workday is one run beside a till.
type workday struct {
	*shop
	n     int
	sales []uuid.UUID
}

func (w *workday) key(of string) string { w.n++; return fmt.Sprint(of, w.n) }

func (w *workday) sale(r *rapid.T) {
	req := till.Request{Basket: tilltest.Basket(rapid.Int64Range(500, 5000).Draw(r, "total"))}
	if rapid.Bool().Draw(r, "card") {
		var wishes []loyalty.Wish
		if rapid.Bool().Draw(r, "redeem") {
			wishes = append(wishes, points(w.five, 1))
		}
		req = w.buy(r, req.Basket.Total, wishes...)
	}
	c := tilltest.Commit(w.key("sale "), req)
	c.Cashier = rapid.SampledFrom([]string{"", "7", "8"}).Draw(r, "cashier")
	sale, err := w.till.Commit(context.Background(), c)
	if err != nil {
		r.Fatal(err)
	}
	w.sales = append(w.sales, sale.Body.ID)
}

func (w *workday) some(r *rapid.T) uuid.UUID {
	if len(w.sales) == 0 {
		r.Skip("no sale yet")
	}
	return rapid.SampledFrom(w.sales).Draw(r, "sale")
}

func (w *workday) void(r *rapid.T) {
	_, err := w.till.Void(context.Background(), till.Void{Sale: w.some(r), Key: w.key("void "), Cashier: "8"})
	if code := problem.CodeOf(err); err != nil && code != problem.SaleVoided && code != problem.SaleHasReturns {
		r.Fatal(err)
	}
}

func (w *workday) bringBack(r *rapid.T) {
	back := till.Return{Refund: &entry.Money{Currency: "EUR", Minor: 5}, Key: w.key("return ")}
	if rapid.Bool().Draw(r, "known") {
		back = till.Return{Sale: w.some(r), Key: back.Key, Lines: []till.ReturnLine{{No: 1, Quantity: rapid.Int64Range(1, 900).Draw(r, "quantity")}}}
	}
	_, err := w.till.Return(context.Background(), back)
	if code := problem.CodeOf(err); err != nil && code != problem.SaleVoided && code != problem.ReturnTooMuch {
		r.Fatal(err)
	}
}

func (w *workday) quote(r *rapid.T) {
	if _, err := w.till.Quote(context.Background(), w.buy(r, 1000, points(w.five, 1))); err != nil {
		r.Fatal(err)
	}
}

func (w *workday) close(r *rapid.T) {
	before := w.day(r)
	c, err := w.till.CloseDay(context.Background(), till.NewDayClose{Key: w.key("close ")})
	if err != nil && (before.Closable() || problem.CodeOf(err) != problem.DayNotBegun) || err == nil && !before.Closable() {
		r.Fatalf("%+v was closed: %v", before, err)
	}
	if err == nil && c.Body.Date != before.Body.Date {
		r.Fatalf("%s was closed, %s was open", c.Body.Date, before.Body.Date)
	}
}

func (w *workday) restart(r *rapid.T) {
	if err := w.till.Close(); err != nil {
		r.Fatal(err)
	}
	w.till, _ = w.Open(r, w.journal, w.state)
}

func (w *workday) lose(r *rapid.T) {
	if err := w.till.Close(); err != nil {
		r.Fatal(err)
	}
	w.state = tilltest.NewState()
	w.till, _ = w.Open(r, w.journal, w.state)
	w.Restart()
	w.Feed(r, w.till, append(w.Base(r), w.Item(r, wire.ItemMember, w.member.ID, w.member), w.Item(r, wire.ItemReward, w.five.ID, w.five))...)
}

func (w *workday) wait(r *rapid.T) {
	w.Pass(time.Duration(rapid.IntRange(1, 40).Draw(r, "hours")) * time.Hour)
	w.Feed(r, w.till)
}

// naive is what entries add up to, each sum under a name of its own.
type naive map[string]int64

func (n naive) sale(as string, cashier string, s entry.Sale) {
	paid := s.Total.Minor
	for _, e := range s.Earned {
		n[as+" earned "+e.Unit] += e.Amount
	}
	for _, x := range s.Redeemed {
		n[fmt.Sprint(as, " redeemed ", x.Unit, x.Basis)] += x.Amount
		paid -= x.Discount
	}
	n[as+" total"] += s.Total.Minor
	n[as+" net"] += paid
	n[as+" by "+cashier] += paid
	if as == "sale" && s.Claim != uuid.Nil {
		n["claims"]++
	}
}

// naiveOf says the same of a close.
func naiveOf(c entry.DayClose) naive {
	n := naive{}
	for _, k := range c.Kinds {
		n["count "+k.Kind.String()] = int64(k.Count)
	}
	for _, m := range c.Money {
		n[m.Kind.String()+" total"], n[m.Kind.String()+" net"] = m.Total, m.Total-m.Discount
		n["unmatched"] += int64(m.Unmatched)
	}
	for _, a := range c.Amounts {
		name := a.Kind.String() + " earned " + a.Unit
		if a.Flow == entry.DayRedeemed {
			name = fmt.Sprint(a.Kind, " redeemed ", a.Unit, a.Basis)
		}
		n[name] = a.Amount
	}
	for _, x := range c.Cashiers {
		n["sale by "+x.Cashier], n["void by "+x.Cashier], n["return by "+x.Cashier] = x.Taken, x.Undone, x.Refunded
	}
	n["claims"] = int64(c.Claims)
	maps.DeleteFunc(n, func(_ string, v int64) bool { return v == 0 })
	return n
}

// check goes through the whole journal.
func (w *workday) check(r *rapid.T) {
	run, err := w.journal.Read(context.Background(), 1, 1<<30, 0)
	if err != nil {
		r.Fatal(err)
	}
	sum, first, traded := naive{}, uint64(1), entry.Date(0)
	sales, closed := map[uuid.UUID]entry.Sale{}, map[entry.Date]bool{}
	for i, raw := range run.Entries {
		e, err := entry.Decode(raw)
		if err != nil {
			r.Fatal(err)
		}
		if closed[e.BusinessDate] {
			r.Fatalf("entry %d is on %s, which is closed", i+1, e.BusinessDate)
		}
		if daybook.Trades(e.Kind) {
			if traded != 0 && traded != e.BusinessDate {
				r.Fatalf("entry %d is on %s among those of %s", i+1, e.BusinessDate, traded)
			}
			traded = e.BusinessDate
		}
		if e.Kind != entry.KindDayClose {
			sum.add(r, e, sales)
			continue
		}
		c := must[entry.DayClose](r, e)
		maps.DeleteFunc(sum, func(_ string, v int64) bool { return v == 0 })
		if c.First != first || c.Last != uint64(i) || c.Date != e.BusinessDate || traded != 0 && traded != c.Date || !maps.Equal(sum, naiveOf(c)) {
			r.Fatalf("close %d: %+v\nof entries from %d on %s: %v", i+1, c, first, traded, sum)
		}
		sum, first, traded, closed[c.Date] = naive{}, uint64(i+2), 0, true
	}
	maps.DeleteFunc(sum, func(_ string, v int64) bool { return v == 0 })
	if open := w.day(r); open.Body.First != first || open.Body.Last != uint64(len(run.Entries)) || !maps.Equal(sum, naiveOf(open.Body)) {
		r.Fatalf("the open day: %+v\nentries from %d: %v", open.Body, first, sum)
	}
}

func (n naive) add(r *rapid.T, e entry.Entry, sales map[uuid.UUID]entry.Sale) {
	n["count "+e.Kind.String()]++
	switch e.Kind {
	case entry.KindSale:
		s := must[entry.Sale](r, e)
		sales[s.ID] = s
		n.sale("sale", s.Cashier, s)
	case entry.KindVoid:
		v := must[entry.Void](r, e)
		n.sale("void", v.Cashier, sales[v.Sale])
	case entry.KindReturn:
		b := must[entry.Return](r, e)
		n["return total"] += b.Refund.Minor
		n["return net"] += b.Refund.Minor
		n["return by "+b.Cashier] += b.Refund.Minor
		if !b.Matched {
			n["unmatched"]++
		}
	}
}

func must[T any](r *rapid.T, e entry.Entry) T {
	body, err := entry.DecodeBody[T](e)
	if err != nil {
		r.Fatal(err)
	}
	return body
}
