package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// rightKept is how long after its time a right that is over is remembered: a fact that
// names it later finds it unknown.
const rightKept = 90 * 24 * time.Hour

// RightRow is a right as stored.
type RightRow struct {
	UnitKey
	loyalty.HeldRight
}

// RightKey names a right of an account.
type RightKey struct {
	UnitKey
	Right uuid.UUID
}

func (r RightRow) key() RightKey { return RightKey{r.UnitKey, r.ID} }

// rightStore reads rights.
type rightStore interface {
	// OpenRights returns the rights of accounts that are not over.
	OpenRights(ctx context.Context, keys []AccountKey) ([]RightRow, error)
	// AccountRights returns all rights of accounts.
	AccountRights(ctx context.Context, keys []AccountKey) ([]RightRow, error)
	RightsByID(ctx context.Context, keys []RightKey) ([]RightRow, error)
	AuditRights(ctx context.Context, shard int) ([]RightRow, error)
	// Losses sums exceptions that have an attribution and are neither withdrawn nor
	// about what the account could pay.
	Losses(ctx context.Context) ([]Loss, error)
	// KnownSources returns those of the sources that are there: of this account, with
	// this time.
	KnownSources(ctx context.Context, rows []SourceRow) ([]SourceRow, error)
}

// loadRights reads the rights of accounts that are not over, and those that facts name.
func (l *Ledger) loadRights(ctx context.Context, s *set, keys []AccountKey) error {
	rows, err := l.o.Store.OpenRights(ctx, keys)
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	s.addRights(rows)
	return nil
}

// namedRights reads the rights that facts name.
func (l *Ledger) namedRights(ctx context.Context, s *set, facts []fact) error {
	var keys []RightKey
	for i := range facts {
		f := &facts[i]
		if a := s.accounts[f.account]; a != nil {
			for _, key := range f.rights() {
				if h := a.holdings[key.Unit]; h == nil || h.Right(key.Right) == nil {
					keys = append(keys, key)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	rows, err := l.o.Store.RightsByID(ctx, keys)
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	s.addRights(rows)
	return nil
}

func (s *set) addRights(rows []RightRow) {
	for _, row := range rows {
		if a := s.accounts[row.Account]; a != nil {
			a.holding(row.Unit).PutRight(row.HeldRight)
			a.rights[row.key()] = row.HeldRight
		}
	}
}

// rights are the rights that the fact names.
func (f *fact) rights() []RightKey {
	var out []RightKey
	name := func(unit string, id uuid.UUID) {
		if id != uuid.Nil {
			out = append(out, RightKey{UnitKey{f.key(), unit}, id})
		}
	}
	switch {
	case f.sale != nil:
		for _, r := range f.sale.Redeemed {
			name(redeemedUnit(r), r.Right)
		}
		for _, k := range f.sale.Kept {
			name(k.Unit, f.sale.ID)
		}
	case f.change != nil:
		name(f.change.Unit, f.change.Right)
		name(f.change.Unit, f.change.Parent)
	case f.named.Right != uuid.Nil:
		name(f.named.Unit, f.named.Right)
	}
	return out
}

// delay has the uses of rights that HQ had taken back take effect when HQ was told of
// them, so that what it gave to others meanwhile stays theirs. A release waits with them,
// or the right would count as given back before its use, and a copy be blamed. It is decided once, when
// the fact is applied, and kept with its source: one that is read again after a crash
// keeps its time, whatever HQ took back since, or it would count twice.
func (l *Ledger) delay(ctx context.Context, facts []fact) error {
	var keys []RightKey
	accounts := map[AccountKey]bool{}
	for i := range facts {
		if f := &facts[i]; f.uses() && f.account != uuid.Nil {
			keys = append(keys, f.rights()...)
			accounts[f.key()] = true
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if _, err := l.o.Store.LockAccounts(ctx, keysOf(accounts)); err != nil {
		return fmt.Errorf("lock accounts: %w", err)
	}
	rows, err := l.o.Store.RightsByID(ctx, keys)
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	taken := map[RightKey]bool{}
	for _, row := range rows {
		if row.End > loyalty.RightReleased {
			taken[row.key()] = true
		}
	}
	known, err := l.timesKept(ctx, facts)
	if err != nil {
		return err
	}
	for i := range facts {
		f := &facts[i]
		if !f.uses() {
			continue
		}
		if at, ok := known[f.Hash]; ok {
			f.EffectiveAt = at
		} else if slices.ContainsFunc(f.rights(), func(k RightKey) bool { return taken[k] }) {
			f.EffectiveAt = f.delayed()
		}
	}
	slices.SortStableFunc(facts, byEffect)
	return nil
}

// delayed is when a use of a right takes effect that HQ had taken back.
func (f *fact) delayed() int64 { return max(f.EffectiveAt, f.RecordedAt) }

// timesKept has the times with which uses of rights have been applied before.
func (l *Ledger) timesKept(ctx context.Context, facts []fact) (map[journal.Hash]int64, error) {
	var asked []SourceRow
	for i := range facts {
		if f := &facts[i]; f.uses() {
			row := f.source()
			asked = append(asked, row)
			if row.EffectiveAt = f.delayed(); row.EffectiveAt != f.EffectiveAt {
				asked = append(asked, row)
			}
		}
	}
	rows, err := l.o.Store.KnownSources(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	known := make(map[journal.Hash]int64, len(rows))
	for _, row := range rows {
		known[row.Source] = row.EffectiveAt
	}
	return known, nil
}

// uses reports whether the fact spends, lends or releases rights.
func (f *fact) uses() bool {
	if f.sale != nil {
		return slices.ContainsFunc(f.sale.Redeemed, func(r entry.Redemption) bool { return r.Right != uuid.Nil })
	}
	return f.change != nil && (f.change.Op == entry.AllowanceLent || f.change.Op == entry.AllowanceReleased)
}

// rightOf is the right that a fact of HQ is about, named by unit and id.
func rightOf(body any) (key RightKey) {
	switch b := body.(type) {
	case entry.HQGrant:
		key.Unit, key.Right = b.Unit, b.Right
	case entry.HQTakeBack:
		key.Unit, key.Right = b.Unit, b.Right
	}
	return key
}

// rightNamed is rightOf of an entry. One that cannot be read is about none.
func rightNamed(env entry.Entry) RightKey {
	switch env.Kind {
	case entry.KindHQGrant:
		if body, err := entry.DecodeBody[entry.HQGrant](env); err == nil {
			return rightOf(body)
		}
	case entry.KindHQTakeBack:
		if body, err := entry.DecodeBody[entry.HQTakeBack](env); err == nil {
			return rightOf(body)
		}
	}
	return RightKey{}
}

// grantedAt is when a grant takes effect: one that HQ had lost and was shown, when it
// had been given.
func grantedAt(g entry.HQGrant, recordedAt int64) int64 {
	if g.Adopted {
		return min(g.GrantedAt, recordedAt)
	}
	return recordedAt
}

// earliest is when the first fact took effect that named a right which this fact makes;
// that fact must be folded again. It is zero when there is none.
func (s *set) earliest(f *fact) int64 {
	a := s.accounts[f.account]
	if a == nil || f.sale != nil && len(f.sale.Kept) == 0 || f.change != nil && f.change.Op != entry.AllowanceLent {
		return 0
	}
	var since int64
	for _, key := range f.rights() {
		h := a.holdings[key.Unit]
		if h == nil {
			continue
		}
		if r := h.Right(key.Right); r != nil && r.Kind == loyalty.RightUnmade && (since == 0 || r.Since < since) {
			since = r.Since
		}
	}
	return since
}

// changedRights lists the rights of an account that must be written.
func (a *account) changedRights(c *Changes) {
	for _, unit := range sortedKeys(a.touched) {
		for _, r := range a.holdings[unit].Rights {
			row := RightRow{UnitKey{a.AccountKey, unit}, r}
			if was, ok := a.rights[row.key()]; !ok || was != r {
				c.Rights = append(c.Rights, row)
			}
		}
	}
	for key := range a.rights {
		if h := a.holdings[key.Unit]; h == nil || h.Right(key.Right) == nil {
			c.RightsGone = append(c.RightsGone, key)
		}
	}
}

// allRights reads every right of accounts that are folded again, so that what is written
// is compared with all that is stored.
func (l *Ledger) allRights(ctx context.Context, s *set, late map[AccountKey][]*fact) error {
	keys := make(map[AccountKey]bool, len(late))
	for key := range late {
		keys[key] = true
	}
	rows, err := l.o.Store.AccountRights(ctx, keysOf(keys))
	if err != nil {
		return fmt.Errorf("read rights: %w", err)
	}
	for _, row := range rows {
		if a := s.accounts[row.Account]; a != nil {
			a.rights[row.key()] = row.HeldRight
		}
	}
	return nil
}

// openRights are those of the rights that are not over: what a snapshot keeps. One that
// is over never changes again, and is read where it is stored. None is nil, so that
// accounts that had some and accounts that never had any are in one state.
func openRights(all []loyalty.HeldRight) []loyalty.HeldRight {
	var open []loyalty.HeldRight
	for _, r := range all {
		if !r.Over() {
			open = append(open, r)
		}
	}
	return open
}

// endedBefore gives an account, as a snapshot of a time has it, the rights that were over
// then: those stored that are over, were named by then, and that the snapshot has not.
func (a *account) endedBefore(at int64, stored map[RightKey]loyalty.HeldRight) {
	for key, r := range stored {
		if h := a.holding(key.Unit); r.Over() && r.Since <= at && h.Right(key.Right) == nil {
			h.PutRight(r)
		}
	}
}

// endedSince reports whether a right that is over was first named at a moment. Whether a
// snapshot of that moment has it behind it is not known when facts of the same moment
// come after the snapshot.
func endedSince(stored map[RightKey]loyalty.HeldRight, at int64) bool {
	for _, r := range stored {
		if r.Over() && r.Since == at {
			return true
		}
	}
	return false
}
