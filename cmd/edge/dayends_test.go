package main

import (
	"testing"
	"time"
)

func TestDayEndsAt(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"00:00": 0, "04:30": 4*time.Hour + 30*time.Minute, "-02:00": -2 * time.Hour, "12:00": 12 * time.Hour,
	} {
		if got, err := dayEnds(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "4", "24:00", "12:01", "-13:00", "+04:00", "--01:00", "04:00 "} {
		if got, err := dayEnds(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}
