package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAnOverrideOfTheDaysEndIsWarnedOf(t *testing.T) {
	for text, want := range map[string]time.Duration{"00:00": 0, "04:30": 4*time.Hour + 30*time.Minute, "-02:00": -2 * time.Hour} {
		var said bytes.Buffer
		got, err := dayEnds(text, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil || got == nil || *got != want || !strings.Contains(said.String(), "level=WARN") {
			t.Errorf("%s: %v, %v; said %s", text, got, err, &said)
		}
	}
	var said bytes.Buffer
	if got, err := dayEnds("", slog.New(slog.NewTextHandler(&said, nil))); got != nil || err != nil || said.Len() != 0 {
		t.Errorf("without the flag: %v, %v; said %s", got, err, &said)
	}
	if got, err := dayEnds("24:00", slog.New(slog.DiscardHandler)); err == nil {
		t.Errorf("read as %s", got)
	}
}
