package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// desk is the work on exceptions of one HQ, with three people of finance.
type desk struct {
	*casework.Service
	t      *testing.T
	hq     *books.HQ
	people [3]casework.Person
}

func newDesk(t *testing.T, dsn string, shardsPerTx int) *desk {
	hq := books.On(t, dsn, shardsPerTx)
	d := &desk{t: t, hq: hq, Service: deskOn(hq, hq.DB)}
	for i, name := range []string{"Ayşe", "Berk", "Cem"} {
		p := people.Person{ID: uuid.New(), Name: name, Role: people.Finance}
		must(t, hq.DB.AddPerson(t.Context(), p, "a hash"))
		d.people[i] = casework.Person{ID: p.ID, Name: p.Name, Role: p.Role}
	}
	return d
}

// deskOn is the work on exceptions of an HQ, over a storage that may do more than HQ's.
func deskOn(hq *books.HQ, on casework.Store) *casework.Service {
	return casework.New(casework.Env{
		Store: on, Journal: hq.Journal, Ledger: hq.Ledger, People: hq.DB, Clock: hq.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
	})
}

// raise puts an exception in that came some days ago.
func (d *desk) raise(e ledger.Exception, daysAgo int) ledger.Exception {
	d.t.Helper()
	e.ID, e.Terminal, e.Epoch, e.Seq = uuid.New(), uuid.New(), 1, 1
	e.Shard, e.RecordedAt = shard.Of(e.Terminal), d.hq.Clock.Now().AddDate(0, 0, -daysAgo).UnixMilli()
	if e.State == "" {
		e.State = ledger.ExceptionOpen
	}
	if e.Liable == "" {
		e.Liable = "store"
	}
	must(d.t, d.hq.DB.AddExceptions(d.t.Context(), []ledger.Exception{e}))
	return e
}

// approved has the first person propose and the second approve.
func (d *desk) approved(s casework.Setting, err error) {
	d.t.Helper()
	must(d.t, err)
	_, err = d.ApproveSetting(d.t.Context(), d.people[1], s.Kind, s.Number, s.Version, "")
	must(d.t, err)
}

var settled = casework.Deed{Action: casework.ActResolve, Resolution: casework.WrittenOff, Text: "ours"}

// Of two who approve at once one does; a proposal ends when nothing is left to decide.
func TestTwoPeopleDecideOnce(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx, d := t.Context(), newDesk(t, dsn, shardsPerTx)
		d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 10}}}))
		e := d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 11}, 0)
		w, err := d.Propose(ctx, d.people[0], e.ID, settled)
		must(t, err)
		id := w.Proposals[0].ID
		var wg sync.WaitGroup
		var codes [2]problem.Code
		for i := range codes {
			wg.Go(func() {
				_, err := d.Approve(ctx, d.people[i+1], e.ID, id, "")
				codes[i] = problem.CodeOf(err)
				if err == nil {
					codes[i] = ""
				}
			})
		}
		wg.Wait()
		if (codes[0] == "") == (codes[1] == "") || !slices.ContainsFunc(codes[:], func(c problem.Code) bool { return c == problem.Conflict || c == problem.StateConflict }) {
			t.Errorf("two at once: %q", codes)
		}

		gone := d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 12}, 0)
		w, err = d.Propose(ctx, d.people[0], gone.ID, settled)
		must(t, err)
		must(t, d.hq.DB.SaveChanges(ctx, ledger.Changes{Explained: []ledger.Exception{
			{ID: gone.ID, Shard: gone.Shard, State: ledger.ExceptionWithdrawn, EndedAt: d.hq.Clock.Now().UnixMilli()},
		}}))
		if _, err := d.Approve(ctx, d.people[1], gone.ID, w.Proposals[0].ID, ""); problem.CodeOf(err) != problem.StateConflict {
			t.Errorf("approved though a later fact explained it: %v", err)
		}

		left := d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 13}, 0)
		w, err = d.Propose(ctx, d.people[2], left.ID, settled)
		must(t, err)
		must(t, d.hq.DB.SetPassword(ctx, d.people[2].ID, ""))
		if _, err := d.Approve(ctx, d.people[1], left.ID, w.Proposals[0].ID, ""); problem.CodeOf(err) != problem.StateConflict {
			t.Errorf("approved what somebody proposed who works here no more: %v", err)
		}
		must(t, d.Round(ctx))
		for _, id := range []uuid.UUID{gone.ID, left.ID} {
			w, err := d.Work(ctx, id)
			must(t, err)
			if w.Proposals[0].State != casework.ProposalOvertaken || w.Case.Proposal != uuid.Nil || w.Case.Resolution != casework.Unresolved {
				t.Errorf("%+v", w)
			}
		}
	})
}

// One decision is about all of an entry that waits for a cause: what is small of it is not
// decided by one person while the rest, or all of it together, takes two.
func TestADecisionCarriesNothingPastTheLimit(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx, account := t.Context(), uuid.New()
	d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 10}}}))
	raise := func(source byte, unit string, amount int64) ledger.Exception {
		e := ledger.Exception{
			ID: uuid.New(), Shard: shard.Of(account), Account: account, Source: journal.Hash{source}, Kind: ledger.Unproven, State: ledger.ExceptionOpen, Liable: "store",
			Unit: unit, Amount: amount, Terminal: uuid.New(), Epoch: 1, Seq: 1, RecordedAt: d.hq.Clock.Now().UnixMilli(),
		}
		must(t, d.hq.DB.AddExceptions(ctx, []ledger.Exception{e}))
		return e
	}
	stamp, half := raise(1, "stamps", 1), raise(2, "points", 6)
	raise(1, "points", 5000)
	raise(2, "points", 6)
	single := raise(3, "points", 6)
	for _, tc := range []struct {
		ledger.Exception
		two bool
	}{{stamp, true}, {half, true}, {single, false}} {
		w, err := d.Work(ctx, tc.ID)
		if err != nil || w.NeedsTwo != tc.two {
			t.Errorf("%d %s: %t, %v", tc.Amount, tc.Unit, w.NeedsTwo, err)
		}
		_, err = d.Decide(ctx, d.people[0], tc.ID, entry.VerdictRelease)
		if (problem.CodeOf(err) == problem.SecondPersonNeeded) != tc.two {
			t.Errorf("%d %s: %v", tc.Amount, tc.Unit, err)
		}
	}
}

// stopping has a person stop a rule as soon as it has found what to work on.
type stopping struct {
	casework.Store
	stop func()
}

func (s *stopping) Matching(ctx context.Context, f casework.Filter, now time.Time, after *ledger.Place, limit int) ([]casework.Found, error) {
	found, err := s.Store.Matching(ctx, f, now, after, limit)
	s.stop()
	return found, err
}

// A rule that is stopped while a round is under way does nothing any more.
func TestAStoppedRuleStopsAtOnce(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx := t.Context()
	e := d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 1}, 8)
	d.approved(d.ProposeRule(ctx, d.people[0], casework.Rule{
		Name: "small", Kind: ledger.Overdraw, Unit: "points", UpTo: 5, Outcome: casework.OutcomeSettle, Resolution: casework.WrittenOff, Text: "small", DailyCap: 100,
	}))
	must(t, deskOn(d.hq, &stopping{d.hq.DB, func() {
		_, err := d.StopRule(ctx, d.people[1], 1, "wait")
		must(t, err)
	}}).Round(ctx))
	w, err := d.Work(ctx, e.ID)
	if err != nil || w.Case.Resolution != casework.Unresolved {
		t.Errorf("%+v, %v", w.Case, err)
	}
}

// Rules leave alone what a person touched or what takes two, and stop at their cap.
func TestRulesDoTheRoutinePart(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx, d := t.Context(), newDesk(t, dsn, shardsPerTx)
		d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 50}}}))
		of := func(amount int64, daysAgo int) ledger.Exception {
			return d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: amount}, daysAgo)
		}
		old, older, oldest := of(40, 8), of(40, 9), of(40, 10)
		young, large, touched := of(1, 1), of(60, 8), of(2, 11)
		_, err := d.Own(ctx, d.people[0], touched.ID, true)
		must(t, err)
		d.approved(d.ProposeRule(ctx, d.people[0], casework.Rule{
			Name: "old ones", Kind: ledger.Overdraw, Unit: "points", UpTo: 100, OlderDays: 7, Outcome: casework.OutcomeSettle,
			Resolution: casework.WrittenOff, Text: "too late to ask", DailyCap: 100,
		}))
		for range 2 {
			must(t, d.Round(ctx))
		}
		for _, c := range []struct {
			name string
			e    ledger.Exception
			want casework.Resolution
		}{
			{"oldest", oldest, casework.WrittenOff},
			{"older", older, casework.WrittenOff},
			{"beyond the cap", old, ""},
			{"young", young, ""},
			{"for two people", large, ""},
			{"touched", touched, ""},
		} {
			w, err := d.Work(ctx, c.e.ID)
			must(t, err)
			if w.Case.Resolution != c.want || w.Case.DueAt.IsZero() {
				t.Errorf("%s: %+v", c.name, w.Case)
			}
			if n := w.Notes; c.want != "" && (len(n) != 1 || n[0].Name != "rule 1 v1" || n[0].Person != uuid.Nil) {
				t.Errorf("%s: %+v", c.name, n)
			}
		}
		days, err := d.RuleDays(ctx)
		must(t, err)
		if len(days) != 1 || days[0].Amount != 80 || days[0].N != 2 || !days[0].Stopped {
			t.Errorf("%+v", days)
		}
		_, stopped, err := d.Backlog(ctx)
		must(t, err)
		if stopped != 1 {
			t.Errorf("%d rules stopped", stopped)
		}
		d.hq.Clock.Advance(24 * time.Hour)
		must(t, d.Round(ctx))
		if w, err := d.Work(ctx, old.ID); err != nil || w.Case.Resolution != casework.WrittenOff {
			t.Errorf("the day after: %+v, %v", w.Case, err)
		}
		if _, err := d.Reopen(ctx, d.people[0], old.ID, "they paid"); err != nil {
			t.Fatal(err)
		}
		must(t, d.Round(ctx))
		if w, err := d.Work(ctx, old.ID); err != nil || w.Case.Resolution != casework.Unresolved {
			t.Errorf("a rule settled again what a person opened: %+v, %v", w.Case, err)
		}
	})
}

// The report of a past day is what it was on that day, whatever came later.
func TestAgeingIsAsOfAnyTime(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx, d := t.Context(), newDesk(t, dsn, shardsPerTx)
		for i, days := range []int{0, 7, 8, 31, 61, 91} {
			d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: int64(1) << i, Liable: "programme"}, days)
		}
		euros := d.raise(ledger.Exception{Kind: ledger.VoucherOveruse, Unit: "voucher", Amount: 1, Currency: "EUR", Money: 250}, 40)
		fork := d.raise(ledger.Exception{Kind: ledger.Fork, Amount: 99}, 2)
		then := d.hq.Clock.Now()
		before, err := d.Ageing(ctx, time.Time{})
		must(t, err)
		var points casework.Line
		for _, l := range before.Totals {
			switch {
			case l.Unit == "points":
				points = l
			case l.Unit == "" && l.Total != casework.Cell{N: 1}: // the number of a fork's entry is no amount
				t.Errorf("%+v", l)
			case l.Unit == "voucher" && (l.Cells[2] != casework.Cell{N: 1, Amount: 1, Money: 250} || l.Currency != "EUR"):
				t.Errorf("%+v", l)
			}
		}
		want := [casework.Buckets]casework.Cell{{N: 2, Amount: 3}, {N: 1, Amount: 4}, {N: 1, Amount: 8}, {N: 1, Amount: 16}, {N: 1, Amount: 32}}
		if points.Cells != want || points.Total.Amount != 63 {
			t.Errorf("%+v", points)
		}
		d.hq.Clock.Advance(time.Hour)
		_, err = d.SetLiable(ctx, d.people[0], euros.ID, "programme", "our mistake")
		must(t, err)
		_, err = d.Resolve(ctx, d.people[0], fork.ID, casework.Explained, "a restored disk")
		must(t, err)
		d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 1000}, 0)
		after, err := d.Ageing(ctx, then)
		must(t, err)
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("of the past:\n%+v, then\n%+v", before, after)
		}
		now, err := d.Ageing(ctx, time.Time{})
		must(t, err)
		if slices.ContainsFunc(now.Lines, func(l casework.Line) bool {
			return l.Kind == "fork" || l.Kind == "voucher_overuse" && l.Liable != "programme"
		}) {
			t.Errorf("%+v", now.Lines)
		}
		_, err = d.Reopen(ctx, d.people[0], fork.ID, "it was a copy")
		must(t, err)
		if reopened, err := d.Ageing(ctx, time.Time{}); err != nil || len(reopened.Totals) != len(before.Totals) {
			t.Errorf("%+v, %v", reopened.Totals, err)
		}
	})
}
