package benchtable

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Result is one line of the table and one object of the JSON file.
type Result struct {
	Name     string  `json:"name"`     // lower_case_with_underscores, stable: people compare across runs
	Value    float64 `json:"value"`    // what was measured, in Unit
	Unit     string  `json:"unit"`     // "µs", "entries/s", "MB"
	Baseline float64 `json:"baseline"` // the machine's limit measured in the same run, in Unit; 0 when there is none
	Ratio    float64 `json:"ratio"`    // Value / Baseline; 0 when there is no baseline
	Target   Target  `json:"target"`   // what must hold; "" when the number is only printed
	Pass     bool    `json:"pass"`     // whether it held; true when there is no target
}

// Against makes the result of a measurement that is judged beside a baseline
// taken in the same run, in the same unit.
func Against(name, unit string, value, baseline float64, target Target) Result {
	r := Result{Name: name, Value: value, Unit: unit, Baseline: baseline, Target: target}
	if baseline != 0 {
		r.Ratio = value / baseline
	}
	r.Pass = target.met(r)
	return r
}

// Alone makes the result of a measurement without a baseline.
func Alone(name, unit string, value float64, target Target) Result {
	return Against(name, unit, value, 0, target)
}

// Target is what a result must keep. The zero Target asks for nothing.
type Target struct {
	of    string // "ratio" or "value"
	atMin bool   // limit is the least allowed, else the most
	limit float64
}

// RatioAtMost asks for Value / Baseline of at most limit.
func RatioAtMost(limit float64) Target { return Target{of: "ratio", limit: limit} }

// RatioAtLeast asks for Value / Baseline of at least limit.
func RatioAtLeast(limit float64) Target { return Target{of: "ratio", atMin: true, limit: limit} }

// ValueAtMost asks for a Value of at most limit, in the result's unit.
func ValueAtMost(limit float64) Target { return Target{of: "value", limit: limit} }

// ValueAtLeast asks for a Value of at least limit, in the result's unit.
func ValueAtLeast(limit float64) Target { return Target{of: "value", atMin: true, limit: limit} }

// String says the target as it stands in the table and in the JSON file, such as
// "ratio <= 3".
func (t Target) String() string {
	if t.of == "" {
		return ""
	}
	sign := "<="
	if t.atMin {
		sign = ">="
	}
	return t.of + " " + sign + " " + strconv.FormatFloat(t.limit, 'g', -1, 64)
}

// MarshalText makes the target a string in JSON.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// met judges r. A target on the ratio of a result without a baseline is missed:
// there was nothing to judge by.
func (t Target) met(r Result) bool {
	got := r.Value
	switch t.of {
	case "":
		return true
	case "ratio":
		if r.Baseline == 0 {
			return false
		}
		got = r.Ratio
	}
	if t.atMin {
		return got >= t.limit
	}
	return got <= t.limit
}

// Missed returns the results that did not keep their target.
func Missed(results []Result) []Result {
	var missed []Result
	for _, r := range results {
		if !r.Pass {
			missed = append(missed, r)
		}
	}
	return missed
}

// Median returns the middle of what was measured in the rounds, the mean of the middle
// two when their number is even. One run is noise; this project quotes medians of five.
// There must be at least one value.
func Median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// check refuses what JSON cannot carry and what nobody could find again.
func check(results []Result) error {
	seen := map[string]bool{}
	for _, r := range results {
		if r.Name == "" || seen[r.Name] {
			return fmt.Errorf("result %q: a name is needed, and only once", r.Name)
		}
		seen[r.Name] = true
		for what, v := range map[string]float64{"value": r.Value, "baseline": r.Baseline, "ratio": r.Ratio} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("result %q: %s is %v, not a number", r.Name, what, v)
			}
		}
	}
	return nil
}
