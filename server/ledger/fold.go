package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// foldSet folds facts whose sources are new into the set. A fact that stands behind
// everything its account has seen is folded onto the account as it is. For any
// other, and for one that undoes a sale, the account is folded again.
func (l *Ledger) foldSet(ctx context.Context, s *set, facts []fact) error {
	s.snaps.every = l.snapshotEvery
	for i := range facts {
		s.fresh[countedKey{facts[i].account, facts[i].Hash}] = true
		if err := l.needDecided(ctx, s, &facts[i]); err != nil {
			return err
		}
	}
	if err := l.namedRights(ctx, s, facts); err != nil {
		return err
	}
	again, err := l.outOfOrder(ctx, s, facts)
	if err != nil {
		return err
	}
	late := map[AccountKey][]*fact{}
	for i := range facts {
		f := &facts[i]
		if again[f.key()] {
			late[f.key()] = append(late[f.key()], f)
			continue
		}
		if err := guarded(f.key(), func() error { return l.foldOne(s, f) }); err != nil {
			return err
		}
	}
	if err := l.foldAgain(ctx, s, late); err != nil {
		return err
	}
	return l.keepSnapshots(ctx, s)
}

// foldOne folds one fact onto its account as it is.
func (l *Ledger) foldOne(s *set, f *fact) error {
	if err := l.fails(f); err != nil {
		return err
	}
	return s.fold(f)
}

// fails is nil unless a test wants the account not to fold with one of the facts.
func (l *Ledger) fails(facts ...*fact) error {
	if l.unfoldable == nil {
		return nil
	}
	for _, f := range facts {
		if err := l.unfoldable(f.account, f.Hash); err != nil {
			return err
		}
	}
	return nil
}

// foldAgain folds accounts again because of their late facts: from a snapshot, or, of
// an account that is not open, whose last place is not known, or which is not what its
// facts give now, from nothing, holding the outcome against all that was posted.
func (l *Ledger) foldAgain(ctx context.Context, s *set, late map[AccountKey][]*fact) error {
	if err := l.allRights(ctx, s, late); err != nil {
		return err
	}
	whole, known := map[AccountKey]bool{}, map[AccountKey][]*fact{}
	for key, facts := range late {
		if a := s.accounts[key.Account]; a == nil || len(a.place) == 0 {
			whole[key] = true
		} else {
			known[key] = facts
		}
	}
	disputes, err := l.foldTails(ctx, s, known, whole)
	if err != nil {
		return err
	}
	if err := l.foldWhole(ctx, s, keysOf(whole), late); err != nil {
		return err
	}
	return l.settle(ctx, s, disputes)
}

// foldTails folds accounts again from a snapshot. Those of which more is read than that
// it adds to whole.
func (l *Ledger) foldTails(ctx context.Context, s *set, late map[AccountKey][]*fact, whole map[AccountKey]bool) ([]*dispute, error) {
	if len(late) == 0 {
		return nil, nil
	}
	tails, err := l.tails(ctx, s, late)
	if err != nil {
		return nil, err
	}
	var disputes []*dispute
	for _, key := range sortedAccounts(late) {
		var d *dispute
		err := guarded(key, func() (err error) {
			if err = l.fails(late[key]...); err == nil {
				d, err = s.refoldTail(key, tails[key], late[key])
			}
			return err
		})
		switch {
		case errors.Is(err, errDiverged):
			whole[key] = true
		case err != nil:
			return nil, fmt.Errorf("fold account %s again: %w", key.Account, err)
		case d != nil:
			disputes = append(disputes, d)
		}
	}
	return disputes, nil
}

// foldWhole folds accounts again from nothing.
func (l *Ledger) foldWhole(ctx context.Context, s *set, keys []AccountKey, late map[AccountKey][]*fact) error {
	if len(keys) == 0 {
		return nil
	}
	histories, err := l.histories(ctx, s, keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		err := guarded(key, func() error {
			if err := l.fails(late[key]...); err != nil {
				return err
			}
			return s.refold(key, histories[key], late[key])
		})
		if err != nil {
			return fmt.Errorf("fold account %s again: %w", key.Account, err)
		}
	}
	return nil
}

// outOfOrder names the accounts that must be folded again.
func (l *Ledger) outOfOrder(ctx context.Context, s *set, facts []fact) (map[AccountKey]bool, error) {
	again := map[AccountKey]bool{}
	if l.forgetful {
		return again, nil
	}
	var sales []SaleKey
	seen := map[SaleKey]bool{}
	for i := range facts {
		f := &facts[i]
		if f.account == uuid.Nil {
			continue
		}
		f.since = s.earliest(f)
		if f.undoes() || f.since != 0 || f.Kind == entry.KindHQExceptionDecision || f.Kind == entry.KindHQCorrectionUndo || s.late(f) && !l.straight {
			again[f.key()] = true
		}
		if f.sale == nil {
			continue
		}
		if seen[f.saleKey()] {
			again[f.key()] = true
		}
		seen[f.saleKey()] = true
		sales = append(sales, f.saleKey())
	}
	if len(sales) == 0 {
		return again, nil
	}
	named, err := l.o.Store.Sales(ctx, sales)
	if err != nil {
		return nil, fmt.Errorf("read sales: %w", err)
	}
	for _, row := range named {
		// Another entry names the sale: one that undoes it, or the sale once more.
		if !s.fresh[countedKey{row.Account, row.Source}] {
			again[AccountKey{row.Shard, row.Account}] = again[AccountKey{row.Shard, row.Account}] || s.has(facts, row)
		}
	}
	return trueOnly(again), nil
}

// has reports whether one of the facts is of the row's account and sale.
func (s *set) has(facts []fact, row SaleRow) bool {
	return slices.ContainsFunc(facts, func(f fact) bool {
		return f.account == row.Account && f.sale != nil && f.sale.ID == row.Sale
	})
}

func trueOnly(m map[AccountKey]bool) map[AccountKey]bool {
	for key, ok := range m {
		if !ok {
			delete(m, key)
		}
	}
	return m
}

// late reports whether a fact stands before one that its account has seen. An
// account whose last place is not known has seen something.
func (s *set) late(f *fact) bool {
	a := s.accounts[f.account]
	return a != nil && (len(a.place) == 0 || slices.Compare(f.place(), a.place) < 0)
}

// fold folds one fact onto its account as it is.
func (s *set) fold(f *fact) error {
	s.line = 0
	s.kinds[f.Hash] = f.Kind
	if f.hq == nil && f.OccurredAt > f.RecordedAt+aheadOf.Milliseconds() {
		s.raise(f, 0, Exception{Kind: ClockAhead, Liable: liableStore, Cause: "it says that it happened more than a day after it arrived"})
	}
	var err error
	a := s.accounts[f.account]
	switch {
	case f.hq != nil && a != nil:
		err = f.hq(s, f, a)
	case f.sale != nil:
		err = s.foldSale(f)
	case f.void != nil:
		err = s.foldVoid(f)
	case f.ret != nil:
		err = s.foldReturn(f)
	case f.change != nil:
		err = s.foldChange(f)
	case f.hq == nil:
		s.raise(f, 0, Exception{Kind: Unreadable, Liable: liableProgramme, Cause: "the stored bytes were changed after they arrived"})
	}
	if a == nil || err != nil {
		return err
	}
	a.passed(f)
	return s.snap(f, a)
}

// touch keeps alive what lives by activity of the account.
func (s *set) touch(f *fact, a *account, ruleSet uint64) error {
	for _, unit := range sortedKeys(a.holdings) {
		if !a.holdings[unit].Rolls() {
			continue
		}
		err := s.on(f, a, unit, ruleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			h.Touch(f.EffectiveAt)
			return nil, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
