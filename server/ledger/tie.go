package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// tieEvery is how old the note of a member's last visit to a store gets before it is
// written again.
const tieEvery = 30 * 24 * time.Hour

// TieKey names what a member and a store have to do with each other. Shard is that of
// the member's account.
type TieKey struct {
	Shard         int
	Member, Store uuid.UUID
}

// Tie is one with the time of the last visit that was noted, in Unix milliseconds.
type Tie struct {
	TieKey
	VisitedAt int64
}

// tie notes which stores the members of facts visited. Of one that is new to a store
// the store is told all there is, in this transaction: the member is published with
// the set, and so are the vouchers now.
func (l *Ledger) tie(ctx context.Context, s *set, facts []fact) error {
	if !l.o.Ties {
		return nil
	}
	visits := map[TieKey]int64{}
	accounts := map[TieKey]uuid.UUID{}
	for _, f := range facts {
		// Of what HQ says only a claimed receipt is a visit: of the store that made the sale.
		if f.hq != nil && f.Kind != entry.KindHQClaimed || f.Store == uuid.Nil || f.member() == uuid.Nil || s.accounts[f.account] == nil {
			continue
		}
		key := TieKey{f.shard, f.member(), f.Store}
		visits[key] = max(visits[key], f.EffectiveAt)
		accounts[key] = f.account
	}
	if len(visits) == 0 {
		return nil
	}
	keys := make([]TieKey, 0, len(visits))
	for key := range visits {
		keys = append(keys, key)
	}
	known, err := l.o.Store.Ties(ctx, keys)
	if err != nil {
		return fmt.Errorf("read ties: %w", err)
	}
	var rows []Tie
	fresh := map[uuid.UUID]bool{} // accounts of members new to a store
	for _, key := range keys {
		at, there := known[key]
		if there && visits[key]-at < tieEvery.Milliseconds() {
			continue
		}
		rows = append(rows, Tie{key, visits[key]})
		fresh[accounts[key]] = fresh[accounts[key]] || !there
	}
	return l.putTies(ctx, s, rows, fresh)
}

// putTies writes ties in one order, and has the vouchers of fresh accounts published.
func (l *Ledger) putTies(ctx context.Context, s *set, rows []Tie, fresh map[uuid.UUID]bool) error {
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b Tie) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), bytes.Compare(a.Member[:], b.Member[:]), bytes.Compare(a.Store[:], b.Store[:]))
	})
	if err := l.o.Store.PutTies(ctx, rows); err != nil {
		return fmt.Errorf("write ties: %w", err)
	}
	keys := map[AccountKey]bool{}
	for account, isNew := range fresh {
		if isNew {
			keys[AccountKey{shard.Of(account), account}] = true
		}
	}
	if len(keys) == 0 {
		return nil
	}
	vouchers, err := l.o.Store.AccountVouchers(ctx, keysOf(keys))
	if err != nil {
		return fmt.Errorf("read vouchers: %w", err)
	}
	for _, v := range vouchers {
		a, unit := s.accounts[v.Account], loyalty.UseUnit(v.Voucher.String())
		a.holding(unit)
		a.touched[unit] = true
	}
	return nil
}

// Tie ties a member to a store by hand, in the caller's transaction, and tells the
// store of the member. Doing it again tells it again. An unknown member is
// problem.NotFound.
func (l *Ledger) Tie(ctx context.Context, member, store uuid.UUID) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		accounts, err := l.o.Store.AccountsOfMembers(ctx, []uuid.UUID{member})
		if err != nil {
			return fmt.Errorf("find account of member: %w", err)
		}
		account, known := accounts[member]
		if !known {
			return problem.Newf(problem.NotFound, "there is no member %s", member)
		}
		key := AccountKey{shard.Of(account), account}
		s := newSet()
		if err := l.loadAccounts(ctx, s, []AccountKey{key}); err != nil {
			return err
		}
		if s.accounts[account] == nil {
			return problem.Newf(problem.NotFound, "there is no account %s", account)
		}
		row := Tie{TieKey{key.Shard, member, store}, l.o.Clock.Now().UnixMilli()}
		if err := l.putTies(ctx, s, []Tie{row}, map[uuid.UUID]bool{account: true}); err != nil {
			return err
		}
		return l.save(ctx, s)
	})
}

// inheritTies ties who answers for vouchers from now on to the stores that knew them, so
// that these go on being told of them, and tells the stores.
func (l *Ledger) inheritTies(ctx context.Context, key AccountKey, owned Owned) error {
	if !l.o.Ties || owned.Heir == uuid.Nil || len(owned.Vouchers) == 0 {
		return nil
	}
	visits := map[TieKey]int64{}
	for _, m := range owned.Members {
		ties, err := l.o.Store.TiesOf(ctx, key.Shard, m.ID)
		if err != nil {
			return fmt.Errorf("read ties: %w", err)
		}
		for _, t := range ties {
			at := TieKey{key.Shard, owned.Heir, t.Store}
			visits[at] = max(visits[at], t.VisitedAt)
		}
	}
	known, err := l.o.Store.Ties(ctx, slices.Collect(maps.Keys(visits)))
	if err != nil {
		return fmt.Errorf("read ties: %w", err)
	}
	var rows []Tie
	for at, visited := range visits {
		if _, there := known[at]; !there {
			rows = append(rows, Tie{at, visited})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	s := newSet()
	if err := l.loadAccounts(ctx, s, []AccountKey{key}); err != nil {
		return err
	}
	if err := l.putTies(ctx, s, rows, map[uuid.UUID]bool{key.Account: true}); err != nil {
		return err
	}
	return l.save(ctx, s)
}

// moveTies takes the ties of a member, and the issues of the pass, along to the shard of
// another account.
func (l *Ledger) moveTies(ctx context.Context, m wire.Member, to AccountKey) error {
	from := shard.Of(m.Account)
	if from == to.Shard {
		return nil
	}
	ties, err := l.o.Store.TiesOf(ctx, from, m.ID)
	if err != nil {
		return fmt.Errorf("read ties: %w", err)
	}
	for i := range ties {
		ties[i].Shard = to.Shard
	}
	if err := l.o.Store.PutTies(ctx, ties); err != nil {
		return fmt.Errorf("write ties: %w", err)
	}
	return l.moveIssues(ctx, PassKey{from, m.ID}, to.Shard)
}
