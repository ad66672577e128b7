package clock

import (
	"context"
	"time"
)

// Wait waits for d of the machine's time. It returns early, with the reason, when ctx ends.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
