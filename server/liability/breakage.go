package liability

import (
	"context"
	"math"

	"github.com/tallystick/tallystick/server/ledger"
)

// Cohort is what was issued in one month and what became of it. Issued is net of what was
// taken back. Projected is what more of it will expire, a projection.
type Cohort struct {
	Issued    Month
	In        int64
	Used      int64
	Expired   int64
	Open      int64
	Projected int64
	// Rate is observed and projected breakage of what was issued.
	Rate float64
}

// Test is a projection as it would have been made at the end of a month, by what was known
// to have happened by then, and what came to pass in the months from After through Until.
type Test struct {
	After, Until Month
	Projected    int64
	Real         int64
}

// Ahead is what is projected to expire in one month.
type Ahead struct {
	Month   Month
	Expired int64
}

// Breakage is what was observed of a unit, and what is projected from it. Low and High are
// a range, not a bound: see [RunOff].
type Breakage struct {
	Unit    string
	Until   Month // the last month that is over; what is projected begins behind it
	Cohorts []Cohort
	Ages    []Age
	Tests   []Test
	Months  []Ahead

	Open      int64 // at the end of Until
	Used      int64 // of it, projected
	Expired   int64
	Stays     int64 // of it, what never expires and is not projected at all
	Low, High int64 // of Expired
	Older     int64 // open of what was issued before the cohorts; in none of the others
	// Seen says on what the range rests: how many cohorts, and how many tests.
	Seen, Tested int
}

const (
	testMonths = 3 // how far a test looks ahead
	mostTests  = 12
	leastSeen  = 3 // cohorts that must have been seen before a test
)

// Breakage is what the rows add up to. The range is the widest of two: what the projection
// becomes when any one cohort is left out, and what it becomes when it errs by as much as
// the worst of the tests did, in either direction.
func (r *RunOff) Breakage() Breakage {
	by := r.now - 1
	p := r.observe(by).parts(0)
	out := Breakage{Unit: r.unit, Until: by, Ages: p.ages, Older: r.older, Cohorts: []Cohort{}, Tests: []Test{}, Months: []Ahead{}}
	months := map[Month]float64{}
	var used, expired float64
	for _, k := range r.sorted() {
		if k.issued > by {
			continue
		}
		h, age := r.cells[k], int(by-k.issued)
		c := Cohort{Issued: k.issued, In: upTo(h.in, age), Used: upTo(h.used, age), Expired: upTo(h.expired, age)}
		c.Open = c.In - c.Used - c.Expired
		var sum float64
		will := p.ahead(k, by, float64(max(0, c.Open)), func(m Month, n float64) {
			months[m] += n
			sum += n
		})
		used, expired, c.Projected = used+will, expired+sum, rounded(sum)
		if int32(k.expires) == ledger.Never {
			out.Stays += c.Open
		}
		out.Open += c.Open
		out.cohort(c)
	}
	out.Used, out.Expired = rounded(used), rounded(expired)
	for i := range out.Cohorts {
		c := &out.Cohorts[i]
		c.Rate = share(c.Expired+c.Projected, c.In)
	}
	for m := by + 1; m <= by+mostAhead; m++ {
		if n := rounded(months[m]); n != 0 {
			out.Months = append(out.Months, Ahead{m, n})
		}
	}
	out.Tests = r.tests(by)
	r.spread(&out, expired)
	return out
}

// cohort adds a cell to the cohort of its month; cells come by month.
func (b *Breakage) cohort(c Cohort) {
	if n := len(b.Cohorts); n > 0 && b.Cohorts[n-1].Issued == c.Issued {
		last := &b.Cohorts[n-1]
		last.In, last.Used, last.Expired = last.In+c.In, last.Used+c.Used, last.Expired+c.Expired
		last.Open, last.Projected = last.Open+c.Open, last.Projected+c.Projected
		return
	}
	b.Cohorts = append(b.Cohorts, c)
}

// cohorts are the months of issue through a month.
func (r *RunOff) cohorts(by Month) map[Month]bool {
	out := map[Month]bool{}
	for k := range r.cells {
		if k.issued <= by {
			out[k.issued] = true
		}
	}
	return out
}

// tests are the projections that would have been made at the ends of months before.
func (r *RunOff) tests(by Month) []Test {
	out := []Test{}
	for after := by - testMonths - mostTests + 1; after <= by-testMonths; after++ {
		if len(r.cohorts(after)) < leastSeen {
			continue
		}
		t := Test{After: after + 1, Until: after + testMonths, Real: r.reallyWithin(after, after+testMonths)}
		t.Projected = rounded(r.expiredWithin(r.observe(after).parts(0), after, after+testMonths))
		if t.Projected != 0 || t.Real != 0 {
			out = append(out, t)
		}
	}
	return out
}

// spread works out the range.
func (r *RunOff) spread(b *Breakage, expired float64) {
	low, high := expired, expired
	seen := r.cohorts(b.Until)
	b.Seen, b.Tested = len(seen), len(b.Tests)
	if len(seen) > 1 {
		all := r.observe(b.Until)
		for without := range seen {
			sum := r.expiredWithin(all.parts(without), b.Until, math.MaxInt32)
			low, high = min(low, sum), max(high, sum)
		}
	}
	for _, t := range b.Tests {
		if t.Projected > 0 {
			off := math.Abs(float64(t.Real)/float64(t.Projected) - 1)
			low, high = min(low, expired*(1-off)), max(high, expired*(1+off))
		}
	}
	b.Low, b.High = max(0, int64(math.Floor(low))), int64(math.Ceil(min(high, float64(b.Open-b.Stays))))
	b.High = max(b.High, b.Expired)
}

// Breakage works out the breakage of a unit by what is known now.
func (s *Service) Breakage(ctx context.Context, unit string) (Breakage, error) {
	run := NewRunOff(unit, DayAt(s.env.Clock.Now()))
	err := s.inTime(ctx, func(ctx context.Context) error {
		if err := s.Sum(ctx); err != nil {
			return err
		}
		return s.each(ctx, unit, always, run.Add)
	})
	if err != nil {
		return Breakage{}, err
	}
	return run.Breakage(), nil
}
