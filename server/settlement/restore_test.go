package settlement_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// restored is an HQ made of a backup of another one, in an epoch of its own.
func restored(r *rig, epoch uint32) *rig {
	r.t.Helper()
	file := filepath.Join(r.t.(*testing.T).TempDir(), "restored.db")
	r.must(r.DB.Backup(context.Background(), file))
	hq := books.On(r.t, "sqlite:"+file, 0)
	hq.Clock.Set(r.Clock.Now())
	hq.Feed = feed.New(hq.DB, hq.ID, epoch)
	hq.Journal = hqjournal.New(hq.DB, hq.Feed, hq.Clock, hq.ID, epoch, hq.Signer)
	again := &rig{t: r.t, HQ: hq, tills: r.tills, sent: r.sent, parties: r.parties, places: r.places}
	again.Service = settlement.New(settlement.Env{
		Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock, Epoch: epoch, NewID: uuid.New,
		Places: func(context.Context) ([]clearing.Place, error) { return r.places, nil },
	})
	return again
}

// numbersOf are the numbers of all documents of a month, and what each says.
func numbersOf(of map[string]settlement.Statement) map[string]string {
	out := map[string]string{}
	for _, s := range of {
		out[s.Number] = fmt.Sprintf("%s %v", s.Month, s.Totals)
		for _, n := range s.Notes {
			out[n.Number] = fmt.Sprintf("%s note of %s %v", s.Month, n.Of, n.Totals)
		}
	}
	return out
}

// A backup is older than a lock. The month is locked again after the restore, by another
// price: the documents that were given out keep their numbers to themselves.
func TestNoTwoDocumentsHaveOneNumberAfterARestore(t *testing.T) {
	r, member := redeemed(t)
	march := numbersOf(r.lock(202603))
	r.at(day(2026, 4, 10, 12), "B")
	r.tills["B"].Sell(t, member, 100, 50)
	r.sync("B")
	r.at(day(2026, 5, 2, 12))
	given := []map[string]string{march}
	for i, epoch := range []uint32{1, 1_790_000_000, 1_790_000_001} {
		hq := r
		if epoch > 1 {
			hq = restored(r, epoch)
		}
		hq.price("points", "EUR", 20260301, int64(2000+i))
		if epoch == 1 {
			before := restored(r, 7) // as of before the lock, for the next rounds
			given = append(given, numbersOf(hq.lock(202604)))
			r = before
			continue
		}
		got := hq.lock(202604)
		given = append(given, numbersOf(got))
		series := map[uint32]string{1_790_000_000: "NORTH-2026.TLPWU8-", 1_790_000_001: "NORTH-2026.TLPWU9-"}[epoch]
		if s := got["NORTH"]; s.Number != series+"0001" || len(s.Notes) != 1 || s.Notes[0].Number != series+"0002" || s.Notes[0].OfNumber != "NORTH-2026-0001" {
			t.Errorf("epoch %d: NORTH has %s and %+v", epoch, s.Number, s.Notes)
		}
		if kept := numbersOf(hq.statements(202603)); fmt.Sprint(kept) != fmt.Sprint(march) {
			t.Errorf("epoch %d: march has %v, it had %v", epoch, kept, march)
		}
	}
	seen := map[string]string{}
	for _, documents := range given {
		for number, says := range documents {
			if was, ok := seen[number]; ok || number == "" {
				t.Errorf("two documents have the number %q: %s, and %s", number, was, says)
			}
			seen[number] = says
		}
	}
}

// stuck is a store that cannot read what a month has to price.
type stuck struct {
	settlement.Store
	why error
}

func (s *stuck) SettlementSpots(ctx context.Context, m settlement.Month, since entry.Date, fn func(clearing.Spot, []clearing.Sum, []settlement.Line) error) error {
	if s.why != nil {
		return s.why
	}
	return s.Store.SettlementSpots(ctx, m, since, fn)
}

// A draft that fails is tried again later and later, says why, and draws its line once.
func TestADraftThatFailsBacksOff(t *testing.T) {
	ctx := context.Background()
	r, _ := redeemed(t)
	journal := &counting{Journal: r.Journal}
	broken := &stuck{Store: r.DB, why: problem.New(problem.AmountOverflow, "the points of points on 2026-03-10 do not fit")}
	r.Service = settlement.New(settlement.Env{
		Store: broken, Journal: journal, Clock: r.Clock, NewID: uuid.New,
		Places: func(context.Context) ([]clearing.Place, error) { return r.places, nil },
	})
	_, err := r.Draft(ctx, anna, 202603)
	r.must(err)
	const tries = 13
	cuts := 0
	for try := range tries {
		began := r.Clock.Now()
		if err := r.Round(ctx); problem.CodeOf(err) != problem.AmountOverflow {
			t.Fatalf("try %d: %v", try, err)
		}
		if try == 0 {
			cuts = journal.cuts
		}
		if journal.cuts != cuts || cuts == 0 {
			t.Fatalf("try %d wrote %d facts about cuts", try, journal.cuts-cuts)
		}
		wait := min(5*time.Second<<try, time.Hour)
		r.at(began.Add(wait - time.Millisecond))
		if err := r.Round(ctx); err != nil {
			t.Fatalf("tried before %v have gone by: %v", wait, err)
		}
		r.at(began.Add(wait))
	}
	m, err := r.Month(ctx, 202603)
	r.must(err)
	if f := m.Failure; m.State != clearing.Drafting || f.Times != tries || f.Code != problem.AmountOverflow || !strings.Contains(f.Detail, "do not fit") || f.RetryAt != r.Clock.Now().UnixMilli() {
		t.Errorf("%s, %+v", m.State, f)
	}
	if lines, err := r.DB.SettlementLines(ctx, 202603, m.Attempt, uuid.Nil, true, 0, 10); err != nil || len(lines) > 0 {
		t.Errorf("what failed left %d lines: %v", len(lines), err)
	}
	// Somebody who asks again does not wait, and what is not a known problem is not shown.
	broken.why = errors.New("secret")
	_, err = r.Draft(ctx, bert, 202603)
	r.must(err)
	if err := r.Round(ctx); err == nil {
		t.Error("nothing was tried")
	}
	m, err = r.Month(ctx, 202603)
	r.must(err)
	if f := m.Failure; f.Times != 1 || f.Code != problem.Internal || f.Detail != "" || m.DraftedBy != bert {
		t.Errorf("asked again: %+v", f)
	}
	broken.why = nil
	got := r.draft(202603)
	m, err = r.Month(ctx, 202603)
	r.must(err)
	if journal.cuts != cuts || m.Failure != (settlement.Failure{}) || net(got["SOUTH"], "EUR") != 400 {
		t.Errorf("%d facts about cuts, %+v, south %+v", journal.cuts, m.Failure, got["SOUTH"].Totals)
	}
}

// counting is HQ's journal, and how many facts about cuts went into it.
type counting struct {
	settlement.Journal
	cuts int
}

func (c *counting) Append(ctx context.Context, facts ...hqjournal.Fact) error {
	for _, f := range facts {
		if f.Kind == entry.KindHQSettlementCut {
			c.cuts++
		}
	}
	return c.Journal.Append(ctx, facts...)
}

// Files and books of a locked month have the names, codes and accounts of then. An account
// that was missing is added later.
func TestALockedMonthKeepsItsNames(t *testing.T) {
	ctx := context.Background()
	r, _ := redeemed(t)
	r.must(r.SetAccount(ctx, anna, clearing.Account{Role: clearing.RoleReceivable, Code: "1400"}))
	r.lock(202603)
	books := func() string {
		var text bytes.Buffer
		r.must(r.WriteBooks(ctx, 202603, clearing.Hledger, &text))
		return text.String()
	}
	r.must(r.SetAccount(ctx, anna, clearing.Account{Role: clearing.RolePayable, Code: "1600"}))
	before := books()
	for _, want := range []string{"Assets:1400:NORTH", "Liabilities:1600:SOUTH"} {
		if !strings.Contains(before, want) {
			t.Errorf("no %s in %s", want, before)
		}
	}
	north := r.parties["NORTH"]
	north.Code, north.Name = "NORD", "Another name"
	_, err := r.PutParty(ctx, anna, north, false)
	r.must(err)
	for _, role := range []clearing.Role{clearing.RoleReceivable, clearing.RolePayable} {
		r.must(r.SetAccount(ctx, anna, clearing.Account{Role: role, Code: "9999"}))
	}
	r.must(r.SetAccount(ctx, anna, clearing.Account{Party: north.ID, Role: clearing.RoleReceivable, Code: "7777"}))
	r.places[0].Code, r.places[0].Name = "A2", "Renamed"
	if after := books(); after != before {
		t.Errorf("the books changed:\n%s\nwere:\n%s", after, before)
	}
	terms, err := r.TermsOf(ctx, 202603)
	r.must(err)
	if at := terms.Place(r.places[0].ID); at.Code != "A" || terms.Named(north.ID).Code != "NORTH" {
		t.Errorf("store %+v, party %+v", at, terms.Named(north.ID))
	}
	r.at(day(2026, 5, 2, 12))
	r.draft(202604)
	if terms, err = r.TermsOf(ctx, 202604); err != nil || terms.Place(r.places[0].ID).Code != "A2" || terms.Named(north.ID).Code != "NORD" {
		t.Errorf("a draft goes by what is now: %v", err)
	}
}
