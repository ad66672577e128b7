package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// A snapshot is an account at a place in the order of its facts. A fact that comes
// late, and what undoes an older sale, is folded from the newest snapshot before
// everything it can change. Snapshots are a cache.
//
// A fact's hash decides whether a snapshot is taken behind it and on which level it
// stands, each level half as often as the one below. Of each level the newest few are
// kept, so that the distances between those kept grow with their age.
const (
	// snapshotEvery is how many facts lie between snapshots on average; with more
	// open lots than that, as many as there are lots. A power of two.
	snapshotEvery = 64
	// snapshotsOfLevel are kept of each level.
	snapshotsOfLevel = 4
)

// SnapshotKey names a snapshot: an account behind the fact at Place.
type SnapshotKey struct {
	AccountKey
	Place []byte
}

// SnapshotRow is a snapshot as stored; State is the CBOR of its holdings.
type SnapshotRow struct {
	SnapshotKey
	Level int
	State []byte
}

// SinceKey asks for the facts of an account that take effect at a time or later.
type SinceKey struct {
	AccountKey
	Since int64
}

// snapshotStore keeps snapshots, and finds the facts behind them.
type snapshotStore interface {
	// Snapshots returns all snapshots of accounts, without their states.
	Snapshots(ctx context.Context, keys []AccountKey) ([]SnapshotRow, error)
	SnapshotStates(ctx context.Context, keys []SnapshotKey) ([]SnapshotRow, error)
	// SaveSnapshots replaces rows with the same key.
	SaveSnapshots(ctx context.Context, put []SnapshotRow, drop []SnapshotKey) error
	SourcesSince(ctx context.Context, keys []SinceKey) ([]SourceRow, error)
	// SubjectSources returns the facts in the shards of keys that name their sales.
	SubjectSources(ctx context.Context, keys []SaleKey) ([]SourceRow, error)
}

// snapshots are what a set does to them.
type snapshots struct {
	every int             // see snapshotEvery; zero takes none
	at    map[string]bool // takes those at these places only
	taken []SnapshotRow
	stale []SnapshotKey // those of the account behind the place do not hold any more
}

// heldLot and heldUnit are lots and holdings as a snapshot stores them.
type heldLot struct {
	_       struct{} `cbor:",toarray"`
	ID      loyalty.ID
	Source  []byte
	Amounts [7]int64 // amount, left, spent, covered, gone, back, owed
	Lapsed  int64
	Pending bool
	Dates   [3]int64 // earned, vests, expires
	Rolls   int32
}

type heldAccount struct {
	_      struct{} `cbor:",toarray"`
	Broken int64
	Units  []heldUnit
}

type heldUnit struct {
	_                                   struct{} `cbor:",toarray"`
	Unit                                string
	Free, Allowance, Pending, Overdraft int64
	Lots                                []heldLot
	Rights                              []loyalty.HeldRight
}

// level is the level of the snapshot behind a fact, below zero when none is taken.
func (p *snapshots) level(source journal.Hash, lots int) int {
	if p.every == 0 {
		return -1
	}
	sparse := bits.Len(uint(max(p.every, lots) - 1))
	return bits.TrailingZeros64(binary.BigEndian.Uint64(source[24:])|1<<40) - sparse
}

// snap takes a snapshot of an account behind the fact just folded, if one is due.
func (s *set) snap(f *fact, a *account) error {
	open := 0
	for _, h := range a.holdings {
		for i := range h.Lots {
			if isOpen(&h.Lots[i]) {
				open++
			}
		}
	}
	level := s.snaps.level(f.Hash, open)
	if level < 0 && !s.snaps.at[string(f.place())] {
		return nil
	}
	state, err := a.held()
	if err != nil {
		return err
	}
	s.snaps.taken = append(s.snaps.taken, SnapshotRow{SnapshotKey{a.AccountKey, f.place()}, level, state})
	return nil
}

// isOpen reports whether a later fact can change a lot without undoing a sale.
func isOpen(l *loyalty.Lot) bool { return l.Left > 0 || l.Covered > 0 || l.Lapsed > 0 }

// held encodes the holdings of an account with their open lots. An account without a
// holding is the same as one whose holdings are empty.
func (a *account) held() ([]byte, error) {
	var units []heldUnit
	for _, unit := range sortedKeys(a.holdings) {
		h := a.holdings[unit]
		u := heldUnit{Unit: unit, Free: h.Free, Allowance: h.Allowance, Pending: h.Pending, Overdraft: h.Overdraft, Rights: openRights(h.Rights)}
		for i := range h.Lots {
			l := &h.Lots[i]
			if !isOpen(l) {
				continue
			}
			source := a.lotSource[l.ID]
			u.Lots = append(u.Lots, heldLot{
				ID: l.ID, Source: source[:], Amounts: [7]int64{l.Amount, l.Left, l.Spent, l.Covered, l.Gone, l.Back, l.Owed},
				Lapsed: l.Lapsed, Pending: l.Pending, Dates: [3]int64{l.EarnedAt, l.VestsAt, l.ExpiresAt}, Rolls: l.RollDays,
			})
		}
		if u.Free|u.Allowance|u.Pending|u.Overdraft != 0 || len(u.Lots)+len(u.Rights) > 0 {
			units = append(units, u)
		}
	}
	return wire.Marshal(heldAccount{Broken: a.broken, Units: units})
}

// hold gives an account the holdings of a snapshot.
func (a *account) hold(state []byte) error {
	held, err := wire.Unmarshal[heldAccount](state)
	if err != nil {
		return fmt.Errorf("read snapshot of account %s: %w", a.Account, err)
	}
	a.broken = held.Broken
	for _, u := range held.Units {
		h := a.holding(u.Unit)
		h.Free, h.Allowance, h.Pending, h.Overdraft, h.Rights = u.Free, u.Allowance, u.Pending, u.Overdraft, u.Rights
		for _, l := range u.Lots {
			h.Lots = append(h.Lots, loyalty.Lot{
				ID: l.ID, Amount: l.Amounts[0], Left: l.Amounts[1], Spent: l.Amounts[2], Covered: l.Amounts[3], Gone: l.Amounts[4],
				Back: l.Amounts[5], Owed: l.Amounts[6], Lapsed: l.Lapsed, Pending: l.Pending,
				Voided: l.Amounts[5] == l.Amounts[0], EarnedAt: l.Dates[0], VestsAt: l.Dates[1], ExpiresAt: l.Dates[2], RollDays: l.Rolls,
			})
			a.lotSource[l.ID] = journal.Hash(l.Source)
		}
		h.SortLots()
	}
	return nil
}

// keepSnapshots writes the snapshots that a set took, and drops those that do not
// hold any more and those that are too many.
func (l *Ledger) keepSnapshots(ctx context.Context, s *set) error {
	if len(s.snaps.taken) == 0 && len(s.snaps.stale) == 0 {
		return nil
	}
	accounts := map[AccountKey]bool{}
	for _, row := range s.snaps.taken {
		accounts[row.AccountKey] = true
	}
	for _, key := range s.snaps.stale {
		accounts[key.AccountKey] = true
	}
	stored, err := l.o.Store.Snapshots(ctx, keysOf(accounts))
	if err != nil {
		return fmt.Errorf("read snapshots: %w", err)
	}
	put, drop := s.snaps.prune(stored)
	if err := l.o.Store.SaveSnapshots(ctx, put, drop); err != nil {
		return fmt.Errorf("write snapshots: %w", err)
	}
	return nil
}

// prune says which of the snapshots taken are written, and which stored ones go.
func (p *snapshots) prune(stored []SnapshotRow) (put []SnapshotRow, drop []SnapshotKey) {
	type mine struct {
		SnapshotRow
		stored bool
	}
	all := map[AccountKey][]mine{}
	for _, row := range stored {
		stale := slices.ContainsFunc(p.stale, func(k SnapshotKey) bool {
			return k.AccountKey == row.AccountKey && bytes.Compare(row.Place, k.Place) > 0
		})
		if stale {
			drop = append(drop, row.SnapshotKey)
			continue
		}
		all[row.AccountKey] = append(all[row.AccountKey], mine{row, true})
	}
	for _, row := range p.taken {
		all[row.AccountKey] = append(all[row.AccountKey], mine{row, false})
	}
	for _, key := range sortedAccounts(all) {
		rows := all[key]
		slices.SortFunc(rows, func(a, b mine) int { return bytes.Compare(b.Place, a.Place) })
		kept := map[int]int{}
		for _, row := range rows {
			kept[row.Level]++
			switch over := kept[row.Level] > snapshotsOfLevel; {
			case over && row.stored:
				drop = append(drop, row.SnapshotKey)
			case !over && !row.stored:
				put = append(put, row.SnapshotRow)
			}
		}
	}
	// What is taken anew at a place that was stale is written after that was dropped.
	return put, drop
}

func sortedAccounts[V any](m map[AccountKey]V) []AccountKey {
	keys := make(map[AccountKey]bool, len(m))
	for key := range m {
		keys[key] = true
	}
	return keysOf(keys)
}
