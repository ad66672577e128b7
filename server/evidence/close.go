package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Close is what a terminal said at the end of a day beside what its entries say. Lines are
// the figures that differ. Cut says that the range has more entries than were read, so that
// nothing was compared; Unmatched counts voids whose sale is not in the range, which can
// explain a difference.
type Close struct {
	Date        entry.Date
	First, Last uint64
	Lines       []Difference
	Unmatched   int
	Cut         bool
}

// Difference is one figure. Entries are the numbers of those that come to just what it
// differs by: it can be told which entry was left out or counted twice when there is one.
type Difference struct {
	Figure      string // as in "money sale EUR total"
	Said, Found int64
	Entries     []uint64
}

// Bounds of a comparison.
const (
	maxRange    = 4000
	maxSuspects = 5
)

func (s *Service) close(ctx context.Context, e ledger.Exception) (*Close, error) {
	found, err := s.store.EntriesAt(ctx, e.Terminal, e.Epoch, e.Seq)
	if err != nil {
		return nil, fmt.Errorf("read close: %w", err)
	}
	i := slices.IndexFunc(found, func(x ledger.Entry) bool { return x.Hash == e.Source })
	if i < 0 {
		return nil, nil
	}
	said, ok := body[entry.DayClose](found[i])
	if !ok || said.Check() != nil {
		return nil, nil
	}
	c := &Close{Date: said.Date, First: said.First, Last: said.Last}
	if said.Last-said.First >= maxRange && said.Last >= said.First {
		c.Cut = true
		return c, nil
	}
	w := journal.Writer{ID: e.Terminal, Epoch: e.Epoch}
	entries, err := s.store.MainEntries(ctx, w, said.First, e.Seq-1, maxRange+1)
	if err != nil {
		return nil, fmt.Errorf("read the range of a close: %w", err)
	}
	if len(entries) > maxRange {
		c.Cut = true
		return c, nil
	}
	c.Lines, c.Unmatched = compare(said, entries)
	return c, nil
}

// compare holds what a close says against its entries.
func compare(said entry.DayClose, entries []ledger.Entry) (lines []Difference, unmatched int) {
	sales := map[uuid.UUID]entry.Sale{}
	var all daybook.Figures
	each := make([]map[string]int64, len(entries))
	for i, e := range entries {
		if e.Kind == entry.KindSale {
			if sale, ok := body[entry.Sale](e); ok {
				sales[sale.ID] = sale
			}
		}
		var alone daybook.Figures
		if !count(&all, e, sales) {
			unmatched++
		}
		count(&alone, e, sales)
		each[i] = flat(alone)
	}
	ours, theirs := flat(all), figures(said)
	var names []string
	for _, of := range []map[string]int64{ours, theirs} {
		for name := range of {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		d := Difference{Figure: name, Said: theirs[name], Found: ours[name]}
		if d.Said == d.Found {
			continue
		}
		for i := range entries {
			if n := each[i][name]; n != 0 && (n == d.Found-d.Said || n == d.Said-d.Found) && len(d.Entries) < maxSuspects+1 {
				d.Entries = append(d.Entries, entries[i].Seq)
			}
		}
		if len(d.Entries) > maxSuspects {
			d.Entries = nil // any of many: it cannot be told
		}
		lines = append(lines, d)
	}
	return lines, unmatched
}

// count adds an entry up; not ok is a void whose sale is not known here.
func count(f *daybook.Figures, e ledger.Entry, sales map[uuid.UUID]entry.Sale) bool {
	f.Count(e.Kind)
	switch e.Kind {
	case entry.KindSale:
		if s, ok := body[entry.Sale](e); ok {
			f.Sale(s)
		}
	case entry.KindReturn:
		if r, ok := body[entry.Return](e); ok {
			f.Return(r)
		}
	case entry.KindVoid:
		v, ok := body[entry.Void](e)
		sale, known := sales[v.Sale]
		if ok && known {
			f.Void(v, sale)
		}
		return known
	}
	return true
}

func flat(f daybook.Figures) map[string]int64 {
	var c entry.DayClose
	f.Fill(&c)
	return figures(c)
}

// figures names each number of a close.
func figures(c entry.DayClose) map[string]int64 {
	out := map[string]int64{}
	put := func(n int64, words ...string) {
		if n != 0 {
			out[strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")] = n
		}
	}
	for _, k := range c.Kinds {
		put(int64(k.Count), "kinds", k.Kind.String())
	}
	for _, m := range c.Money {
		put(int64(m.Count), "money", m.Kind.String(), m.Currency, "count")
		put(m.Total, "money", m.Kind.String(), m.Currency, "total")
		put(m.Discount, "money", m.Kind.String(), m.Currency, "discount")
	}
	for _, a := range c.Amounts {
		unit, basis := a.Unit, ""
		if unit == "" {
			unit = "voucher"
		}
		if a.Basis != 0 {
			basis = a.Basis.String()
		}
		put(int64(a.Count), "amounts", a.Kind.String(), a.Flow.String(), unit, basis, "count")
		put(a.Amount, "amounts", a.Kind.String(), a.Flow.String(), unit, basis, "amount")
	}
	for _, k := range c.Cashiers {
		who := k.Cashier
		switch {
		case k.CashierID != uuid.Nil:
			who = k.CashierID.String()
		case k.Others:
			who = "others"
		case who == "":
			who = "nobody"
		}
		put(k.Taken, "cashiers", who, k.Currency, "taken")
		put(k.Undone, "cashiers", who, k.Currency, "undone")
		put(k.Refunded, "cashiers", who, k.Currency, "refunded")
	}
	put(int64(c.Claims), "claims")
	return out
}
