package posbooks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Formats that have no pattern.
const (
	isoTime = "iso"
	unix    = "unix"
	unixMS  = "unix_ms"
)

// patterns are the parts of a time's pattern, the longer ones first, as Go writes them.
var patterns = []struct{ pattern, layout string }{
	{"yyyy", "2006"},
	{"SSS", "000"},
	{"yy", "06"},
	{"MM", "01"},
	{"dd", "02"},
	{"HH", "15"},
	{"hh", "03"},
	{"mm", "04"},
	{"ss", "05"},
	{"XXX", "Z07:00"},
	{"M", "1"},
	{"d", "2"},
	{"H", "15"},
	{"h", "3"},
	{"a", "PM"},
}

// isoLayouts are what iso takes.
var isoLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// layout reads times of one format.
type layout struct {
	word    string   // isoTime, unix, unixMS, or empty
	layouts []string // of time.Parse
}

var errPattern = errors.New("no pattern of a time")

// layoutOf reads a pattern; empty is iso.
func layoutOf(pattern string) (layout, error) {
	switch pattern {
	case "", isoTime:
		return layout{isoTime, isoLayouts}, nil
	case unix, unixMS:
		return layout{word: pattern}, nil
	}
	if len(pattern) > maxWord || !plain(pattern) {
		return layout{}, errPattern
	}
	var out strings.Builder
	known := false
rest:
	for pattern != "" {
		for _, p := range patterns {
			if strings.HasPrefix(pattern, p.pattern) {
				if p.pattern == "SSS" && !strings.HasSuffix(out.String(), ".") && !strings.HasSuffix(out.String(), ",") {
					return layout{}, errPattern // Go reads fractions behind a point or comma only
				}
				out.WriteString(p.layout)
				pattern, known = pattern[len(p.pattern):], true
				continue rest
			}
		}
		c := pattern[0]
		if c >= '0' && c <= '9' || c == '_' || c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z' || c >= 'a' && c <= 'z' {
			return layout{}, errPattern // it would mean something to Go
		}
		out.WriteByte(c)
		pattern = pattern[1:]
	}
	if !known {
		return layout{}, errPattern
	}
	return layout{layouts: []string{out.String()}}, nil
}

// read reads a time. One that does not say its zone is in the given one; dateOnly says
// that the text has no time of day.
func (l layout) read(text string, zone *time.Location) (at time.Time, dateOnly bool, err error) {
	if l.word == unix || l.word == unixMS {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 1<<50 {
			return time.Time{}, false, fmt.Errorf("%q is no %s time", clip(text), l.word)
		}
		if l.word == unix {
			return time.Unix(n, 0), false, nil
		}
		return time.UnixMilli(n), false, nil
	}
	for _, form := range l.layouts {
		if at, err = time.ParseInLocation(form, text, zone); err == nil {
			return at, !strings.Contains(form, "04"), nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is no time of this format", clip(text))
}

// clip shortens a foreign text for a message.
func clip(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
