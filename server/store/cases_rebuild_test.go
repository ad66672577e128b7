package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/store"
)

// rebuiltCases does the work on exceptions again in an empty HQ, and returns what differs.
func rebuiltCases(t *testing.T, hq *books.HQ) (same int64, differ []store.Difference, unworded []uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	again := books.On(t, blank.SQLite(t), 1)
	must(t, hq.DB.CopyLog(ctx, again.DB))
	_, unworded, err := casework.Rebuild(ctx, again.DB)
	must(t, err)
	same, err = hq.DB.CompareCases(ctx, again.DB, func(d store.Difference) error { differ = append(differ, d); return nil })
	must(t, err)
	return same, differ, unworded
}

// How exceptions stand, and who answers, comes out of HQ's journal; what was changed beside
// it shows. What is no fact is kept.
func TestG7_TheWorkOnExceptionsIsRebuilt(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx, d := t.Context(), newDesk(t, dsn, shardsPerTx)
		of := func() ledger.Exception {
			return d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 5}, 1)
		}
		once, again, moved, two, open := of(), of(), of(), of(), of()
		_, err := d.Do(ctx, d.people[0], once.ID, settled)
		must(t, err)
		_, err = d.Do(ctx, d.people[0], again.ID, settled)
		must(t, err)
		_, err = d.Reopen(ctx, d.people[1], again.ID, "they paid: all of it")
		must(t, err)
		_, err = d.SetLiable(ctx, d.people[0], moved.ID, "franchisee", "their lane: number two")
		must(t, err)
		_, err = d.Assign(ctx, d.people[0], moved.ID, d.people[2].ID)
		must(t, err)
		w, err := d.Propose(ctx, d.people[0], two.ID, settled)
		must(t, err)
		_, err = d.Approve(ctx, d.people[1], two.ID, w.Proposals[0].ID, "")
		must(t, err)
		_, err = d.Remark(ctx, d.people[0], open.ID, "asked the store")
		must(t, err)
		if same, differ, unworded := rebuiltCases(t, d.hq); same != 3 || len(differ)+len(unworded) > 0 {
			t.Fatalf("%d are the same; %+v, %v", same, differ, unworded)
		}

		forged, err := d.hq.DB.Case(ctx, once.Shard, once.ID)
		must(t, err)
		forged.Resolution, forged.Version = casework.Charged, forged.Version+1
		must(t, d.hq.DB.PutCase(ctx, forged))
		never := casework.Case{Shard: open.Shard, Exception: open.ID, Resolution: casework.Explained, Version: 2}
		must(t, d.hq.DB.PutCase(ctx, never))
		if same, differ, _ := rebuiltCases(t, d.hq); same != 2 || len(differ) != 3 {
			t.Errorf("forged: %d are the same; %+v", same, differ)
		}
	})
}

// silent loses the words of one exception.
type silent struct {
	*store.DB
	of uuid.UUID
}

func (s silent) Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]casework.Note, error) {
	notes, err := s.DB.Notes(ctx, shard, exception, limit)
	if exception == s.of {
		for i := range notes {
			notes[i].Text += "!"
		}
	}
	return notes, err
}

// The journal has no words, and tells when they are others.
func TestChangedWordsShow(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx := t.Context()
	one, other := d.raise(ledger.Exception{Kind: ledger.Overdraw}, 1), d.raise(ledger.Exception{Kind: ledger.Overdraw}, 1)
	for _, e := range []ledger.Exception{one, other} {
		_, err := d.Do(ctx, d.people[0], e.ID, settled)
		must(t, err)
	}
	n, unworded, err := casework.Rebuild(ctx, silent{d.hq.DB, other.ID})
	if err != nil || n != 2 || !slices.Equal(unworded, []uuid.UUID{other.ID}) {
		t.Errorf("%d told, %v have other words, %v", n, unworded, err)
	}
}
