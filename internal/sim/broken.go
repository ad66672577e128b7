package sim

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Broken names a build that is wrong on purpose. The simulator must catch each one.
type Broken string

// The broken builds. Those of the till are its own switches; the others are made here,
// at the ports of the production code.
const (
	Sound          Broken = ""
	DedupeOff      Broken = "dedupe off in the ledger"
	SyncOff        Broken = "sync off in the journal"
	ForkIgnored    Broken = "fork check skipped at HQ"
	ForkNotMinded  Broken = "fork check skipped by the till"
	GrantForgotten Broken = "a grant is not persisted by the till"
	GrantUnsaved   Broken = "a grant is not persisted at HQ"
	SpentForgotten Broken = "what was spent of a grant is not persisted"
	StaleRecall    Broken = "a stale recall is accepted"
	LoanFreed      Broken = "a loan is freed by a timer"
)

// BrokenBuilds are all of them.
var BrokenBuilds = []Broken{
	DedupeOff, SyncOff, ForkIgnored, ForkNotMinded, GrantForgotten, GrantUnsaved, SpentForgotten, StaleRecall, LoanFreed,
}

// mutants are the broken builds that are switches of the till.
var mutants = map[Broken]till.Mutant{
	ForkNotMinded: till.MutantSkipForkCheck, GrantForgotten: till.MutantForgetGrant, SpentForgotten: till.MutantForgetSpent,
	StaleRecall: till.MutantStaleRecall, LoanFreed: till.MutantFreeLoans,
}

// showing are the kinds of events in which a broken build shows soon; none: any.
var showing = map[Broken]map[kind]bool{
	DedupeOff: only(sell, again, push, pull, apply, crash, mishapNext), SyncOff: HonestCrashes, ForkIgnored: copying, ForkNotMinded: meeting,
	GrantForgotten: borrowing, GrantUnsaved: borrowing, SpentForgotten: crashing, LoanFreed: borrowing,
}

var (
	copying   = only(sell, push, pull, apply, keepImage, rollBack, clone)
	meeting   = only(sell, pull, meet, keepImage, rollBack, clone) // HQ hears of it at the end only
	borrowing = only(sell, race, push, pull, apply, rights, adjust, wait)
	crashing  = only(sell, push, pull, tend, apply, rights, adjust, crash, loseCache, wait)
)

// rightless are the broken builds that show where there are no rights.
var rightless = map[Broken]bool{DedupeOff: true, SyncOff: true, ForkIgnored: true, ForkNotMinded: true}

// Showing narrows worlds to those in which a broken build shows soon.
func (o Options) Showing(b Broken) Options {
	o.Broken, o.Only, o.Rights = b, showing[b], !rightless[b]
	if b == StaleRecall {
		o.Scene = OldWord
	}
	return o
}

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

// errForgotten undoes what a broken build says it has done.
var errForgotten = errors.New("not saved")

// authorise answers a till. The broken build answers and keeps nothing of it.
func (hq *process) authorise(ctx context.Context, l allowance.Lane, r wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
	hq.db.forgets = hq.db.broken == GrantUnsaved
	defer func() { hq.db.forgets = false }()
	return hq.rights.Authorise(ctx, l, r)
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
