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
	"github.com/tallystick/tallystick/sync/entry"
)

// settling is an HQ with two parties, of one store each, whose till at NORTH gives points
// that are spent at SOUTH.
type settling struct {
	t *testing.T
	*settlement.Service
	hq           *books.HQ
	north, south *books.Till
}

func newSettling(t *testing.T, hq *books.HQ) *settling {
	t.Helper()
	ctx := context.Background()
	s := &settling{t: t, hq: hq, north: hq.Till(t, "north"), south: hq.Till(t, "south")}
	places := []clearing.Place{{ID: s.north.Store, Code: "N", Currency: "EUR", Zone: "UTC"}, {ID: s.south.Store, Code: "S", Currency: "EUR", Zone: "UTC"}}
	s.Service = settlement.New(settlement.Env{
		Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock, NewID: uuid.New,
		Places: func(context.Context) ([]clearing.Place, error) { return places, nil },
	})
	for i, code := range []string{"NORTH", "SOUTH"} {
		p, err := s.PutParty(ctx, uuid.New(), settlement.Party{Code: code, Name: code, Currency: "EUR", Language: "en"}, true)
		must(s.t, err)
		must(s.t, s.Assign(ctx, uuid.New(), clearing.Assignment{Store: places[i].ID, Party: p.ID, From: 20260101}))
	}
	s.price(20260101, 1000)
	return s
}

func (s *settling) price(from entry.Date, perThousand int64) {
	s.t.Helper()
	must(s.t, s.SetPrice(context.Background(), uuid.New(), clearing.Price{Unit: "points", Currency: "EUR", From: from, PerThousand: perThousand}))
}

// spend has members earn at one store and spend 60 points each at the other.
func (s *settling) spend(members int) (first uuid.UUID) {
	s.t.Helper()
	var ids []uuid.UUID
	for i := range members {
		ids = append(ids, s.hq.Member(s.t, string(rune('a'+i)), 0))
		s.north.Sell(s.t, ids[i], 10_000, 0)
	}
	s.north.Sync(s.t, 1)
	for _, m := range ids {
		s.south.Sell(s.t, m, 100, 60)
	}
	s.south.Sync(s.t, 1)
	s.hq.Apply(s.t)
	return ids[0]
}

// lock drafts and locks a month at a time, which takes two people.
func (s *settling) lock(m settlement.Month, at time.Time) {
	s.t.Helper()
	ctx := context.Background()
	s.hq.Clock.Advance(at.Sub(s.hq.Clock.Now()))
	drafter := uuid.New()
	_, err := s.Draft(ctx, drafter, m)
	must(s.t, err)
	must(s.t, s.Round(ctx))
	if _, err = s.Lock(ctx, drafter, m); problem.CodeOf(err) != problem.Forbidden {
		s.t.Errorf("one person locked: %v", err)
	}
	_, err = s.Lock(ctx, uuid.New(), m)
	must(s.t, err)
}

// total is what SOUTH is owed for a month, and how many notes it has.
func (s *settling) total(m settlement.Month) (owed int64, notes int) {
	s.t.Helper()
	list, err := s.Statements(context.Background(), m, uuid.Nil, true, 10)
	must(s.t, err)
	for _, st := range list {
		if st.Party.Code == "SOUTH" {
			return st.Totals[0].Net, len(st.Notes)
		}
	}
	return 0, 0
}

// Three processes follow one ledger at once on each engine: every posting counts once,
// months lock, and a late sale and a price changed for past days are a note.
func TestG4_SettlementCountsOnceWhoeverFollows(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx := context.Background()
		s := newSettling(t, books.On(t, dsn, shardsPerTx))
		first := s.spend(30)
		late := len(s.south.Entries) + 1
		s.south.Sell(t, first, 100, 10)

		var following sync.WaitGroup
		for range 3 {
			following.Go(func() {
				if _, err := s.Follow(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		following.Wait()
		s.lock(202603, time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC))
		if owed, _ := s.total(202603); owed != 30*60 {
			t.Errorf("march owes %d, want %d", owed, 30*60)
		}
		s.south.Sync(t, late)
		s.hq.Apply(t)
		s.price(20260201, 2000)
		s.lock(202604, time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC))
		if owed, notes := s.total(202604); owed != 30*60+2*10 || notes != 1 {
			t.Errorf("april owes %d with %d notes, want %d with one", owed, notes, 30*60+2*10)
		}
		lines, err := s.Lines(ctx, 202604, clearing.Programme, 0, 10)
		must(t, err)
		if len(lines) != 1 || lines[0].Of != 202603 || lines[0].Points != 10 {
			t.Fatalf("lines %+v", lines)
		}
		if _, moves, err := s.Moves(ctx, 202604, lines[0].No, settlement.MovePlace{Shard: -1}, 100); err != nil || len(moves) != 31 {
			t.Errorf("%d postings behind the line, want 31 (%v)", len(moves), err)
		}
		must(t, s.hq.DB.SettlementSpots(ctx, 202604, 20260101, func(clearing.Spot, []clearing.Sum, []settlement.Line) error { return nil }))
	})
}
