package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// decisionOf is the first decision about an account in HQ's journal.
func (d *desk) decisionOf(account uuid.UUID) entry.HQDecision {
	d.t.Helper()
	rows, err := d.hq.DB.AuditHQEntries(d.t.Context(), shard.Of(account), 1, 0, 1000)
	must(d.t, err)
	for _, row := range rows {
		env, err := entry.Decode(row.Raw)
		must(d.t, err)
		if env.Kind == entry.KindHQExceptionDecision {
			body, err := entry.DecodeBody[entry.HQDecision](env)
			must(d.t, err)
			return body
		}
	}
	d.t.Fatal("HQ's journal has no decision")
	return entry.HQDecision{}
}

// unproven has a terminal that was shut out deliver a sale that earns points.
func (d *desk) unproven(account uuid.UUID) ledger.Exception {
	d.t.Helper()
	bad := d.hq.Till(d.t, "bad")
	bad.State = ingest.StateRevoked
	bad.Sell(d.t, account, 5000, 0)
	bad.Sync(d.t, 1)
	d.hq.Apply(d.t)
	return d.hq.Exceptions(d.t, ledger.Unproven)[0]
}

// HQ's own journal names who released a fact and who agreed.
func TestAReleaseNamesBothPeople(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx, account := t.Context(), d.hq.Member(t, "ann", 0)
	d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Kind: ledger.Unproven}}}))
	e := d.unproven(account)
	maker, second := d.people[0], d.people[1]
	maker.Role, second.Role = people.Administrator, people.Administrator
	w, err := d.Propose(ctx, maker, e.ID, casework.Deed{Action: casework.ActRelease, Text: "the till was only late"})
	must(t, err)
	w, err = d.Approve(ctx, second, e.ID, w.Proposals[0].ID, "seen")
	must(t, err)
	if got := d.decisionOf(account); got.By != maker.ID || got.Second != second.ID {
		t.Errorf("by %s and %s, not %s and %s", got.By, got.Second, maker.ID, second.ID)
	}
	if n := w.Notes; len(n) != 3 || n[1].What != casework.LetCount || n[1].Person != maker.ID || n[2].What != casework.Approved || n[2].Person != second.ID {
		t.Errorf("%+v", n)
	}
}

// growing has more of an entry wait for the same cause while one person decides about it.
type growing struct {
	casework.Decider
	grow func(context.Context)
}

func (g growing) Decide(ctx context.Context, by uuid.UUID, e ledger.Exception, v entry.Verdict) (ledger.Exception, error) {
	out, err := g.Decider.Decide(ctx, by, e, v)
	g.grow(ctx)
	return out, err
}

// What one person releases is looked at again in the transaction of the decision.
func TestADecisionIsUndoneWhenMoreWaitedThanWasSeen(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx, account := t.Context(), d.hq.Member(t, "ann", 0)
	d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 1000}}}))
	e := d.unproven(account)
	more := e
	more.ID, more.Amount, more.State = uuid.New(), 5000, ledger.ExceptionReleased
	at := casework.New(casework.Env{
		Store: d.hq.DB, Journal: d.hq.Journal, People: d.hq.DB, Clock: d.hq.Clock, NewID: uuid.New,
		Ledger: growing{d.hq.Ledger, func(ctx context.Context) { must(t, d.hq.DB.AddExceptions(ctx, []ledger.Exception{more})) }},
	})
	if _, err := at.Decide(ctx, d.people[0], e.ID, entry.VerdictRelease); problem.CodeOf(err) != problem.SecondPersonNeeded {
		t.Fatalf("one person released past the limit: %v", err)
	}
	if w, err := d.Work(ctx, e.ID); err != nil || w.Exception.State != ledger.ExceptionOpen || len(w.Notes) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
}

// An amount that grows is another exception: nobody has settled it, nobody's proposal is
// about it, and the limit counts for all of it.
func TestAnAmountThatGrowsIsDecidedAnew(t *testing.T) {
	for _, proposed := range []bool{false, true} {
		d := newDesk(t, blank.SQLite(t), 1)
		ctx, account := t.Context(), d.hq.Member(t, "ann", 100)
		d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 100}}}))
		late, prompt := d.hq.Till(t, "late"), d.hq.Till(t, "prompt")
		late.Sell(t, account, 0, 90)
		prompt.Skip(time.Hour)
		prompt.Sell(t, account, 0, 150)
		d.hq.Clock.Advance(2 * time.Hour)
		prompt.Sync(t, 1)
		d.hq.Apply(t)
		small := d.hq.Exceptions(t, ledger.Overdraw)[0]
		if small.Amount > 100 {
			t.Fatalf("%+v", small)
		}
		var w casework.Work
		var err error
		if proposed {
			w, err = d.Propose(ctx, d.people[0], small.ID, settled)
		} else {
			_, err = d.Do(ctx, d.people[0], small.ID, settled)
		}
		must(t, err)
		late.Sync(t, 1)
		d.hq.Apply(t)
		if proposed {
			if _, err := d.Approve(ctx, d.people[1], small.ID, w.Proposals[0].ID, ""); problem.CodeOf(err) != problem.StateConflict {
				t.Errorf("approved what had grown: %v", err)
			}
		}
		must(t, d.Round(ctx))
		var open []ledger.Exception
		for _, e := range d.hq.Exceptions(t, ledger.Overdraw) {
			if e.Unsettled() {
				open = append(open, e)
			}
		}
		if len(open) != 1 || open[0].ID == small.ID || open[0].Amount <= 100 {
			t.Fatalf("%+v", open)
		}
		grown, err := d.Work(ctx, open[0].ID)
		if err != nil || !grown.NeedsTwo || grown.Case.Resolution != casework.Unresolved || grown.Case.Proposal != uuid.Nil {
			t.Errorf("%+v, %v", grown.Case, err)
		}
		if _, err := d.Do(ctx, d.people[0], open[0].ID, settled); problem.CodeOf(err) != problem.SecondPersonNeeded {
			t.Errorf("one person settled what had grown past the limit: %v", err)
		}
	}
}

// There is one answer to who answers: that of the people, where they gave one.
func TestLossesGoByWhoAnswersNow(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		ctx, d := t.Context(), newDesk(t, dsn, shardsPerTx)
		lost := ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 7, Attribution: loyalty.LossClone}
		moved := d.raise(lost, 1)
		d.raise(lost, 1)
		_, err := d.SetLiable(ctx, d.people[0], moved.ID, "franchisee", "their lane")
		must(t, err)
		losses, err := d.hq.Ledger.Losses(ctx)
		must(t, err)
		got := map[string]int64{}
		for _, l := range losses {
			got[l.Liable] += l.Amount
		}
		if len(got) != 2 || got["franchisee"] != 7 || got["store"] != 7 {
			t.Errorf("%v", got)
		}
	})
}
