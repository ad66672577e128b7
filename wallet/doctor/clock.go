package doctor

import "time"

// How far the clock may be off. A rotating code's step is 30 s; Google refuses tokens
// whose times are more than a few minutes off.
const (
	clockWarn  = 10 * time.Second
	clockError = 2 * time.Minute
)

// Reading is what another clock said, and how long the asking took, which bounds the error.
type Reading struct {
	Who   string
	Mine  time.Time // when the answer was here
	Their time.Time // zero when it said none
	Took  time.Duration
	Exact time.Duration // to what it is given, such as 1 s in an HTTP Date
}

// Clock compares the clock with others. Of none it says that it is unknown.
func Clock(readings ...Reading) Finding {
	heard := false
	for _, r := range readings {
		if r.Their.IsZero() {
			continue
		}
		heard = true
		off := r.Mine.Sub(r.Their)
		level := Warn
		if sure := off.Abs() - r.Took - r.Exact; sure < clockWarn {
			continue
		} else if sure >= clockError {
			level = Error
		}
		return find(ClockOff, level, "the clock is %v off that of %s", off.Round(time.Second), r.Who)
	}
	if !heard {
		return find(ClockOff, Unknown, "no other clock could be asked: whether this one is right is unknown")
	}
	return find(ClockOff, OK, "the clock agrees with others")
}
