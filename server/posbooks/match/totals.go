package match

import (
	"cmp"
	"slices"
)

// TotalKey is what a total of a day is about. Lane is empty for the whole store.
type TotalKey struct {
	Lane     string
	Kind     Kind
	Currency string
}

// Total is a sum of a day. Count and Discount are known on their side when they are said.
type Total struct {
	TotalKey
	Amount      int64
	Paid        bool // theirs: without what rewards took off
	Discount    int64
	HasDiscount bool
	Count       int64
	HasCount    bool
}

// TotalPair is a total of theirs beside ours. Here says that the journals have any such
// fact, There that the books have the total; one of both holds. The differences are
// theirs less ours.
type TotalPair struct {
	Theirs, Ours            Total
	Here, There             bool
	Differs                 Field
	Amount, Discount, Count int64
}

// Totals holds the totals of a day in the books against the facts of the day in journals.
// Books with lanes are held against lanes, and those for the store against all of it. What
// the journals have and no total of the books speaks of is said by kind and currency, and
// by lane when the books have lanes.
func Totals(theirs []Total, ours []Ours, t Tolerance) (out []TotalPair) {
	lanes := slices.ContainsFunc(theirs, func(a Total) bool { return a.Lane != "" })
	here := map[TotalKey]Total{}
	for _, b := range ours {
		for _, lane := range []string{"", b.Lane} {
			k := TotalKey{lane, b.Kind, b.Currency}
			sum := here[k]
			sum.TotalKey, sum.Amount, sum.Discount, sum.Count = k, sum.Amount+b.Amount, sum.Discount+b.Discount, sum.Count+1
			here[k] = sum
			if b.Lane == "" {
				break
			}
		}
	}
	said := map[TotalKey]Total{}
	for _, a := range theirs {
		said[a.TotalKey] = a // the last word counts
	}
	for k, a := range said {
		out = append(out, t.compareTotals(a, here[k], here[k].Count > 0))
	}
	for k, b := range here {
		if _, there := said[k]; !there && lanes == (k.Lane != "") {
			out = append(out, TotalPair{Ours: b, Here: true})
		}
	}
	slices.SortFunc(out, func(a, b TotalPair) int { return a.key().compare(b.key()) })
	return out
}

func (p TotalPair) key() TotalKey {
	if p.There {
		return p.Theirs.TotalKey
	}
	return p.Ours.TotalKey
}

func (k TotalKey) compare(o TotalKey) int {
	return cmp.Or(cmp.Compare(k.Lane, o.Lane), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Currency, o.Currency))
}

func (t Tolerance) compareTotals(a, b Total, here bool) TotalPair {
	p := TotalPair{Theirs: a, Ours: b, Here: here, There: true}
	amount := b.Amount
	if a.Paid {
		amount -= b.Discount
	}
	if p.Amount = a.Amount - amount; p.Amount > t.Minor || p.Amount < -t.Minor {
		p.Differs |= FieldAmount
	}
	if a.HasDiscount {
		if p.Discount = a.Discount - b.Discount; p.Discount > t.Minor || p.Discount < -t.Minor {
			p.Differs |= FieldDiscount
		}
	}
	if a.HasCount {
		if p.Count = a.Count - b.Count; p.Count != 0 {
			p.Differs |= FieldCount
		}
	}
	return p
}
