package print

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// day lays out a close.
func (r *receipt) day(b entry.DayClose) {
	r.head(r.words.dayClosed, "")
	r.strong(r.words.closeOf, b.Date.Time().Format(r.words.clock[:len(r.words.clock)-len(" 15:04")]))
	reason := r.words.over
	if b.Reason == entry.DayCloseByHand {
		reason = r.words.byHand
	}
	r.text(reason)
	r.pair(r.words.entries, fmt.Sprintf("%d - %d", b.First, b.Last))
	if len(b.Head) == len(journal.Hash{}) {
		r.pair(r.words.head, journal.Hash(b.Head).Short())
	}
	for _, m := range b.Money {
		r.rule()
		r.strong(r.kind(m.Kind), r.Language.number(int64(m.Count)))
		r.pair(r.words.total, r.money(m.Currency, m.Total))
		if m.Discount != 0 {
			r.pair(r.words.discount, r.money(m.Currency, -m.Discount))
			r.pair(r.words.net, r.money(m.Currency, m.Total-m.Discount))
		}
		for _, a := range b.Amounts {
			if a.Kind == m.Kind {
				r.pair(r.flow(a), r.amount(a.Unit, a.Amount))
			}
		}
	}
	r.rule()
	r.pair(r.words.claimsPrinted, r.Language.number(int64(b.Claims)))
	r.pair(r.words.holds, r.Language.number(int64(b.Held)))
	r.pair(r.words.waiting, r.Language.number(int64(b.Waiting)))
	if len(b.Cashiers) > 0 {
		r.rule()
		r.strong(r.words.cashiers, "")
	}
	for _, c := range b.Cashiers {
		r.pair(r.who(c), r.money(c.Currency, c.Taken-c.Undone-c.Refunded))
	}
}

func (r *receipt) kind(k entry.Kind) string {
	switch k {
	case entry.KindSale:
		return r.words.sales
	case entry.KindVoid:
		return r.words.voids
	case entry.KindReturn:
		return r.words.returns
	}
	return k.String()
}

func (r *receipt) flow(a entry.DayAmount) string {
	if a.Flow == entry.DayEarned {
		return r.words.earned
	}
	basis := map[entry.Basis]string{
		entry.BasisAllowance: r.words.allowance, entry.BasisStandIn: r.words.standIn, entry.BasisHQAuthorised: r.words.hqAuthorised,
	}[a.Basis]
	if basis == "" {
		return r.words.redeemed
	}
	return r.words.redeemed + " (" + basis + ")"
}

func (r *receipt) who(c entry.DayCashier) string {
	switch {
	case c.Others:
		return r.words.others
	case c.CashierID != uuid.Nil && r.paper.Cashiers[c.CashierID] != "":
		return r.paper.Cashiers[c.CashierID]
	case c.CashierID != uuid.Nil:
		return c.CashierID.String()[:8]
	case c.Cashier == "":
		return r.words.nobody
	}
	return c.Cashier
}
