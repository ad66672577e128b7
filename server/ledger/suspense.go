package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// decidedKey is what a decision is about: an entry, as far as it waits for a cause,
// and of an unknown unit that unit.
type decidedKey struct {
	source journal.Hash
	cause  ExceptionKind
	unit   string
}

// foldDecision notes a decision; nothing moves by itself.
func foldDecision(d entry.HQDecision) hqFold {
	return func(s *set, _ *fact, _ *account) error {
		if len(d.Source) != len(journal.Hash{}) {
			return nil
		}
		key := decidedKey{journal.Hash(d.Source), ExceptionKind(d.Cause), d.Unit}
		d.Amount = max(d.Amount, s.decided[key].Amount)
		s.decided[key] = d
		return nil
	}
}

// heed notes the decisions among facts, which are in the order of folding. They are
// noted before anything is folded: what a fact does follows from the set of facts,
// not from when people came to decide.
func (s *set) heed(facts []fact) error {
	for i := range facts {
		if f := &facts[i]; f.Kind == entry.KindHQExceptionDecision {
			if err := f.hq(s, f, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// needDecided notes a decision and reads the rule set that it cites.
func (l *Ledger) needDecided(ctx context.Context, s *set, f *fact) error {
	if f.Kind != entry.KindHQExceptionDecision {
		return nil
	}
	if err := f.hq(s, f, nil); err != nil {
		return err
	}
	for _, d := range s.decided {
		if d.RuleSet != 0 {
			if err := l.needRuleSet(ctx, s, d.RuleSet); err != nil {
				return err
			}
		}
	}
	return nil
}

// verdict is what was decided about a fact; zero while nobody has.
func (s *set) verdict(f *fact, cause ExceptionKind) entry.Verdict {
	return s.decided[decidedKey{f.Hash, cause, ""}].Verdict
}

// aboutUnit is what was decided about an unknown unit of a fact.
func (s *set) aboutUnit(f *fact, unit string) entry.HQDecision {
	return s.decided[decidedKey{f.Hash, UnitUnknown, unit}]
}

// stateAfter is the state of an exception that is explained by a fact.
func (s *set) stateAfter(cause *fact, e Exception) string {
	d, ok := s.decided[decidedOf(e)]
	if ok && cause.Kind == entry.KindHQExceptionDecision {
		return stateOf(d.Verdict)
	}
	return ExceptionWithdrawn
}

func decidedOf(e Exception) decidedKey {
	key := decidedKey{source: e.Source, cause: e.Kind}
	if e.Kind == UnitUnknown || e.Kind == Overdraw {
		key.unit = e.Unit
	}
	return key
}

func stateOf(v entry.Verdict) string {
	switch v {
	case entry.VerdictReject:
		return ExceptionRejected
	case entry.VerdictCover:
		return ExceptionCovered
	}
	return ExceptionReleased
}

// covered tells whether a debt has been taken over by an account that had enough.
func (s *set) covered(f *fact, e Exception) bool {
	d, ok := s.decided[decidedKey{f.Hash, e.Kind, e.Unit}]
	return ok && d.Verdict == entry.VerdictCover && e.Amount <= d.Amount
}

// Cover ends the open overdraws of a unit on an account whose debt another account
// has taken over and paid from what it had, in the caller's transaction.
func (l *Ledger) Cover(ctx context.Context, accountID uuid.UUID, unit string, by uuid.UUID) error {
	all, err := l.o.Store.AccountExceptions(ctx, []AccountKey{{shard.Of(accountID), accountID}})
	if err != nil {
		return fmt.Errorf("read exceptions: %w", err)
	}
	for _, e := range all {
		if e.Kind != Overdraw || e.State != ExceptionOpen || e.Unit != unit {
			continue
		}
		if _, err := l.decide(ctx, e, entry.HQDecision{Verdict: entry.VerdictCover, Amount: e.Amount, By: by}); err != nil {
			return err
		}
	}
	return nil
}

// unproven tells whether a fact came from a terminal that was revoked or
// quarantined and nobody has released it, and whether it has been rejected.
func (s *set) unproven(f *fact) (waits, rejected bool) {
	if f.Proven {
		return false, false
	}
	v := s.verdict(f, Unproven)
	return v == 0, v == entry.VerdictReject
}

// Decide releases what an exception says waits in suspense, or rejects it, in the
// caller's transaction, and returns the exception as it is then. The decision is
// about all of the entry that waits for that cause. Deciding the same again changes
// nothing; deciding otherwise, or about what does not wait in suspense, is
// problem.StateConflict.
func (l *Ledger) Decide(ctx context.Context, by uuid.UUID, e Exception, verdict entry.Verdict) (Exception, error) {
	if err := decidable(e, verdict); err != nil {
		return Exception{}, err
	}
	return l.decide(ctx, e, entry.HQDecision{Verdict: verdict, By: by})
}

// DecideByTwo is Decide by a person with whom a second one agreed; both stand in HQ's
// journal.
func (l *Ledger) DecideByTwo(ctx context.Context, by, second uuid.UUID, e Exception, verdict entry.Verdict) (Exception, error) {
	if err := decidable(e, verdict); err != nil {
		return Exception{}, err
	}
	return l.decide(ctx, e, entry.HQDecision{Verdict: verdict, By: by, Second: second})
}

// decidable refuses what no person can decide.
func decidable(e Exception, verdict entry.Verdict) error {
	switch {
	case verdict != entry.VerdictRelease && verdict != entry.VerdictReject:
		return problem.New(problem.InvalidField, "a decision is to release or to reject")
	case e.Kind == UnknownMember:
		return problem.New(problem.StateConflict, "it is released when the member is enrolled")
	case e.Kind == UnitUnknown && verdict == entry.VerdictRelease:
		return problem.New(problem.StateConflict, "it is released when the rule set knows the unit")
	case e.Kind != Unproven && e.Kind != EarningDiffers && e.Kind != UnitUnknown || e.Account == uuid.Nil:
		return problem.Newf(problem.StateConflict, "nothing waits in suspense for %s", e.Kind)
	}
	return nil
}

// decide writes the decision and folds the account again with it.
func (l *Ledger) decide(ctx context.Context, e Exception, d entry.HQDecision) (Exception, error) {
	d.ID = uuid.NewSHA1(e.ID, []byte("decision/"+d.Verdict.String()+"/"+strconv.FormatUint(d.RuleSet, 10)))
	d.Unit = decidedOf(e).unit
	d.Account, d.Source, d.Cause, d.Member = e.Account, e.Source[:], string(e.Kind), e.Member
	err := l.o.Store.InTx(ctx, func(ctx context.Context) error {
		key := AccountKey{shard.Of(e.Account), e.Account}
		made := func(*account) (hqjournal.Fact, error) {
			now, err := l.exceptionNow(ctx, key, e.ID)
			if err != nil {
				return hqjournal.Fact{}, err
			}
			switch e = now; {
			case e.State == stateOf(d.Verdict):
				return hqjournal.Fact{}, errNothing
			case e.State != ExceptionOpen:
				return hqjournal.Fact{}, problem.Newf(problem.StateConflict, "the exception is %s", e.State)
			}
			d.At = max(l.o.Clock.Now().UnixMilli(), e.RecordedAt+1)
			return hqjournal.Fact{Kind: entry.KindHQExceptionDecision, Body: d}, nil
		}
		fold := func(s *set, f *fact, a *account) error { return foldDecision(d)(s, f, a) }
		err := l.hqFact(ctx, e.Account, made, fold)
		if err != nil {
			return err
		}
		e, err = l.exceptionNow(ctx, key, e.ID)
		return err
	})
	if errors.Is(err, errNothing) {
		return e, nil
	}
	if err != nil {
		return Exception{}, fmt.Errorf("decide about exception %s: %w", e.ID, err)
	}
	return e, nil
}

// exceptionNow reads one exception of a locked account.
func (l *Ledger) exceptionNow(ctx context.Context, key AccountKey, id uuid.UUID) (Exception, error) {
	all, err := l.o.Store.AccountExceptions(ctx, []AccountKey{key})
	if err != nil {
		return Exception{}, fmt.Errorf("read exceptions: %w", err)
	}
	for _, e := range all {
		if e.ID == id {
			return e, nil
		}
	}
	return Exception{}, problem.New(problem.NotFound, "there is no such exception")
}

// releaseAtOnce is how many exceptions ReleaseUnits reads at once.
const releaseAtOnce = 100

// ReleaseUnits releases what waits because the cited rules did not know its unit
// and these rules do, each in a transaction of its own unless ctx has one, and
// returns how many exceptions that were. What was earned is checked against these
// rules.
func (l *Ledger) ReleaseUnits(ctx context.Context, rules loyalty.RuleSet) (int, error) {
	done := 0
	for after := (*Place)(nil); ; {
		open, err := l.o.Store.ListExceptions(ctx, ExceptionFilter{Kind: UnitUnknown, State: ExceptionOpen}, after, releaseAtOnce)
		if err != nil || len(open) == 0 {
			return done, err
		}
		for _, e := range open {
			after = &Place{At: e.RecordedAt, Key: e.ID[:]}
			if _, known := rules.Unit(e.Unit); !known || e.Account == uuid.Nil {
				continue
			}
			_, err := l.decide(ctx, e, entry.HQDecision{Verdict: entry.VerdictRelease, RuleSet: rules.Version})
			if err != nil && problem.CodeOf(err) != problem.StateConflict {
				return done, err
			}
			done++
		}
	}
}
