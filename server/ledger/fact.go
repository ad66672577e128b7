package ledger

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// fact is an accepted entry that may change an account, decoded. A fact of HQ has
// the place of its entry in HQ's journal.
type fact struct {
	Entry
	shard   int
	account uuid.UUID
	sale    *entry.Sale
	void    *entry.Void
}

// factOf decodes an entry that posts. ok is false for kinds that post nothing.
//
// The bytes were decoded once at ingest. If they cannot be read now they were
// changed since; such a fact moves nothing and is an exception.
func factOf(e Entry) (f fact, ok bool) {
	if e.State != Accepted || e.Kind != entry.KindSale && e.Kind != entry.KindVoid {
		return fact{}, false
	}
	f.Entry = e
	env, err := entry.Decode(e.Raw)
	if err == nil && env.Kind == entry.KindSale {
		var sale entry.Sale
		if sale, err = entry.DecodeBody[entry.Sale](env); err == nil {
			f.sale, f.account = &sale, sale.Account
		}
	}
	if err == nil && env.Kind == entry.KindVoid {
		var void entry.Void
		if void, err = entry.DecodeBody[entry.Void](env); err == nil {
			f.void, f.account = &void, void.Account
		}
	}
	f.shard = shardOf(f.account, e.Terminal)
	return f, true
}

// shardOf is where a fact is posted: the shard of its account, or that of the
// terminal when it has none.
func shardOf(account, terminal uuid.UUID) int {
	if account == uuid.Nil {
		return shard.Of(terminal)
	}
	return shard.Of(account)
}

// saleKey names the sale that the fact makes or voids.
func (f fact) saleKey() SaleKey {
	key := SaleKey{Shard: f.shard, Terminal: f.Terminal}
	if f.sale != nil {
		key.Sale = f.sale.ID
	} else {
		key.Sale = f.void.Sale
	}
	return key
}
