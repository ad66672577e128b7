package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// dayEnds reads --day-ends-at; nil leaves it to the store's rules.
func dayEnds(text string, log *slog.Logger) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	minutes, err := loyalty.ReadDayEnds(text)
	if err != nil {
		return nil, fmt.Errorf("read --day-ends-at: %w", err)
	}
	log.Warn("--day-ends-at overrides the store's rule at this terminal alone; other lanes may close another date. Set day_ends_at of the store at head office, and leave the flag out",
		"day_ends_at", text)
	ends := time.Duration(minutes) * time.Minute
	return &ends, nil
}
