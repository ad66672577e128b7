package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/server/lease"
	"github.com/tallystick/tallystick/server/rounds"
)

const (
	// signEvery is how often HQ's own journal is signed.
	signEvery = time.Second
	// lastSigning bounds the signing when stopping.
	lastSigning = 2 * time.Second
)

// applyAll applies what waits and signs HQ's own journal.
func (o *office) applyAll(ctx context.Context) error {
	for n := 1; n > 0; {
		var err error
		if n, err = o.ledger.Apply(ctx); err != nil {
			return fmt.Errorf("apply entries: %w", err)
		}
	}
	if _, err := o.journal.Checkpoint(ctx); err != nil {
		return fmt.Errorf("sign HQ's journal: %w", err)
	}
	return nil
}

// jobs is the lease of the one replica that applies and signs.
const jobs = "jobs"

// elected returns the turn of this process among all on the database, and what
// gives it back. Two processes that do a job at once do no harm, only the same work.
func (o *office) elected() (mine rounds.Turn, release func(ctx context.Context) error) {
	if !o.db.Shared() {
		return func(context.Context) (bool, error) { return true, nil }, func(context.Context) error { return nil }
	}
	l := lease.New(o.db, jobs, newID(), o.clock.Now)
	return l.Hold, l.Release
}

// keepSigning signs HQ's own journal until ctx ends, and once more then. A failure
// is logged and tried again: the next checkpoint covers what this one did not.
func (o *office) keepSigning(ctx context.Context, mine rounds.Turn, log *slog.Logger) error {
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ok, err := mine(ctx)
			if ok && err == nil {
				_, err = o.journal.Checkpoint(ctx)
			}
			if err != nil && ctx.Err() == nil {
				log.Error("HQ's journal could not be signed; it is tried again", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSigning)
			defer cancel()
			if _, err := o.journal.Checkpoint(last); err != nil {
				return fmt.Errorf("sign HQ's journal: %w", err)
			}
			return nil
		}
	}
}
