package ledger

import (
	"encoding/binary"
	"slices"

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
	ret     *entry.Return
	change  *entry.AllowanceChange
	of      uuid.UUID // the sale of a return that does not name it, once it is found
	soldAt  uuid.UUID // the terminal of the sale, of a claim and of what undoes a claimed sale
	// named is the right that a fact of HQ is about; since is when a right that this
	// fact makes was first named, if that was before.
	named RightKey
	since int64
	hq    hqFold
	// routed says how it came to its account; counted, that it had been applied there.
	routed  routed
	counted bool
}

// hqFold is what a fact of HQ does to an account.
type hqFold func(s *set, f *fact, a *account) error

// tillKinds are the kinds of entries of terminals that post.
var tillKinds = []entry.Kind{entry.KindSale, entry.KindVoid, entry.KindReturn, entry.KindAllowanceChange}

// factOf decodes an entry that posts. ok is false for kinds that post nothing.
//
// The bytes were decoded once at ingest. If they cannot be read now they were
// changed since; such a fact moves nothing and is an exception.
func factOf(e Entry) (f fact, ok bool) {
	if e.State != Accepted || !slices.Contains(tillKinds, e.Kind) {
		return fact{}, false
	}
	f.Entry = e
	if env, err := entry.Decode(e.Raw); err == nil {
		f.decode(env)
	}
	f.shard = shardOf(f.account, e.Terminal)
	return f, true
}

// decode reads the body; one that cannot be read leaves the fact without any.
func (f *fact) decode(env entry.Entry) {
	switch env.Kind {
	case entry.KindSale:
		if sale, err := entry.DecodeBody[entry.Sale](env); err == nil {
			f.sale, f.account = &sale, sale.Account
		}
	case entry.KindVoid:
		if void, err := entry.DecodeBody[entry.Void](env); err == nil {
			f.void, f.account = &void, void.Account
		}
	case entry.KindReturn:
		if ret, err := entry.DecodeBody[entry.Return](env); err == nil {
			f.ret, f.account = &ret, ret.Account
		}
	case entry.KindAllowanceChange:
		if change, err := entry.DecodeBody[entry.AllowanceChange](env); err == nil {
			f.change, f.account = &change, change.Account
		}
	}
}

// shardOf is where a fact is posted: the shard of its account, or that of the
// terminal when it has none.
func shardOf(account, terminal uuid.UUID) int {
	if account == uuid.Nil {
		return shard.Of(terminal)
	}
	return shard.Of(account)
}

// saleKey names the sale that the fact makes or undoes.
func (f fact) saleKey() SaleKey {
	key := SaleKey{Shard: f.shard, Terminal: f.Terminal}
	switch {
	case f.sale != nil:
		key.Sale = f.sale.ID
	case f.void != nil:
		key.Sale = f.void.Sale
	case f.ret != nil:
		key.Sale, key.Terminal = f.ret.Sale, f.ret.Origin
		if key.Sale == uuid.Nil {
			key.Sale = f.of
		}
	}
	if f.soldAt != uuid.Nil {
		key.Terminal = f.soldAt
	}
	return key
}

// key names the fact's account.
func (f fact) key() AccountKey { return AccountKey{f.shard, f.account} }

// undoes reports whether the fact undoes a sale.
func (f fact) undoes() bool { return f.void != nil || f.ret != nil }

// awaits reports whether the sale that the fact undoes must be found before it can
// count for an account: the fact names none, or it is not known which.
func (f fact) awaits() bool {
	return f.account == uuid.Nil && (f.ret != nil || f.void != nil && f.void.Account != uuid.Nil)
}

// await lets the fact wait for its sale, of no account until that is found.
func (f *fact) await() { f.account, f.shard = uuid.Nil, shardOf(uuid.Nil, f.Terminal) }

// place is where the fact stands in the order of folding, as bytes that compare
// like [byEffect].
func (f fact) place() []byte { return f.source().place() }

// place is where the fact of a source stands.
func (r SourceRow) place() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 68), uint64(r.EffectiveAt)^1<<63)
	b = append(b, r.Writer[:]...)
	b = binary.BigEndian.AppendUint32(b, r.Epoch)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	return append(b, r.Source[:]...)
}

// source is the row under which the fact counts once.
func (f fact) source() SourceRow {
	return SourceRow{
		AccountKey: f.key(), Source: f.Hash, Writer: f.Terminal, Epoch: f.Epoch, Seq: f.Seq, Kind: f.Kind,
		Subject: f.saleKey().Sale, EffectiveAt: f.EffectiveAt, RecordedAt: f.RecordedAt,
	}
}
