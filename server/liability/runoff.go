package liability

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/tallystick/tallystick/server/ledger"
)

// RunOff adds up rows, as they took effect, to how what was issued in one month was used
// or expired as it grew older, and says from that what will become of what is open.
//
// The method is a run-off by age, month by month: of what was still open at the beginning
// of an age, over all cohorts that have lived through it, which part was used then. What
// is open of a cohort is used by these parts from its age on, until the month in which it
// expires; what is left then is projected breakage. Ages that no cohort has lived through
// take the mean of the last three that one has. What never expires has no breakage. Of
// what expires by inactivity the part that expired at each age is observed in the same
// way.
//
// Cohorts are those of the last [MostCohorts] months that are over. Adding a row is one step,
// an observation looks at each age of each cell once, and leaving one cohort out of it takes
// what the cohort added away again.
type RunOff struct {
	unit  string
	now   Month // the month that is not over
	cells map[cell]*history
	older int64
}

// MostCohorts is how many months of issue are looked at. What is open of older ones is
// counted, in Breakage.Older, and not projected.
const MostCohorts = 120

// cell is what was issued in a month and expires in another.
type cell struct{ issued, expires Month }

// history is what happened to a cell, by age in months.
type history struct {
	in, used, expired []int64
}

// NewRunOff begins with nothing. Today is in the month that is not over.
func NewRunOff(unit string, today Day) *RunOff {
	return &RunOff{unit: unit, now: MonthAt(today), cells: map[cell]*history{}}
}

// Add counts a row.
func (r *RunOff) Add(row Row) {
	change, ok := changeOf(row)
	month := MonthAt(Day(row.Effective))
	if !ok || row.Unit != r.unit || row.Issued == 0 || month > r.now {
		return
	}
	k := cell{Month(row.Issued), Month(row.Expires)}
	if k.issued < r.now-MostCohorts {
		if month < r.now {
			r.older += change.Closing
		}
		return
	}
	h := r.cells[k]
	if h == nil {
		h = &history{}
		r.cells[k] = h
	}
	age := int(max(month-k.issued, 0))
	h.in = grown(h.in, age)
	h.in[age] += change.Issued - change.Reversed + change.Moved + change.Adjusted
	h.used = grown(h.used, age)
	h.used[age] += change.Redeemed - change.Restored + change.Repaid
	h.expired = grown(h.expired, age)
	h.expired[age] += change.Expired
}

func grown(list []int64, age int) []int64 {
	for len(list) <= age {
		list = append(list, 0)
	}
	return list
}

// upTo sums a list through an age.
func upTo(list []int64, age int) (sum int64) {
	for i, n := range list {
		if i <= age {
			sum += n
		}
	}
	return sum
}

// of is what a list has of an age.
func of(list []int64, age int) int64 {
	if age < len(list) {
		return list[age]
	}
	return 0
}

// Age is what is known of one age of lots, in months from the month of issue.
type Age struct {
	Age     int
	Cohorts int     // that have lived through it
	Open    int64   // of them, at its beginning
	Used    int64   // then
	Part    float64 // Used of Open
	Left    float64 // of what was issued, not used by the end of the age, were nothing to expire
}

// parts are the parts used at each age, and of what rolls the parts that expired, seen by
// the end of a month.
type parts struct {
	ages      []Age
	used      []float64
	rollUsed  []float64
	rollEnded []float64
}

// seen is what cells did at one age, and of how many cohorts they are.
type seen struct {
	open, used, ended int64
	cohorts           int
}

// observation is what was seen by the end of a month, of what has an end or none and of what
// rolls, in all and of each cohort.
type observation struct {
	all [2][]seen
	of  map[Month]*[2][]seen
}

// observe adds up what had happened by the end of a month.
func (r *RunOff) observe(by Month) observation {
	o := observation{of: map[Month]*[2][]seen{}}
	for k, h := range r.cells {
		if k.issued > by {
			continue
		}
		kind, last := 0, int(by-k.issued)
		if int32(k.expires) == ledger.Rolling {
			kind = 1
		}
		open := upTo(h.in, last)
		for age := range last + 1 {
			used, ended := of(h.used, age), of(h.expired, age)
			if open > 0 && (!k.expires.calendar() || k.issued+Month(age) <= k.expires) {
				o.add(k.issued, kind, age, seen{open, used, ended, 1})
			}
			open -= used + ended
		}
	}
	return o
}

func (o *observation) add(cohort Month, kind, age int, s seen) {
	if o.of[cohort] == nil {
		o.of[cohort] = &[2][]seen{}
	}
	of := &o.of[cohort][kind]
	for len(*of) <= age {
		*of = append(*of, seen{})
	}
	for len(o.all[kind]) <= age {
		o.all[kind] = append(o.all[kind], seen{})
	}
	s.cohorts -= (*of)[age].cohorts // one cohort, however many of its cells
	(*of)[age] = (*of)[age].plus(s, 1)
	o.all[kind][age] = o.all[kind][age].plus(s, 1)
}

func (s seen) plus(o seen, sign int) seen {
	by := int64(sign)
	return seen{s.open + by*o.open, s.used + by*o.used, s.ended + by*o.ended, s.cohorts + sign*o.cohorts}
}

// without is what was seen of all cohorts but one, or of all if that is none.
func (o observation) without(cohort Month, kind int) []seen {
	list := slices.Clone(o.all[kind])
	if of := o.of[cohort]; of != nil {
		for age, s := range of[kind] {
			list[age] = list[age].plus(s, -1)
		}
	}
	for len(list) > 0 && list[len(list)-1].cohorts == 0 {
		list = list[:len(list)-1]
	}
	return list
}

// parts are those of all cohorts but one, or of all if that is none.
func (o observation) parts(without Month) (p parts) {
	left := 1.0
	for age, s := range o.without(without, 0) {
		part := share(s.used, s.open)
		left *= 1 - part
		p.ages = append(p.ages, Age{Age: age, Cohorts: s.cohorts, Open: s.open, Used: s.used, Part: part, Left: left})
		p.used = append(p.used, part)
	}
	for _, s := range o.without(without, 1) {
		p.rollUsed, p.rollEnded = append(p.rollUsed, share(s.used, s.open)), append(p.rollEnded, share(s.ended, s.open))
	}
	return p
}

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(max(float64(part)/float64(whole), 0), 1)
}

// at is the part of an age; behind all that are known it is the mean of the last three.
func at(list []float64, age int) float64 {
	if age < len(list) {
		return list[age]
	}
	last := list[max(0, len(list)-3):]
	var sum float64
	for _, p := range last {
		sum += p
	}
	return sum / float64(max(1, len(last)))
}

// mostAhead bounds how far what rolls is projected, in months.
const mostAhead = 120

// ahead projects what is open of a cell after a month: what of it will be used, and, told to
// ends, what will expire in which month.
func (p parts) ahead(k cell, after Month, open float64, ends func(Month, float64)) (used float64) {
	switch {
	case k.expires.calendar():
		m := after + 1
		for ; m <= k.expires && int(m-k.issued) < len(p.used); m++ {
			n := open * at(p.used, int(max(m-k.issued, 0)))
			used, open = used+n, open-n
		}
		if m <= k.expires { // all further ages have one part
			left := open * math.Pow(1-at(p.used, len(p.used)), float64(k.expires-m+1))
			used, open = used+open-left, left
		}
		ends(max(k.expires, after)+1, open) // on the first day of the month behind it
	case int32(k.expires) == ledger.Rolling:
		for m := after + 1; m <= after+mostAhead; m++ {
			age := int(max(m-k.issued, 0))
			spent, ended := open*at(p.rollUsed, age), open*at(p.rollEnded, age)
			if spent+ended > open {
				spent = open - ended
			}
			used, open = used+spent, open-spent-ended
			ends(m, ended)
		}
	}
	return used
}

// openAt is what is open of a cell at the end of a month.
func (r *RunOff) openAt(k cell, by Month) int64 {
	h, age := r.cells[k], int(by-k.issued)
	return upTo(h.in, age) - upTo(h.used, age) - upTo(h.expired, age)
}

// expiredWithin is what the parts make expire in months after..until of what is open then.
func (r *RunOff) expiredWithin(p parts, after, until Month) float64 {
	var sum float64
	for k := range r.cells {
		open := r.openAt(k, after)
		if k.issued > after || open <= 0 {
			continue
		}
		p.ahead(k, after, float64(open), func(m Month, n float64) {
			if m <= until {
				sum += n
			}
		})
	}
	return sum
}

// reallyWithin is what expired in months after..until of what was issued before.
func (r *RunOff) reallyWithin(after, until Month) (sum int64) {
	for k, h := range r.cells {
		if k.issued <= after {
			sum += upTo(h.expired, int(until-k.issued)) - upTo(h.expired, int(after-k.issued))
		}
	}
	return sum
}

// sorted are the cells in one order.
func (r *RunOff) sorted() []cell {
	return slices.SortedFunc(maps.Keys(r.cells), func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.issued, b.issued), byExpiry(a.expires, b.expires))
	})
}

func rounded(f float64) int64 { return int64(math.Round(f)) }
