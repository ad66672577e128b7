package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// Three processes follow one ledger at once on each engine: every posting counts once,
// months lock, and a late sale and a price changed for past days are a note.
func TestG4_SettlementCountsOnceWhoeverFollows(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx := context.Background()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		hq := books.On(t, dsn, shardsPerTx)
		north, south := hq.Till(t, "north"), hq.Till(t, "south")
		places := []clearing.Place{{ID: north.Store, Code: "N", Currency: "EUR", Zone: "UTC"}, {ID: south.Store, Code: "S", Currency: "EUR", Zone: "UTC"}}
		s := settlement.New(settlement.Env{
			Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock, NewID: uuid.New,
			Places: func(context.Context) ([]clearing.Place, error) { return places, nil },
		})
		for i, code := range []string{"NORTH", "SOUTH"} {
			p, err := s.PutParty(ctx, uuid.New(), settlement.Party{Code: code, Name: code, Currency: "EUR", Language: "en"}, true)
			must(err)
			must(s.Assign(ctx, uuid.New(), clearing.Assignment{Store: places[i].ID, Party: p.ID, From: 20260101}))
		}
		must(s.SetPrice(ctx, uuid.New(), clearing.Price{Unit: "points", Currency: "EUR", From: 20260101, PerThousand: 1000}))
		var members []uuid.UUID
		for i := range 30 {
			members = append(members, hq.Member(t, string(rune('a'+i)), 0))
			north.Sell(t, members[i], 10_000, 0)
		}
		north.Sync(t, 1)
		for _, m := range members {
			south.Sell(t, m, 100, 60)
		}
		south.Sync(t, 1)
		hq.Apply(t)
		late := len(south.Entries) + 1
		south.Sell(t, members[0], 100, 10)

		var following sync.WaitGroup
		for range 3 {
			following.Go(func() {
				if _, err := s.Follow(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		following.Wait()
		total := func(m settlement.Month) (owed int64, notes int) {
			list, err := s.Statements(ctx, m, uuid.Nil, true, 10)
			must(err)
			for _, st := range list {
				if st.Party.Code == "SOUTH" {
					return st.Totals[0].Net, len(st.Notes)
				}
			}
			return 0, 0
		}
		lock := func(m settlement.Month, at time.Time) {
			t.Helper()
			hq.Clock.Advance(at.Sub(hq.Clock.Now()))
			drafter := uuid.New()
			_, err := s.Draft(ctx, drafter, m)
			must(err)
			must(s.Round(ctx))
			_, err = s.Lock(ctx, drafter, m)
			if problem.CodeOf(err) != problem.Forbidden {
				t.Errorf("one person locked: %v", err)
			}
			_, err = s.Lock(ctx, uuid.New(), m)
			must(err)
		}
		lock(202603, time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC))
		if owed, _ := total(202603); owed != 30*60 {
			t.Errorf("march owes %d, want %d", owed, 30*60)
		}
		south.Sync(t, late)
		hq.Apply(t)
		must(s.SetPrice(ctx, uuid.New(), clearing.Price{Unit: "points", Currency: "EUR", From: 20260201, PerThousand: 2000}))
		lock(202604, time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC))
		if owed, notes := total(202604); owed != 30*60+2*10 || notes != 1 {
			t.Errorf("april owes %d with %d notes, want %d with one", owed, notes, 30*60+2*10)
		}
		lines, err := s.Lines(ctx, 202604, clearing.Programme, 0, 10)
		must(err)
		if len(lines) != 1 || lines[0].Of != 202603 || lines[0].Points != 10 {
			t.Fatalf("lines %+v", lines)
		}
		if _, moves, err := s.Moves(ctx, 202604, lines[0].No, settlement.MovePlace{Shard: -1}, 100); err != nil || len(moves) != 31 {
			t.Errorf("%d postings behind the line, want 31 (%v)", len(moves), err)
		}
		if err := hq.DB.SettlementSpots(ctx, 202604, 20260101, func(clearing.Spot, []clearing.Sum, []settlement.Line) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
