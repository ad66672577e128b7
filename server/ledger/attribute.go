package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/journal"
)

// member is whose fact it is, or nobody.
func (f fact) member() uuid.UUID {
	switch {
	case f.sale != nil:
		return f.sale.Member
	case f.void != nil:
		return f.void.Member
	case f.ret != nil:
		return f.ret.Member
	}
	return uuid.Nil
}

// passOnly reports whether the till knew nothing of the fact's member but the pass, and
// nobody has found the account yet.
func (f fact) passOnly() bool {
	return f.hq == nil && !f.counted && f.account != uuid.Nil && f.account == f.member()
}

// recount has facts that were applied before, and are read again after a crash or beside
// another process, stay where they counted then: since, their members may have moved to
// another account.
func (l *Ledger) recount(ctx context.Context, facts []fact) error {
	var sales []uuid.UUID
	for _, f := range facts {
		if sale := f.saleKey().Sale; f.passOnly() && sale != uuid.Nil {
			sales = append(sales, sale)
		}
	}
	if len(sales) == 0 {
		return nil
	}
	rows, err := l.o.Store.SourcesNaming(ctx, sales)
	if err != nil {
		return fmt.Errorf("find sources: %w", err)
	}
	at := make(map[journal.Hash]uuid.UUID, len(rows))
	for _, r := range rows {
		if r.Account != uuid.Nil || at[r.Source] == uuid.Nil { // one that waited for its sale may have found it
			at[r.Source] = r.Account
		}
	}
	for i := range facts {
		f := &facts[i]
		if to, ok := at[f.Hash]; ok && f.passOnly() {
			f.account, f.shard, f.counted = to, shardOf(to, f.Terminal), true
		}
	}
	return nil
}

// attribute finds the account of facts whose till knew nothing of the member but the
// pass: there the member's id stands for the account. What undoes a sale counts where
// the sale was posted, and waits while that is not known. A member whom HQ does not
// know keeps the place, and the fact waits in suspense.
func (l *Ledger) attribute(ctx context.Context, facts []fact) error {
	asked := map[uuid.UUID]bool{}
	for _, f := range facts {
		if f.passOnly() {
			asked[f.account] = true
		}
	}
	if len(asked) == 0 {
		return nil
	}
	accounts, err := l.o.Store.AccountsOfMembers(ctx, slices.Collect(maps.Keys(asked)))
	if err != nil {
		return fmt.Errorf("find accounts of members: %w", err)
	}
	selling := map[SaleKey]bool{} // by these facts
	for i := range facts {
		if f := &facts[i]; f.sale != nil && !f.counted {
			selling[SaleKey{Terminal: f.Terminal, Sale: f.sale.ID}] = true
		}
	}
	for i := range facts {
		f := &facts[i]
		if !f.passOnly() {
			continue
		}
		to, known := accounts[f.account]
		if key := f.saleKey(); f.undoes() && !selling[SaleKey{Terminal: key.Terminal, Sale: key.Sale}] {
			sale, found, err := l.o.Store.SaleAnywhere(ctx, key.Sale, key.Terminal)
			if err != nil {
				return fmt.Errorf("find sale: %w", err)
			}
			if !found {
				f.await()
				continue
			}
			if sale.Account != uuid.Nil {
				to, known = sale.Account, true
			}
		}
		if known {
			f.account, f.shard = to, shardOf(to, f.Terminal)
		}
	}
	return nil
}
