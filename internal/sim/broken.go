package sim

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// Broken names a build that is wrong on purpose. The simulator must catch each one.
type Broken string

// The broken builds. All are made here, at the ports of the production code.
const (
	Sound       Broken = ""
	DedupeOff   Broken = "dedupe off in the ledger"
	SyncOff     Broken = "sync off in the journal"
	ForkIgnored Broken = "fork check skipped"
)

// BrokenBuilds are all of them.
var BrokenBuilds = []Broken{DedupeOff, SyncOff, ForkIgnored}

// AddSources of the broken build takes every fact for new.
func (s *shaky) AddSources(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash]bool, error) {
	added, err := s.DB.AddSources(ctx, rows)
	if err == nil && s.broken == DedupeOff {
		for _, row := range rows {
			added[row.Source] = true
		}
	}
	return added, err
}

// quarantiner notes whom HQ shuts out. That of the broken build does nothing about a fork.
type quarantiner struct {
	*fleet.Fleet
	w *world
}

func (q quarantiner) Quarantine(ctx context.Context, terminal uuid.UUID, cause string) error {
	if q.w.options.Broken == ForkIgnored {
		return nil
	}
	q.w.hq.shut = append(q.w.hq.shut, terminal)
	return q.Fleet.Quarantine(ctx, terminal, cause)
}
