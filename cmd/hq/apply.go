package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// lookEvery is how often the applier looks by itself: what another process took
	// in (hq import) wakes nobody here.
	lookEvery = time.Second
	// retryAfter is how long it waits after a failure.
	retryAfter = 2 * time.Second
)

// applyAll applies what waits and signs HQ's own journal.
func (o *office) applyAll(ctx context.Context) error {
	for {
		n, err := o.ledger.Apply(ctx)
		if err != nil {
			return fmt.Errorf("apply entries: %w", err)
		}
		if n == 0 {
			break
		}
	}
	if _, err := o.journal.Checkpoint(ctx); err != nil {
		return fmt.Errorf("sign HQ's journal: %w", err)
	}
	return nil
}

// keepApplying applies what comes in until ctx ends, and once more at the end. A
// failure is logged and tried again: entries wait durably meanwhile.
func (o *office) keepApplying(ctx context.Context, wake <-chan struct{}, log *slog.Logger) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), retryAfter)
			defer cancel()
			return o.applyAll(last)
		case <-wake:
		case <-timer.C:
		}
		next := lookEvery
		if err := o.applyAll(ctx); err != nil && !errors.Is(err, context.Canceled) {
			log.Error("applying failed, trying again", "error", err)
			next = retryAfter
		}
		timer.Reset(next)
	}
}
