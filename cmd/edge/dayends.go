package main

import (
	"fmt"
	"strings"
	"time"
)

// dayEnds reads --day-ends-at: hours and minutes after midnight, or with a minus before it.
func dayEnds(text string) (time.Duration, error) {
	digits, before := strings.CutPrefix(text, "-")
	at, err := time.Parse("15:04", digits)
	if err != nil {
		return 0, fmt.Errorf("read --day-ends-at %q: want HH:MM, as in 04:00 or -02:00", text)
	}
	d := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	if d > 12*time.Hour {
		return 0, fmt.Errorf("read --day-ends-at %q: at most 12 hours from midnight", text)
	}
	if before {
		return -d, nil
	}
	return d, nil
}
