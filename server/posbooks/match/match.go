package match

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Result is how two sets of rows fit together. Each row of theirs is in one of Pairs,
// MissingHere, Outside and Undone, each of ours in one of Pairs, MissingThere and Undone.
type Result struct {
	Pairs        []Pair
	MissingHere  []int // theirs, expected in a journal and not there
	Outside      []int // theirs, not expected in a journal and not there
	MissingThere []int // ours
	// UndoneTheirs and UndoneOurs are sales and their voids that the other side leaves out
	// altogether: nothing happened.
	UndoneTheirs, UndoneOurs []int
}

// Match fits rows together: by receipt number first, in one lane and then in any; then by
// amount and time where one of the two has no number; then by amount and time although
// the numbers differ, which is a difference.
func Match(theirs []Theirs, ours []Ours, t Tolerance) Result {
	m := matcher{theirs: theirs, ours: ours, tolerance: t, theirsIn: make([]bool, len(theirs)), oursIn: make([]bool, len(ours))}
	for _, p := range passes(t) {
		m.pass(p)
	}
	return m.result()
}

type matcher struct {
	theirs           []Theirs
	ours             []Ours
	tolerance        Tolerance
	theirsIn, oursIn []bool // in a pair
	pairs            []Pair
}

// key is what rows must share in a pass; fields that a pass does not ask for are empty.
type key struct {
	receipt  string
	lane     string
	kind     Kind
	currency string
	amount   int64
	paid     bool
}

// pass is one way to pair rows that are left.
type pass struct {
	by      By
	anyLane bool // theirs without a lane, ours of all
	// numbers says which rows of theirs and ours take part, by whether they have a number.
	numbers [2]has
	receipt bool // the key has the number
	kind    bool
	money   bool
	// step widens amounts into buckets of so many minor units, shift is how many buckets
	// ours lies above theirs.
	step, shift int64
	reach       time.Duration
}

// has says what is asked of the receipt number of a row.
type has uint8

const (
	anything has = iota
	number
	nothing
)

func (h has) wants(receipt string) bool {
	return h == anything || (h == number) == (receipt != "")
}

// passes are all ways in their order. What agrees in more comes before what agrees in less.
func passes(t Tolerance) (all []pass) {
	lanes := func(p pass) {
		all = append(all, p)
		p.anyLane = true
		all = append(all, p)
	}
	both := [2]has{number, number}
	lanes(pass{by: ByReceipt, numbers: both, receipt: true, kind: true, money: true, step: 1, reach: Reach})
	lanes(pass{by: ByReceipt, numbers: both, receipt: true, kind: true, reach: Reach})
	lanes(pass{by: ByReceipt, numbers: both, receipt: true, reach: Reach})
	for _, numbers := range [][2]has{{nothing, anything}, {number, nothing}, both} {
		lanes(pass{by: ByAmount, numbers: numbers, kind: true, money: true, step: 1, reach: t.Time})
		if t.Minor > 0 {
			for _, shift := range []int64{0, -1, 1} {
				lanes(pass{by: ByAmount, numbers: numbers, kind: true, money: true, step: t.Minor + 1, shift: shift, reach: t.Time})
			}
		}
	}
	return all
}

// sides are the rows left that share a key.
type sides struct{ theirs, ours []int }

// pass pairs what one way finds among the rows that are left.
func (m *matcher) pass(p pass) {
	groups := map[key]*sides{}
	for i, a := range m.theirs {
		if m.theirsIn[i] || p.anyLane != (a.Lane == "") || !p.numbers[0].wants(a.Receipt) {
			continue
		}
		k := p.key(a.Receipt, a.Lane, a.Kind, a.Currency, floor(a.Amount, p.step)+p.shift, a.Paid)
		if groups[k] == nil {
			groups[k] = &sides{}
		}
		groups[k].theirs = append(groups[k].theirs, i)
	}
	for j, b := range m.ours {
		if m.oursIn[j] || !p.numbers[1].wants(b.Receipt) {
			continue
		}
		for _, paid := range []bool{false, true} {
			k := p.key(b.Receipt, b.Lane, b.Kind, b.Currency, floor(b.amount(paid), p.step), paid)
			if g := groups[k]; g != nil {
				g.ours = append(g.ours, j)
			}
			if !p.money {
				break // the key does not tell the two apart
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(groups), key.compare) {
		if g := groups[k]; len(g.ours) > 0 {
			m.group(p, *g)
		}
	}
}

func (p pass) key(receipt, lane string, kind Kind, currency string, amount int64, paid bool) (k key) {
	if p.receipt {
		k.receipt = receipt
	}
	if !p.anyLane {
		k.lane = lane
	}
	if p.kind {
		k.kind = kind
	}
	if p.money {
		k.currency, k.amount, k.paid = currency, amount, paid
	}
	return k
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.receipt, o.receipt), cmp.Compare(k.lane, o.lane), cmp.Compare(k.kind, o.kind),
		cmp.Compare(k.currency, o.currency), cmp.Compare(k.amount, o.amount), boolCompare(k.paid, o.paid))
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// floor divides and rounds down, also below zero.
func floor(n, by int64) int64 {
	if by <= 1 {
		return n
	}
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// group pairs the rows of one key in the order of their times, those without a time last.
func (m *matcher) group(p pass, g sides) {
	g.ours = slices.DeleteFunc(g.ours, func(j int) bool { return m.oursIn[j] })
	slices.SortFunc(g.theirs, m.compareTheirs)
	slices.SortFunc(g.ours, m.compareOurs)
	timed := len(g.theirs)
	for i, at := range g.theirs {
		if !m.theirs[at].Timed {
			timed = i
			break
		}
	}
	m.line(p, g.theirs[:timed], g.ours)
	g.ours = slices.DeleteFunc(g.ours, func(j int) bool { return m.oursIn[j] })
	for i := range min(len(g.theirs)-timed, len(g.ours)) {
		m.pair(p, g.theirs[timed+i], g.ours[i])
	}
}

// line pairs two rows of points on the line of time, each pair at most the reach apart:
// as many pairs as there can be, and of two points that could have the same partner the
// nearer one when that costs no pair.
func (m *matcher) line(p pass, theirs, ours []int) {
	near := func(i, j int) bool { return m.apart(theirs[i], ours[j]) <= p.reach }
	for i, j := 0, 0; i < len(theirs) && j < len(ours); {
		if !near(i, j) {
			if m.theirs[theirs[i]].At < m.ours[ours[j]].At {
				i++
			} else {
				j++
			}
			continue
		}
		gap := m.apart(theirs[i], ours[j])
		switch {
		case i+1 < len(theirs) && m.apart(theirs[i+1], ours[j]) < gap && (j+1 >= len(ours) || !near(i+1, j+1)):
			i++
		case j+1 < len(ours) && m.apart(theirs[i], ours[j+1]) < gap && (i+1 >= len(theirs) || !near(i+1, j+1)):
			j++
		case !m.pair(p, theirs[i], ours[j]):
			// Only widened amounts come here: the earlier row finds nobody.
			if m.theirs[theirs[i]].At < m.ours[ours[j]].At {
				i++
			} else {
				j++
			}
		default:
			i, j = i+1, j+1
		}
	}
}

func (m *matcher) apart(i, j int) time.Duration {
	d := m.theirs[i].At - m.ours[j].At
	return time.Duration(max(d, -d)) * time.Millisecond
}

// pair makes a pair when the pass allows it.
func (m *matcher) pair(p pass, i, j int) bool {
	a, b := m.theirs[i], m.ours[j]
	made := m.tolerance.compare(Pair{Theirs: i, Ours: j, By: p.by}, a, b)
	if p.by == ByAmount && made.Differs&FieldAmount != 0 {
		return false
	}
	m.theirsIn[i], m.oursIn[j] = true, true
	m.pairs = append(m.pairs, made)
	return true
}

// The orders are total but for rows that are the same in everything, and for the place that
// a void names. Of rows that differ in nothing else, those that are expected come first.
func (m *matcher) compareTheirs(i, j int) int {
	a, b := m.theirs[i], m.theirs[j]
	return cmp.Or(-boolCompare(a.Timed, b.Timed), cmp.Compare(a.At, b.At), cmp.Compare(a.Receipt, b.Receipt), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Discount, b.Discount),
		-boolCompare(a.Expected, b.Expected), boolCompare(a.Paid, b.Paid), boolCompare(a.HasDiscount, b.HasDiscount), cmp.Compare(i, j))
}

func (m *matcher) compareOurs(i, j int) int {
	a, b := m.ours[i], m.ours[j]
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Receipt, b.Receipt), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Discount, b.Discount), cmp.Compare(i, j))
}
