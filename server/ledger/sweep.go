package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

const (
	// sweepAccounts bounds how many accounts one sweep lets time pass for.
	sweepAccounts = 500
	// sweepTogether bounds how many of them one transaction locks: what a till asks about
	// one of them waits as long.
	sweepTogether = 100
)

// Swept says what a sweep did. Until is the time up to which lots have come due,
// Unix milliseconds; Graced, that it passed the watermark of a terminal that has
// not been heard of for the stated grace.
type Swept struct {
	Until    int64
	Graced   bool
	Accounts int
	Opened   int // exceptions that awaited a fact longer than the grace
}

// Sweep lets lots vest and expire in accounts where nothing else happens, up to the
// time before which no terminal can hold a fact that HQ has not applied. It waits
// for no terminal longer than the grace. Accounts that cannot be folded are left out, and
// named in the error at the end. A late fact is honoured all the same: its
// account is folded again.
func (l *Ledger) Sweep(ctx context.Context) (Swept, error) {
	now := l.o.Clock.Now().UnixMilli()
	until, graced, err := l.watermark(ctx)
	if err != nil {
		return Swept{}, err
	}
	done := Swept{Until: until, Graced: graced}
	due, err := l.o.Store.DueAccounts(ctx, done.Until, sweepAccounts)
	if err != nil {
		return Swept{}, fmt.Errorf("find due accounts: %w", err)
	}
	var broken []error
	for _, keys := range l.together(due) {
		n, err := l.passAll(ctx, keys, done)
		done.Accounts += n
		switch {
		case Broken(err): // the others go on
			broken = append(broken, err)
		case err != nil:
			return done, err
		}
	}
	if done.Opened, err = l.o.Store.OpenAwaiting(ctx, now-l.o.Grace.Milliseconds()); err != nil {
		return done, fmt.Errorf("open exceptions: %w", err)
	}
	return done, errors.Join(broken...)
}

// watermark is the time before which no terminal can hold a fact that is not applied,
// or, when one has not been heard of for the grace, the time that long ago.
func (l *Ledger) watermark(ctx context.Context) (until int64, graced bool, err error) {
	now := l.o.Clock.Now().UnixMilli()
	progress, err := l.o.Store.Progress(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("read progress: %w", err)
	}
	until = now
	for _, p := range progress {
		if p.Watermark < p.Head.Seq {
			p.EffectiveAt = 0 // the head is not applied; the grace decides
		}
		until = min(until, p.EffectiveAt)
	}
	if floor := now - l.o.Grace.Milliseconds(); until < floor {
		return floor, true, nil
	}
	return until, false, nil
}

// together splits accounts into those of one transaction each.
func (l *Ledger) together(due []AccountKey) (out [][]AccountKey) {
	if len(due) == 0 {
		return nil
	}
	slices.SortFunc(due, func(a, b AccountKey) int { return compareIDs(a.Shard, a.Account, b.Shard, b.Account) })
	from, shards := 0, 0
	for i := range due {
		if i == 0 || due[i].Shard != due[i-1].Shard {
			shards++
		}
		if i-from == sweepTogether || shards > l.o.ShardsPerTx {
			out, from, shards = append(out, due[from:i]), i, 1
		}
	}
	return append(out, due[from:])
}

// passAll lets time pass for accounts in one transaction, and returns for how many. If one
// cannot be folded, or the database refuses what some row says, each has one of its own:
// the others go on, and the error names those that did not.
func (l *Ledger) passAll(ctx context.Context, keys []AccountKey, to Swept) (n int, err error) {
	n, err = l.passTogether(ctx, keys, to)
	if err == nil || len(keys) == 1 || !Broken(err) && !l.o.Store.Refused(err) {
		return n, l.passing(keys, err)
	}
	var broken []error
	n = 0
	for i := range keys {
		one, err := l.passTogether(ctx, keys[i:i+1], to)
		n += one
		switch err = l.passing(keys[i:i+1], err); {
		case Broken(err):
			broken = append(broken, err)
		case err != nil:
			return n, err
		}
	}
	return n, errors.Join(broken...)
}

// passing says for whom time did not pass. Rows of one account that the database refuses are
// that account's, as in orSetAside.
func (l *Ledger) passing(keys []AccountKey, err error) error {
	switch {
	case err == nil:
		return nil
	case len(keys) == 1:
		if !Broken(err) && l.o.Store.Refused(err) {
			err = &brokenAccount{keys[0], err}
		}
		return fmt.Errorf("let time pass for account %s: %w", keys[0].Account, err)
	default:
		return fmt.Errorf("let time pass for %d accounts: %w", len(keys), err)
	}
}

// passTogether lets time pass for those of the accounts in which something is due still:
// another process may have been faster.
func (l *Ledger) passTogether(ctx context.Context, keys []AccountKey, to Swept) (n int, err error) {
	err = l.o.Store.InTx(ctx, func(ctx context.Context) error {
		s := newSet()
		if err := l.loadAccounts(ctx, s, keys); err != nil {
			return err
		}
		var due []*account
		var facts []hqjournal.Fact
		for _, a := range s.sorted() {
			if !a.dueBy(to.Until) {
				delete(s.accounts, a.Account) // it is left as it is
				continue
			}
			body := entry.HQExpiry{Account: a.Account, Until: to.Until, Graced: to.Graced}
			due, facts = append(due, a), append(facts, hqjournal.Fact{Kind: entry.KindHQExpiry, Body: body})
		}
		if n = len(due); n == 0 {
			return nil
		}
		return l.postHQ(ctx, s, due, facts, foldExpiry)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// dueBy says whether time passing until then changes the account, or may.
func (a *account) dueBy(until int64) bool {
	next := a.nextDue()
	return len(a.place) == 0 || next != 0 && next <= until
}
