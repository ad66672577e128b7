package ledger

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// foldAtOnce is how many accounts verification folds at a time.
const foldAtOnce = 100

// folds checks that each account is what its facts give when they are folded from
// nothing: replay is live.
func (a *audit) folds(ctx context.Context, _ int, b *shardBooks) error {
	for keys := range slices.Chunk(keysOf(b.accounts), foldAtOnce) {
		s := newSet()
		rows, err := a.store.AccountHoldings(ctx, keys)
		if err != nil {
			return err
		}
		for _, row := range rows {
			known := s.accounts[row.Account]
			if known == nil {
				known = newAccount(AccountRow{AccountKey: row.AccountKey}, nil)
				s.accounts[row.Account] = known
			}
			known.holdings[row.Unit] = &row.Holding
		}
		stored, err := a.snapshots(ctx, keys)
		if err != nil {
			return err
		}
		histories, err := a.ledger.histories(ctx, s, keys)
		if err != nil {
			a.fail(b.where, "the facts of its accounts cannot be read: %v", err)
			return nil
		}
		if err := a.strangers(ctx, b.where, histories); err != nil {
			return err
		}
		for _, key := range keys {
			a.count("accounts, folded again from their facts", 1)
			a.folded(s, key, histories[key], stored[key])
		}
	}
	return nil
}

// strangers checks that a sale counts for the account it names, or for one that a link
// ever led to from there. Where the member stood for the account, any will do; what
// undoes a sale is where the sale is, or it would not fold.
func (a *audit) strangers(ctx context.Context, where string, histories map[AccountKey]history) error {
	named := map[uuid.UUID][]uuid.UUID{} // accounts where facts count that name this one
	for key, h := range histories {
		for _, f := range h.facts {
			if f.sale != nil && f.sale.Account != key.Account && f.sale.Account != f.sale.Member {
				named[f.sale.Account] = append(named[f.sale.Account], key.Account)
			}
		}
	}
	if len(named) == 0 {
		return nil
	}
	links, err := a.ledger.links(ctx, slices.Collect(maps.Keys(named)))
	if err != nil {
		return err
	}
	for account, places := range named {
		reach := links.reach(account)
		for _, place := range places {
			if !slices.Contains(reach, place) {
				a.fail(where, "a sale of account %s counts for account %s, to which no link leads", account, place)
			}
		}
	}
	return nil
}

// folded compares one account with its facts.
func (a *audit) folded(s *set, key AccountKey, h history, stored map[string][]byte) {
	where := fmt.Sprintf("shard %d, account %s", key.Shard, key.Account)
	at := make(map[string]bool, len(stored))
	for place := range stored {
		at[place] = true
	}
	r, err := s.foldAll(key, h.facts, snapshots{at: at})
	if err != nil {
		a.fail(where, "its facts do not fold: %v", err)
		return
	}
	nets := map[effectKey]int64{}
	for _, p := range r.postings {
		netOf(nets, p, 1)
	}
	for _, p := range h.postings {
		netOf(nets, p, -1)
	}
	wrong := 0
	for _, n := range nets {
		if n != 0 {
			wrong++
		}
	}
	if wrong > 0 {
		a.fail(where, "its postings are not what its facts give, in %d places", wrong)
	}
	if known := r.accounts[key.Account]; known != nil {
		a.sameLots(where, known, h.lots)
		a.sameRights(where, known, a.rightsNow[key])
		a.sameSnapshots(where, r.snaps.taken, stored)
	}
}

// snapshots reads the states of all snapshots of accounts, by their places.
func (a *audit) snapshots(ctx context.Context, keys []AccountKey) (map[AccountKey]map[string][]byte, error) {
	rows, err := a.store.Snapshots(ctx, keys)
	if err != nil {
		return nil, err
	}
	at := make([]SnapshotKey, len(rows))
	for i, row := range rows {
		at[i] = row.SnapshotKey
	}
	if rows, err = a.store.SnapshotStates(ctx, at); err != nil {
		return nil, err
	}
	out := map[AccountKey]map[string][]byte{}
	for _, row := range rows {
		if out[row.AccountKey] == nil {
			out[row.AccountKey] = map[string][]byte{}
		}
		out[row.AccountKey][string(row.Place)] = row.State
	}
	return out, nil
}

// sameSnapshots checks that each snapshot is what folding gave at its place.
func (a *audit) sameSnapshots(where string, folded []SnapshotRow, stored map[string][]byte) {
	a.count("snapshots, equal to what their facts give", int64(len(stored)))
	same := 0
	for _, row := range folded {
		if bytes.Equal(stored[string(row.Place)], row.State) {
			same++
		}
	}
	if same != len(stored) {
		a.fail(where, "%d of its %d snapshots are not what its facts give", len(stored)-same, len(stored))
	}
}

func (a *audit) sameLots(where string, folded *account, stored []LotRow) {
	lots := map[uuid.UUID]loyalty.Lot{}
	for _, h := range folded.holdings {
		for _, lot := range h.Lots {
			lots[uuid.UUID(lot.ID)] = lot
		}
	}
	for _, row := range stored {
		if lots[uuid.UUID(row.ID)] != row.Lot {
			a.fail(where, "lot %s is not what its facts give", uuid.UUID(row.ID))
		}
		delete(lots, uuid.UUID(row.ID))
	}
	if len(lots) > 0 {
		a.fail(where, "%d lots are missing", len(lots))
	}
}
