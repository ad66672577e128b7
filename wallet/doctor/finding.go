package doctor

import (
	"fmt"
	"slices"
)

// Level says how bad a finding is.
type Level string

// Levels. Unknown is what could not be learnt; it does not fail a check.
const (
	OK      Level = "ok"
	Unknown Level = "unknown"
	Warn    Level = "warn"
	Error   Level = "error"
)

// weight orders levels, the worst last.
var weight = []Level{OK, Unknown, Warn, Error}

// Finding is one thing that was looked at. Why and Do are empty when it is right.
type Finding struct {
	Code  Code   `json:"code"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Why   string `json:"why,omitempty"`
	Do    string `json:"do,omitempty"`
}

// find makes a finding with the advice of its code.
func find(code Code, level Level, format string, args ...any) Finding {
	f := Finding{Code: code, Level: level, What: fmt.Sprintf(format, args...)}
	if level != OK {
		f.Why, f.Do = advices[code].Why, advices[code].Do
	}
	return f
}

// Worst returns the worst level of findings; of none it is OK.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		if slices.Index(weight, f.Level) > slices.Index(weight, worst) {
			worst = f.Level
		}
	}
	return worst
}
