package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// maxLinks bounds how many links in a row are followed. Links make no circle; a
// table that has one all the same must not stop the applier.
const maxLinks = 16

// LinkRow is a dated link: from From on and before Until (zero is for ever) facts
// of the account count for Target, by their effective time.
type LinkRow struct {
	AccountKey
	Target uuid.UUID
	Kind   entry.LinkKind
	From   int64
	Until  int64
}

func (r LinkRow) holds(at int64) bool { return r.From <= at && (r.Until == 0 || at < r.Until) }

// linkStore is what routing reads.
type linkStore interface {
	// AccountLinks returns all links of the accounts, ended ones too.
	AccountLinks(ctx context.Context, keys []AccountKey) ([]LinkRow, error)
}

// AccountAt returns the account that facts of an account count for at a time: the
// end of the links in force then. That is the account itself without a link.
func (l *Ledger) AccountAt(ctx context.Context, accountID uuid.UUID, at int64) (uuid.UUID, error) {
	links, err := l.links(ctx, []uuid.UUID{accountID})
	if err != nil {
		return uuid.Nil, err
	}
	return links.end(accountID, at), nil
}

// linkMap has the links of accounts, and of those they lead to.
type linkMap map[uuid.UUID][]LinkRow

// end follows the links in force at a time.
func (m linkMap) end(accountID uuid.UUID, at int64) uuid.UUID {
	for range maxLinks {
		i := slices.IndexFunc(m[accountID], func(r LinkRow) bool { return r.holds(at) })
		if i < 0 {
			break
		}
		accountID = m[accountID][i].Target
	}
	return accountID
}

// reach lists the account and every account a link of it ever led to.
func (m linkMap) reach(accountID uuid.UUID) []uuid.UUID {
	out := []uuid.UUID{accountID}
	for i := 0; i < len(out) && len(out) <= maxLinks; i++ {
		for _, r := range m[out[i]] {
			if !slices.Contains(out, r.Target) {
				out = append(out, r.Target)
			}
		}
	}
	return out
}

func (l *Ledger) links(ctx context.Context, accounts []uuid.UUID) (linkMap, error) {
	out := linkMap{}
	seen := map[uuid.UUID]bool{}
	for range maxLinks {
		keys := map[AccountKey]bool{}
		for _, id := range accounts {
			if id != uuid.Nil && !seen[id] {
				seen[id] = true
				keys[AccountKey{shard.Of(id), id}] = true
			}
		}
		if len(keys) == 0 {
			break
		}
		rows, err := l.o.Store.AccountLinks(ctx, keysOf(keys))
		if err != nil {
			return nil, fmt.Errorf("read account links: %w", err)
		}
		accounts = accounts[:0:0]
		for _, r := range rows {
			out[r.Account] = append(out[r.Account], r)
			accounts = append(accounts, r.Target)
		}
	}
	return out, nil
}

// route sends each fact to the account it counts for: a sale by the link in force
// when it took effect, what undoes a sale to where the sale was posted. An undoing of
// a sale that is not known waits, of no account, because the sale may turn out to be
// of another account than the links say now.
func (l *Ledger) route(ctx context.Context, facts []fact) ([]fact, error) {
	if err := l.recount(ctx, facts); err != nil {
		return nil, err
	}
	if err := l.attribute(ctx, facts); err != nil {
		return nil, err
	}
	accounts := make([]uuid.UUID, 0, len(facts))
	for _, f := range facts {
		accounts = append(accounts, f.account)
	}
	links, err := l.links(ctx, accounts)
	for i := range facts {
		facts[i].routed = routed{facts[i].account, links}
	}
	if err != nil || len(links) == 0 {
		return facts, err
	}
	named, err := l.named(ctx, facts, links)
	if err != nil {
		return nil, err
	}
	sold := map[SaleKey]uuid.UUID{} // of these facts, by terminal and sale
	for _, undoing := range []bool{false, true} {
		for i := range facts {
			f := &facts[i]
			if f.undoes() != undoing || !links.concern(f) {
				continue
			}
			key := f.saleKey()
			key.Shard = 0
			to, known := named.of(f, links.reach(f.account))
			switch at, ok := sold[key]; {
			case undoing && ok:
				to = at
			case undoing && !known:
				f.await()
				continue
			case !known:
				to = links.end(f.account, f.EffectiveAt)
			}
			if f.account, f.shard = to, shardOf(to, f.Terminal); !undoing {
				sold[key] = to
			}
			if links.end(to, always) != to {
				l.left.Add(1)
			}
		}
	}
	return facts, nil
}

// concern reports whether links say where a fact counts. A fact of HQ names the
// account it means, a step of a right that of the right.
func (m linkMap) concern(f *fact) bool {
	return f.hq == nil && f.change == nil && !f.counted && f.account != uuid.Nil && len(m[f.account]) > 0
}

// namedSales has the stored facts that name sales, by the sale.
type namedSales map[uuid.UUID][]SaleRow

// named reads which stored facts name the sales of facts, in the accounts that their
// links ever led to.
func (l *Ledger) named(ctx context.Context, facts []fact, links linkMap) (namedSales, error) {
	var keys []SaleKey
	for i := range facts {
		f := &facts[i]
		key := f.saleKey()
		if key.Sale == uuid.Nil || !links.concern(f) {
			continue
		}
		for _, id := range links.reach(f.account) {
			key.Shard = shard.Of(id)
			keys = append(keys, key)
		}
	}
	rows, err := l.o.Store.Sales(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("find sales: %w", err)
	}
	out := namedSales{}
	for _, r := range rows {
		out[r.Sale] = append(out[r.Sale], r)
	}
	return out, nil
}

// of finds which of several accounts the other half of a fact is in: the sale that it
// undoes or, of a sale, what waits there to undo it since before there were links. One
// that has been applied before is where it was.
func (n namedSales) of(f *fact, accounts []uuid.UUID) (uuid.UUID, bool) {
	for _, r := range n[f.saleKey().Sale] {
		if r.Source == f.Hash && slices.Contains(accounts, r.Account) {
			return r.Account, true
		}
	}
	for _, r := range n[f.saleKey().Sale] {
		if (r.State == VoidWaits) != f.undoes() && r.Source != f.Hash && slices.Contains(accounts, r.Account) {
			return r.Account, true
		}
	}
	return uuid.Nil, false
}

// always is a time at which the links that nobody has ended hold, and no others.
const always = math.MaxInt64

// Left grows with every fact that is posted to an account from which a link leads
// away: it may leave something there that must be sent on. It is raised before the
// posting is committed.
func (l *Ledger) Left() uint64 { return l.left.Load() }

// errRerouted means that a link was made between looking for links and posting.
var errRerouted = errors.New("an account was linked meanwhile")

// routed is by which links a fact was routed, from which account.
type routed struct {
	from  uuid.UUID
	links linkMap
}

// stillRouted looks again once the accounts are locked: who makes a link holds the
// lock of the linked account. It holds the links against those that were read, and does
// not route again: the sources of these very facts are there by now, and where a sale
// id is used twice they would answer another question.
func (l *Ledger) stillRouted(ctx context.Context, facts []fact) error {
	again := slices.Clone(facts)
	if err := l.attribute(ctx, again); err != nil {
		return err
	}
	accounts := make([]uuid.UUID, 0, len(facts))
	for i, f := range again {
		if f.account != facts[i].account {
			return errRerouted
		}
		accounts = append(accounts, f.routed.from)
	}
	links, err := l.links(ctx, accounts)
	if err != nil {
		return err
	}
	for _, f := range facts {
		for _, id := range links.reach(f.routed.from) {
			if !sameLinks(f.routed.links[id], links[id]) {
				return errRerouted
			}
		}
	}
	return nil
}

// sameLinks reports whether two readings of an account's links found the same.
func sameLinks(a, b []LinkRow) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(r LinkRow) bool { return !slices.Contains(b, r) })
}
