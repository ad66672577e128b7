package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// sweepAccounts bounds how many accounts one sweep lets time pass for.
const sweepAccounts = 500

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
	for _, key := range due {
		err := l.pass(ctx, key.Account, entry.HQExpiry{Account: key.Account, Until: done.Until, Graced: done.Graced})
		if errors.Is(err, errNothing) {
			continue // another process was faster
		}
		if err != nil {
			err = fmt.Errorf("let time pass for account %s: %w", key.Account, err)
		}
		switch {
		case Broken(err): // the others go on
			broken = append(broken, err)
		case err != nil:
			return done, err
		default:
			done.Accounts++
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

// pass lets time pass for an account, or returns errNothing when nothing is due.
func (l *Ledger) pass(ctx context.Context, accountID uuid.UUID, body entry.HQExpiry) error {
	made := func(a *account) (hqjournal.Fact, error) {
		if next := a.nextDue(); len(a.place) > 0 && (next == 0 || next > body.Until) {
			return hqjournal.Fact{}, errNothing
		}
		return hqjournal.Fact{Kind: entry.KindHQExpiry, Body: body}, nil
	}
	return l.hqFact(ctx, accountID, made, foldExpiry)
}
