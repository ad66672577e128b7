package clock_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
)

func TestG6_HybridNeverRunsBackAtTheEndOfItsRange(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var h clock.Hybrid
	h.Observe(^clock.Stamp(0))
	if got := h.Next(now); got != ^clock.Stamp(0) {
		t.Errorf("after the last stamp came %d", got)
	}
	far := time.UnixMilli(1 << 48)
	if clock.NewStamp(far, 0) <= clock.NewStamp(now, 0) {
		t.Errorf("the stamp of %s lies before that of %s", far, now)
	}
}
