package storeday

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/sync/entry"
)

// sumsOf are the money and the amounts of figures, by line.
func sumsOf(c entry.DayClose) map[Line]Sum {
	out := map[Line]Sum{}
	for _, m := range c.Money {
		line := Line{Kind: m.Kind, Currency: m.Currency}
		out[line] = out[line].plus(Sum{int64(m.Count), m.Total})
	}
	for _, a := range c.Amounts {
		line := Line{Kind: a.Kind, Flow: a.Flow, Unit: a.Unit, Basis: a.Basis}
		out[line] = out[line].plus(Sum{int64(a.Count), a.Amount})
	}
	return out
}

// What a certificate says in words, as the numbers of entries.
var (
	tradeKinds = wordsOf([]entry.Kind{entry.KindSale, entry.KindVoid, entry.KindReturn}, entry.Kind.String)
	dayFlows   = wordsOf([]entry.DayFlow{entry.DayEarned, entry.DayRedeemed}, entry.DayFlow.String)
	dayBases   = wordsOf([]entry.Basis{entry.BasisAllowance, entry.BasisStandIn, entry.BasisHQAuthorised}, entry.Basis.String)
)

func wordsOf[T comparable](list []T, word func(T) string) map[string]T {
	out := map[string]T{}
	for _, v := range list {
		out[word(v)] = v
	}
	return out
}

// sums are the money and the amounts of a certificate's figures, by line.
func (f Figures) sums() map[Line]Sum {
	out := map[Line]Sum{}
	for _, m := range f.Money {
		line := Line{Kind: tradeKinds[m.Kind], Currency: m.Currency}
		out[line] = out[line].plus(Sum{int64(m.Count), m.Total})
	}
	for _, a := range f.Amounts {
		line := Line{Kind: tradeKinds[a.Kind], Flow: dayFlows[a.Flow], Unit: a.Unit, Basis: dayBases[a.Basis]}
		out[line] = out[line].plus(Sum{int64(a.Count), a.Amount})
	}
	return out
}

// rowsOf brings the steps of lanes together: money first, then units.
func rowsOf(lanes []map[Line]Steps, late map[Line]Sum) []Row {
	lines := map[Line]bool{}
	for _, steps := range lanes {
		for line := range steps {
			lines[line] = true
		}
	}
	for line := range late {
		lines[line] = true
	}
	var out []Row
	for _, line := range slices.SortedFunc(maps.Keys(lines), compareLines) {
		row := Row{Line: line, LateOut: late[line], Lanes: make([]Steps, len(lanes))}
		for i, steps := range lanes {
			row.Lanes[i] = steps[line]
			row.Steps = row.plus(steps[line])
		}
		out = append(out, row)
	}
	return out
}

func compareLines(a, b Line) int {
	return cmp.Or(cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Basis, b.Basis))
}
