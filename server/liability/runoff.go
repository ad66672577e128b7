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
type RunOff struct {
	unit  string
	now   Month // the month that is not over
	cells map[cell]*history
}

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

// mostAge bounds ages; what is older counts with it.
const mostAge = 240

// Add counts a row.
func (r *RunOff) Add(row Row) {
	change, ok := changeOf(row)
	month := MonthAt(Day(row.Effective))
	if !ok || row.Unit != r.unit || row.Issued == 0 || month > r.now {
		return
	}
	k := cell{Month(row.Issued), Month(row.Expires)}
	h := r.cells[k]
	if h == nil {
		h = &history{}
		r.cells[k] = h
	}
	age := int(min(max(month-k.issued, 0), mostAge))
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

// observe works out the parts by what had happened by the end of a month, without one
// cohort if that is given.
func (r *RunOff) observe(by, without Month) parts {
	var p parts
	type sum struct {
		open, used, ended int64
		cohorts           map[Month]bool
	}
	var plain, rolling []sum
	add := func(list []sum, age int, open, used, ended int64, cohort Month) []sum {
		for len(list) <= age {
			list = append(list, sum{cohorts: map[Month]bool{}})
		}
		list[age].open, list[age].used, list[age].ended = list[age].open+open, list[age].used+used, list[age].ended+ended
		list[age].cohorts[cohort] = true
		return list
	}
	for k, h := range r.cells {
		if k.issued == without || k.issued > by {
			continue
		}
		in := upTo(h.in, int(by-k.issued))
		for age := 0; age <= int(min(by-k.issued, mostAge)); age++ {
			open := in - upTo(h.used, age-1) - upTo(h.expired, age-1)
			if open <= 0 || k.expires.calendar() && k.issued+Month(age) > k.expires {
				continue
			}
			used, ended := upTo(h.used, age)-upTo(h.used, age-1), upTo(h.expired, age)-upTo(h.expired, age-1)
			if int32(k.expires) == ledger.Rolling {
				rolling = add(rolling, age, open, used, ended, k.issued)
				continue
			}
			plain = add(plain, age, open, used, ended, k.issued)
		}
	}
	left := 1.0
	for age, s := range plain {
		part := share(s.used, s.open)
		left *= 1 - part
		p.ages = append(p.ages, Age{Age: age, Cohorts: len(s.cohorts), Open: s.open, Used: s.used, Part: part, Left: left})
		p.used = append(p.used, part)
	}
	for _, s := range rolling {
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

// ahead projects what is open of a cell after a month: what of it will be used, and what
// will expire in which month.
func (p parts) ahead(k cell, after Month, open float64) (used float64, expired map[Month]float64) {
	expired = map[Month]float64{}
	switch {
	case k.expires.calendar():
		for m := after + 1; m <= k.expires; m++ {
			n := open * at(p.used, int(max(m-k.issued, 0)))
			used, open = used+n, open-n
		}
		expired[max(k.expires, after)+1] += open // on the first day of the month behind it
	case int32(k.expires) == ledger.Rolling:
		for m := after + 1; m <= after+mostAhead; m++ {
			age := int(max(m-k.issued, 0))
			spent, ended := open*at(p.rollUsed, age), open*at(p.rollEnded, age)
			if spent+ended > open {
				spent = open - ended
			}
			used, open = used+spent, open-spent-ended
			expired[m] += ended
		}
	}
	return used, expired
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
		_, expired := p.ahead(k, after, float64(open))
		for m, n := range expired {
			if m <= until {
				sum += n
			}
		}
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
