package truth

import (
	"cmp"
	"slices"
	"time"
)

// Deals are what was agreed between those who settle. Stores and parties are numbers; the
// party [Programme] owns the stores of nobody.
type Deals struct {
	Stores []Place
	Owners []Owner
	Prices []Price
	Rates  []Rate
	Fee    int64 // of the honouring party, hundredths of a percent
}

// Place is where a store is.
type Place struct {
	Currency string
	Zone     *time.Location
}

// Owner gives a store to a party. Of two terms with one date the later known one holds.
type Owner struct {
	Store, Party int
	From         uint32
	Known        int64
}

// Price is what 1,000 points are worth, in minor units.
type Price struct {
	Currency    string
	From        uint32
	PerThousand int64
	Known       int64
}

// Rate says that one of Base is Num ÷ Den of Quote.
type Rate struct {
	Base, Quote string
	Num, Den    int64
}

// LineKey tells apart what parties owe. Fees stand with Fee set.
type LineKey struct {
	FromStore, ToStore int
	Day                uint32
	Repaid, Fee        bool
	From, To           int
	Debit, Credit      string
}

// Line is points and thousandths of minor units.
type Line struct{ Points, Debit, Credit int64 }

// Lines is all that parties owe each other for days through a month (YYYYMM), of all that
// was known at a moment, by the terms known then.
func (b *Book) Lines(d *Deals, through uint32, known int64) map[LineKey]Line {
	out := map[LineKey]Line{}
	for id := range b.facts {
		for _, f := range b.Fold(id, Ever, known).Flows {
			d.add(f, through, known, out)
		}
	}
	for key, l := range out {
		if l == (Line{}) || key.From == key.To {
			delete(out, key)
		}
	}
	return out
}

// dayIn is a date, YYYYMMDD.
func dayIn(at int64, zone *time.Location) uint32 {
	t := time.UnixMilli(at).In(zone)
	return uint32(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

// place is that of a store; of the programme that of the other store.
func (d *Deals) place(store, other int) Place {
	if store == Programme {
		store = other
	}
	return d.Stores[store]
}

// add adds what a flow means between parties. Who issued points pays who honoured them, or
// the programme when they paid a debt; for points that were not there the programme pays.
func (d *Deals) add(f Flow, through uint32, known int64, out map[LineKey]Line) {
	key, points := LineKey{FromStore: Programme, ToStore: Programme}, f.Amount
	switch f.What {
	case Redeemed:
		key.ToStore = f.By.Store
	case Restored:
		key.ToStore, points = f.By.Store, -points
	case Repaid:
		key.Repaid = true
	case Borne:
		key.Repaid, points = true, -points
	default:
		return
	}
	if f.Lot != nil {
		key.FromStore = f.Lot.Issuer
	}
	if key.FromStore == Programme && key.ToStore == Programme {
		return
	}
	priced, done := f.At, f.At
	if f.Of != nil {
		priced = f.Of.At
		if f.By.Kind == Void {
			done = priced
		}
	}
	to, from := d.place(key.ToStore, key.FromStore), d.place(key.FromStore, key.ToStore)
	key.Day = dayIn(priced, to.Zone)
	if key.Day/100 > through {
		return
	}
	issued := key.Day
	if f.Lot != nil && key.FromStore != Programme {
		issued = dayIn(f.Lot.EarnedAt, from.Zone)
	}
	key.From, key.To = d.owner(key.FromStore, issued, known), d.owner(key.ToStore, dayIn(done, to.Zone), known)
	key.Debit, key.Credit = to.Currency, to.Currency
	l := Line{Points: points, Credit: points * d.price(to.Currency, key.Day, known)}
	l.Debit = l.Credit
	if key.FromStore != Programme && from.Currency != to.Currency && key.From != Programme && key.From != key.To {
		key.Debit, l.Debit = from.Currency, d.convert(l.Credit, to.Currency, from.Currency)
	}
	plus(out, key, l)
	if fee := l.Credit * d.Fee / 10_000; !key.Repaid && key.From != key.To && key.To != Programme && fee != 0 {
		key.Fee, key.From, key.To, key.Debit = true, key.To, Programme, key.Credit
		plus(out, key, Line{Points: points, Debit: fee, Credit: fee})
	}
}

func plus(out map[LineKey]Line, key LineKey, l Line) {
	was := out[key]
	out[key] = Line{was.Points + l.Points, was.Debit + l.Debit, was.Credit + l.Credit}
}

// owner is whose a store was on a date.
func (d *Deals) owner(store int, on uint32, known int64) int {
	party, since := Programme, uint32(0)
	for _, o := range d.Owners {
		if o.Store == store && o.Known <= known && o.From <= on && o.From >= since {
			party, since = o.Party, o.From
		}
	}
	return party
}

func (d *Deals) price(currency string, on uint32, known int64) int64 {
	price, since := int64(0), uint32(0)
	for _, p := range d.Prices {
		if p.Currency == currency && p.Known <= known && p.From <= on && p.From >= since {
			price, since = p.PerThousand, p.From
		}
	}
	return price
}

func (d *Deals) convert(amount int64, base, quote string) int64 {
	for _, r := range d.Rates {
		if r.Base == base && r.Quote == quote {
			return amount * r.Num / r.Den
		}
	}
	return 0
}

// Less takes away what was owed before, and leaves out what is as it was.
func Less(now, before map[LineKey]Line) map[LineKey]Line {
	out := map[LineKey]Line{}
	for key, l := range now {
		b := before[key]
		if d := (Line{l.Points - b.Points, l.Debit - b.Debit, l.Credit - b.Credit}); d != (Line{}) {
			out[key] = d
		}
	}
	for key, b := range before {
		if _, still := now[key]; !still {
			out[key] = Line{-b.Points, -b.Debit, -b.Credit}
		}
	}
	return out
}

// Due is what a party is owed and owes in a currency, in minor units.
type Due struct{ Owed, Owes int64 }

// DueKey names a party and a currency.
type DueKey struct {
	Party    int
	Currency string
}

// Dues sums up the lines of a month, rounded as one sum for each pair of parties, kind,
// pair of currencies and month that is corrected: to the nearest unit, halves to the even one.
func Dues(lines map[LineKey]Line, month uint32) map[DueKey]Due {
	type group struct {
		key LineKey
		of  uint32
	}
	sums := map[group]Line{}
	for key, l := range lines {
		g := group{LineKey{Repaid: key.Repaid, Fee: key.Fee, From: key.From, To: key.To, Debit: key.Debit, Credit: key.Credit}, 0}
		if of := key.Day / 100; of < month {
			g.of = of
		}
		s := sums[g]
		sums[g] = Line{0, s.Debit + l.Debit, s.Credit + l.Credit}
	}
	out := map[DueKey]Due{}
	add := func(party int, currency string, owed, owes int64) {
		key := DueKey{party, currency}
		out[key] = Due{out[key].Owed + owed, out[key].Owes + owes}
	}
	for g, s := range sums {
		if debit := rounded(s.Debit); g.key.From != Programme {
			add(g.key.From, g.key.Debit, 0, debit)
			add(Programme, g.key.Debit, debit, 0)
		}
		if credit := rounded(s.Credit); g.key.To != Programme {
			add(g.key.To, g.key.Credit, credit, 0)
			add(Programme, g.key.Credit, 0, credit)
		}
	}
	return out
}

// rounded is thousandths as whole units.
func rounded(n int64) int64 {
	whole, rest := n/1000, n%1000
	if rest < 0 {
		whole, rest = whole-1, rest+1000
	}
	if rest > 500 || rest == 500 && whole%2 != 0 {
		whole++
	}
	return whole
}

// Sorted lists keys in a fixed order.
func Sorted(lines map[LineKey]Line) []LineKey {
	out := make([]LineKey, 0, len(lines))
	for key := range lines {
		out = append(out, key)
	}
	slices.SortFunc(out, func(a, b LineKey) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.FromStore, b.FromStore), cmp.Compare(a.ToStore, b.ToStore), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}
