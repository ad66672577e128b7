package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/journal"
)

// FactSetAside is a fact that its account could not be folded with. It counts for
// nothing, alone, until it can: after an upgrade, or when another fact came.
const FactSetAside ExceptionKind = "fact_set_aside"

// Aside is a fact that is set aside. Reason is what folding said; times are Unix
// milliseconds.
type Aside struct {
	AccountKey
	Source   journal.Hash
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Branch   int
	Reason   string
	At       int64
	Tries    int
	AgainAt  int64
}

// asideStore keeps what is set aside.
type asideStore interface {
	// Refused reports whether the database refused rows for what they say: a check or a
	// key that is taken, not a lost connection.
	Refused(err error) bool
	// PutAside notes facts, or that they were tried again.
	PutAside(ctx context.Context, rows []Aside) error
	DropAside(ctx context.Context, row Aside) error
	// AsideBy returns facts that are to be tried again by a time, the longest due first.
	AsideBy(ctx context.Context, by int64, limit int) ([]Aside, error)
	AddExceptions(ctx context.Context, rows []Exception) error
}

// brokenAccount is an error of folding one account: of the account, not of the database.
type brokenAccount struct {
	AccountKey
	err error
}

func (b *brokenAccount) Error() string { return fmt.Sprintf("fold account %s: %v", b.Account, b.err) }
func (b *brokenAccount) Unwrap() error { return b.err }

// Broken reports whether an error is about what one account holds: others can go on.
func Broken(err error) bool {
	var b *brokenAccount
	return errors.As(err, &b)
}

// guarded folds something of one account. What folding says or a panic in it is the
// account's: the set it was folded in must be thrown away.
func guarded(key AccountKey, fold func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &brokenAccount{key, fmt.Errorf("panic: %v", p)}
		}
	}()
	err = fold()
	if err == nil || errors.Is(err, errDiverged) {
		return err
	}
	return &brokenAccount{key, err}
}

// orSetAside posts facts in one transaction. Those of an account that cannot be folded
// with them are set aside, and the others are posted without.
func (l *Ledger) orSetAside(ctx context.Context, facts []fact, post func(ctx context.Context, facts []fact) error) error {
	for len(facts) > 0 {
		err := post(ctx, facts)
		var broken *brokenAccount
		switch {
		case err == nil:
			return nil
		case errors.As(err, &broken):
			var theirs []fact
			theirs, facts = split(facts, broken.AccountKey)
			if len(theirs) == 0 {
				return err
			}
			if err := l.setAside(ctx, theirs, broken.err); err != nil {
				return err
			}
		case l.o.Store.Refused(err):
			return l.eachOrAside(ctx, facts, post)
		default:
			return err
		}
	}
	return nil
}

// eachOrAside posts the facts of each account in a transaction of their own: the
// database does not say whose rows it refused.
func (l *Ledger) eachOrAside(ctx context.Context, facts []fact, post func(ctx context.Context, facts []fact) error) error {
	for len(facts) > 0 {
		var theirs []fact
		theirs, facts = split(facts, facts[0].key())
		err := post(ctx, theirs)
		if Broken(err) || err != nil && l.o.Store.Refused(err) {
			err = l.setAside(ctx, theirs, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// split parts the facts of an account from all others, each in their order.
func split(facts []fact, key AccountKey) (theirs, others []fact) {
	for _, f := range facts {
		if f.key() == key {
			theirs = append(theirs, f)
		} else {
			others = append(others, f)
		}
	}
	return theirs, others
}

// maxReason bounds what is kept of an error.
const maxReason = 300

// setAside keeps facts for later, with an exception for each.
func (l *Ledger) setAside(ctx context.Context, facts []fact, why error) error {
	reason := why.Error()
	reason = reason[:min(len(reason), maxReason)]
	now := l.o.Clock.Now().UnixMilli()
	rows := make([]Aside, len(facts))
	s := newSet()
	for i := range facts {
		f := &facts[i]
		rows[i] = Aside{
			AccountKey: f.key(), Source: f.Hash, Terminal: f.Terminal, Epoch: f.Epoch, Seq: f.Seq, Branch: f.Branch, Reason: reason, At: now, AgainAt: now,
		}
		s.raise(f, 0, Exception{Kind: FactSetAside, Liable: liableProgramme, Member: f.member(), Cause: "its account cannot be folded with it: " + reason})
	}
	err := l.o.Store.InTx(ctx, func(ctx context.Context) error {
		if err := l.o.Store.PutAside(ctx, rows); err != nil {
			return err
		}
		return l.o.Store.AddExceptions(ctx, s.exceptions)
	})
	if err != nil {
		return fmt.Errorf("set facts aside: %w", err)
	}
	return nil
}

const (
	// asideAtOnce bounds how many facts one round tries again.
	asideAtOnce = 200
	// A fact is tried again a minute after it failed, then twice as long each time.
	againAfter = time.Minute
	againMost  = time.Hour
)

// RetryAside tries the facts again that are set aside and due, or with all every one,
// each by itself, and returns how many count now.
func (l *Ledger) RetryAside(ctx context.Context, all bool) (int, error) {
	now := l.o.Clock.Now().UnixMilli()
	by := now
	if all {
		by = 1<<63 - 1
	}
	rows, err := l.o.Store.AsideBy(ctx, by, asideAtOnce)
	if err != nil {
		return 0, fmt.Errorf("read what is set aside: %w", err)
	}
	done := 0
	for _, row := range rows {
		err := l.o.Store.InTx(ctx, func(ctx context.Context) error { return l.retryAside(ctx, row) })
		switch {
		case err == nil:
			done++
		case errors.Is(err, errRerouted): // it is due still
		case Broken(err) || l.o.Store.Refused(err):
			row.Tries++
			row.AgainAt = now + min(againAfter<<min(row.Tries-1, 10), againMost).Milliseconds()
			if err := l.o.Store.PutAside(ctx, []Aside{row}); err != nil {
				return done, fmt.Errorf("note what is set aside: %w", err)
			}
		default:
			return done, fmt.Errorf("try what is set aside: %w", err)
		}
	}
	return done, nil
}

// retryAside posts one fact that is set aside, and withdraws its exception.
func (l *Ledger) retryAside(ctx context.Context, row Aside) error {
	entries, err := l.o.Store.EntriesOf(ctx, []EntryKey{{row.Terminal, row.Epoch, row.Seq}})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Hash == row.Source })
	if i < 0 {
		return fmt.Errorf("entry %d of %s is not there", row.Seq, row.Terminal)
	}
	f, ok := factOf(entries[i])
	if !ok {
		return fmt.Errorf("entry %d of %s posts nothing", row.Seq, row.Terminal)
	}
	facts, err := l.route(ctx, []fact{f})
	if err != nil {
		return err
	}
	if err := l.post(ctx, facts); err != nil {
		return err
	}
	if err := l.o.Store.DropAside(ctx, row); err != nil {
		return err
	}
	return l.o.Store.SaveChanges(ctx, Changes{Explained: []Exception{{
		ID: derivedID(row.Source, string(FactSetAside)+"/0"), Shard: row.Shard, State: ExceptionWithdrawn, ExplainedBy: row.Source, EndedAt: l.o.Clock.Now().UnixMilli(),
	}}})
}

// aside names what is set aside. It was applied as far as its journal goes, and counts
// for nothing.
func (a *audit) aside(ctx context.Context) error {
	rows, err := a.store.AsideBy(ctx, 1<<63-1, 1<<31-1)
	if err != nil {
		return err
	}
	for _, r := range rows {
		a.setAside[r.Source] = true
		a.fail(fmt.Sprintf("shard %d, account %s", r.Shard, r.Account), "entry %d of terminal %s, epoch %d, is set aside: %s", r.Seq, r.Terminal, r.Epoch, r.Reason)
	}
	return nil
}
