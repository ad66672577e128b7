package match

import (
	"cmp"
	"slices"
)

// result sorts the rows that are in no pair.
func (m *matcher) result() Result {
	r := Result{Pairs: m.pairs}
	slices.SortFunc(r.Pairs, func(a, b Pair) int { return cmp.Compare(a.Theirs, b.Theirs) })
	m.undoOurs(&r)
	m.undoTheirs(&r)
	for i, in := range m.theirsIn {
		switch {
		case in:
		case m.theirs[i].Expected:
			r.MissingHere = append(r.MissingHere, i)
		default:
			r.Outside = append(r.Outside, i)
		}
	}
	for j, in := range m.oursIn {
		if !in {
			r.MissingThere = append(r.MissingThere, j)
		}
	}
	slices.Sort(r.UndoneTheirs)
	slices.Sort(r.UndoneOurs)
	return r
}

// undoOurs leaves out sales of ours that were undone and of which the books say nothing, or
// only that they were undone. A void of a sale that the books have stays: there it counts.
func (m *matcher) undoOurs(r *Result) {
	for j, b := range m.ours {
		s := b.Undoes - 1
		if b.Kind != Void || s < 0 || s >= len(m.ours) || m.oursIn[s] {
			continue
		}
		m.oursIn[s] = true
		r.UndoneOurs = append(r.UndoneOurs, s)
		if !m.oursIn[j] {
			m.oursIn[j] = true
			r.UndoneOurs = append(r.UndoneOurs, j)
		}
	}
}

// undoTheirs leaves out sales of theirs and voids with their number and amount that are
// both not here.
func (m *matcher) undoTheirs(r *Result) {
	sales := map[key][]int{}
	of := func(a Theirs) key {
		return key{receipt: a.Receipt, lane: a.Lane, currency: a.Currency, amount: a.Amount, paid: a.Paid}
	}
	var left []int
	for i, in := range m.theirsIn {
		if !in {
			left = append(left, i)
		}
	}
	slices.SortFunc(left, m.compareTheirs)
	for _, i := range left {
		if a := m.theirs[i]; a.Kind == Sale && a.Receipt != "" {
			sales[of(a)] = append(sales[of(a)], i)
		}
	}
	for _, i := range left {
		a := m.theirs[i]
		if a.Kind != Void || len(sales[of(a)]) == 0 {
			continue
		}
		s := sales[of(a)][0]
		sales[of(a)] = sales[of(a)][1:]
		m.theirsIn[i], m.theirsIn[s] = true, true
		r.UndoneTheirs = append(r.UndoneTheirs, s, i)
	}
}
