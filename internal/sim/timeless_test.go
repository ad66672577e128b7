package sim

import (
	"context"
	"testing"
	"time"
)

// A budget that is over before it began ends nothing in a world without time.
func TestNoTimeRunsInAWorld(t *testing.T) {
	ctx, cancel := context.WithTimeout(timeless{t.Context()}, -time.Hour)
	defer cancel()
	inner, stop := context.WithTimeout(ctx, time.Nanosecond)
	defer stop()
	if inner.Err() != nil {
		t.Fatal(inner.Err())
	}
	cancel()
	if inner.Err() != context.Canceled {
		t.Errorf("a cancelled world goes on: %v", inner.Err())
	}
}
