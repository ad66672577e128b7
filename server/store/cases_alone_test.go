package store_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
)

// busy is three people, a rule and a ledger at work on a few exceptions.
type busy struct {
	*desk
	rt  *rapid.T
	all []ledger.Exception
}

// refused fails for an error that is no refusal.
func (b *busy) refused(err error) {
	switch code := problem.CodeOf(err); {
	case err == nil, code == problem.StateConflict, code == problem.SecondPersonNeeded, code == problem.Forbidden, code == problem.NotFound:
	default:
		b.rt.Fatal(err)
	}
}

// grow is what the ledger does when an amount is another one: it withdraws the exception and
// raises one of that amount.
func (b *busy) grow(i int) {
	old := b.all[i]
	must(b.t, b.hq.DB.SaveChanges(b.t.Context(), ledger.Changes{Explained: []ledger.Exception{
		{ID: old.ID, Shard: old.Shard, State: ledger.ExceptionWithdrawn, EndedAt: b.hq.Clock.Now().UnixMilli()},
	}}))
	b.all = append(b.all, b.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: old.Amount + 6}, 0))
}

func (b *busy) step() {
	ctx, rt := b.t.Context(), b.rt
	i := rapid.IntRange(0, len(b.all)-1).Draw(rt, "which")
	e, by := b.all[i], b.people[rapid.IntRange(0, 2).Draw(rt, "who")]
	w, err := b.Work(ctx, e.ID)
	must(b.t, err)
	switch rapid.IntRange(0, 7).Draw(rt, "what") {
	case 0:
		_, err = b.Do(ctx, by, e.ID, settled)
	case 1:
		_, err = b.Propose(ctx, by, e.ID, settled)
	case 2, 3:
		if n := len(w.Proposals); n > 0 {
			_, err = b.Approve(ctx, by, e.ID, w.Proposals[n-1].ID, "")
		}
	case 4:
		_, err = b.Reopen(ctx, by, e.ID, "not so")
	case 5:
		bulk := casework.Bulk{Filter: casework.Filter{Kind: ledger.Overdraw}, Outcome: casework.OutcomeSettle, Resolution: casework.Explained, Text: "all"}
		trial, failed := b.TryBulk(ctx, bulk)
		must(b.t, failed)
		if n := trial.N - trial.LeftOut; n > 0 {
			_, err = b.DoBulk(ctx, by, bulk, n)
		}
	case 6:
		err = b.Round(ctx)
	case 7:
		b.grow(i)
	}
	b.refused(err)
}

// Whatever people, rules, bulks and late facts do in whatever order: what is settled and
// above the limit was proposed by one person and approved by another.
func TestNobodySettlesAboveTheLimitAlone(t *testing.T) {
	d := newDesk(t, blank.SQLite(t), 1)
	ctx := t.Context()
	d.approved(d.ProposePolicy(ctx, d.people[0], casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 10}}}))
	d.approved(d.ProposeRule(ctx, d.people[0], casework.Rule{
		Name: "all", Kind: ledger.Overdraw, Unit: "points", UpTo: 100, Outcome: casework.OutcomeSettle, Resolution: casework.WrittenOff, Text: "all", DailyCap: 1_000_000,
	}))
	one, two := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		b := &busy{desk: d, rt: rt}
		for range 2 {
			b.all = append(b.all, d.raise(ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: rapid.Int64Range(8, 12).Draw(rt, "amount")}, 0))
		}
		for range rapid.IntRange(3, 7).Draw(rt, "steps") {
			b.step()
		}
		for _, e := range b.all {
			w, err := d.Work(ctx, e.ID)
			must(t, err)
			switch n := len(w.Proposals); {
			case w.Case.Resolution == casework.Unresolved:
			case e.Amount <= 10:
				one++
			case n == 0 || w.Proposals[n-1].State != casework.ProposalApproved || w.Proposals[n-1].MadeBy == w.Proposals[n-1].DecidedBy:
				rt.Fatalf("%d points were settled by one: %+v", e.Amount, w)
			default:
				two++
			}
		}
	})
	if one == 0 || two == 0 {
		t.Errorf("settled by one %d times and by two %d times: nothing was tried", one, two)
	}
}
