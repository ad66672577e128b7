package store

import (
	"context"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

type holdingRow struct {
	Shard     int    `bun:"shard"`
	Account   []byte `bun:"account"`
	Unit      string `bun:"unit"`
	Free      int64  `bun:"free"`
	Allowance int64  `bun:"allowance"`
	Pending   int64  `bun:"pending"`
	Overdraft int64  `bun:"overdraft"`
}

func (r holdingRow) holding() ledger.HoldingRow {
	return ledger.HoldingRow{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)},
		Holding:    loyalty.Holding{Unit: r.Unit, Free: r.Free, Allowance: r.Allowance, Pending: r.Pending, Overdraft: r.Overdraft},
	}
}

// AccountHoldings implements ledger.Store.
func (db *DB) AccountHoldings(ctx context.Context, keys []ledger.AccountKey) ([]ledger.HoldingRow, error) {
	rows, err := selectKeys[holdingRow](ctx, db, db.read(ctx),
		"SELECT shard, account, unit, free, allowance, pending, overdraft FROM holdings WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, holdingRow.holding), err
}

const lotColumns = "shard, account, unit, lot, source, amount, remaining, spent, covered, gone, back, owed, lapsed, pending, voided, " +
	"earned_at, vests_at, expires_at, roll_days"

type lotRow struct {
	Shard     int    `bun:"shard"`
	Account   []byte `bun:"account"`
	Unit      string `bun:"unit"`
	Lot       []byte `bun:"lot"`
	Source    []byte `bun:"source"`
	Amount    int64  `bun:"amount"`
	Remaining int64  `bun:"remaining"`
	Spent     int64  `bun:"spent"`
	Covered   int64  `bun:"covered"`
	Gone      int64  `bun:"gone"`
	Back      int64  `bun:"back"`
	Owed      int64  `bun:"owed"`
	Lapsed    int64  `bun:"lapsed"`
	Pending   int    `bun:"pending"`
	Voided    int    `bun:"voided"`
	EarnedAt  int64  `bun:"earned_at"`
	VestsAt   int64  `bun:"vests_at"`
	ExpiresAt int64  `bun:"expires_at"`
	RollDays  int32  `bun:"roll_days"`
}

func (r lotRow) lot() ledger.LotRow {
	return ledger.LotRow{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Unit: r.Unit, Source: toHash(r.Source),
		Lot: loyalty.Lot{
			ID: loyalty.ID(toID(r.Lot)), Amount: r.Amount, Left: r.Remaining, Spent: r.Spent, Covered: r.Covered, Gone: r.Gone, Back: r.Back, Owed: r.Owed, Lapsed: r.Lapsed,
			Pending: r.Pending == 1, Voided: r.Voided == 1, EarnedAt: r.EarnedAt, VestsAt: r.VestsAt, ExpiresAt: r.ExpiresAt, RollDays: r.RollDays,
		},
	}
}

// OpenLots implements ledger.Store.
func (db *DB) OpenLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.LotRow, error) {
	rows, err := selectKeys[lotRow](ctx, db, db.read(ctx),
		"SELECT "+lotColumns+" FROM lots WHERE is_open = 1 AND ?", "shard, account", accountKeys(keys))
	return convert(rows, lotRow.lot), err
}

// Sales implements ledger.Store.
func (db *DB) Sales(ctx context.Context, keys []ledger.SaleKey) ([]ledger.SaleRow, error) {
	rows, err := selectKeys[factRow](ctx, db, db.read(ctx), "SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, subject",
		convert(keys, func(k ledger.SaleKey) row { return row{k.Shard, idBytes(k.Sale)} }))
	return convert(rows, factRow.sale), err
}

// SaveChanges implements ledger.Store.
func (db *DB) SaveChanges(ctx context.Context, c ledger.Changes) error {
	for _, save := range []func(context.Context, ledger.Changes) error{
		db.saveAccounts, db.saveHoldings, db.saveLots, db.dropLots, db.saveRights, db.savePostings, db.saveBooks, db.saveExplained,
	} {
		if err := save(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) saveAccounts(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO accounts (shard, account, version, marks, place, next_due, broken_until)",
		convert(c.Accounts, func(a ledger.AccountRow) row {
			return row{a.Shard, idBytes(a.Account), a.Version, a.Marks, a.Place, a.NextDue, a.Broken}
		}),
		"ON CONFLICT (shard, account) DO UPDATE SET version = EXCLUDED.version, marks = EXCLUDED.marks, place = EXCLUDED.place, next_due = EXCLUDED.next_due, broken_until = EXCLUDED.broken_until")
}

func (db *DB) saveHoldings(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO holdings (shard, account, unit, free, allowance, pending, overdraft)",
		convert(c.Holdings, func(h ledger.HoldingRow) row {
			return row{h.Shard, idBytes(h.Account), h.Unit, h.Free, h.Allowance, h.Pending, h.Overdraft}
		}),
		"ON CONFLICT (shard, account, unit) DO UPDATE SET free = EXCLUDED.free, allowance = EXCLUDED.allowance, "+
			"pending = EXCLUDED.pending, overdraft = EXCLUDED.overdraft")
}

func (db *DB) saveLots(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO lots ("+lotColumns+", is_open)",
		convert(c.Lots, func(l ledger.LotRow) row {
			return row{
				l.Shard, idBytes(l.Account), l.Unit, idBytes(l.ID), hashBytes(l.Source), l.Amount, l.Left, l.Spent, l.Covered, l.Gone, l.Back, l.Owed, l.Lapsed,
				bit(l.Pending), bit(l.Voided), l.EarnedAt, l.VestsAt, l.ExpiresAt, l.RollDays, bit(l.Left > 0 || l.Covered > 0 || l.Lapsed > 0),
			}
		}),
		"ON CONFLICT (shard, account, unit, lot) DO UPDATE SET source = EXCLUDED.source, amount = EXCLUDED.amount, remaining = EXCLUDED.remaining, spent = EXCLUDED.spent, "+
			"covered = EXCLUDED.covered, gone = EXCLUDED.gone, back = EXCLUDED.back, owed = EXCLUDED.owed, lapsed = EXCLUDED.lapsed, "+
			"earned_at = EXCLUDED.earned_at, vests_at = EXCLUDED.vests_at, expires_at = EXCLUDED.expires_at, roll_days = EXCLUDED.roll_days, pending = EXCLUDED.pending, voided = EXCLUDED.voided, is_open = EXCLUDED.is_open")
}

func (db *DB) savePostings(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO postings (shard, "+postingColumns+")",
		convert(c.Postings, func(p ledger.Posting) row {
			return row{
				p.Shard, idBytes(p.Account), p.RecordedAt, idBytes(p.ID), hashBytes(p.Source), p.Line, p.Unit, p.Amount, int16(p.From), int16(p.To),
				idBytes(p.Store), idBytes(p.Lot), p.OccurredAt, p.EffectiveAt, p.RuleSet, corrected(p),
			}
		}), "")
}

func (db *DB) dropLots(ctx context.Context, c ledger.Changes) error {
	for _, l := range c.LotsGone {
		_, err := db.write(ctx).NewRaw("INSERT INTO gone_lots (shard, account, unit, lot, earned_at, expires_at, roll_days) "+
			"SELECT shard, account, unit, lot, earned_at, expires_at, roll_days FROM lots WHERE shard = ? AND account = ? AND unit = ? AND lot = ? ON CONFLICT DO NOTHING",
			l.Shard, idBytes(l.Account), l.Unit, idBytes(l.Lot)).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = db.write(ctx).NewRaw("DELETE FROM lots WHERE shard = ? AND account = ? AND unit = ? AND lot = ?",
			l.Shard, idBytes(l.Account), l.Unit, idBytes(l.Lot)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) saveBooks(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO books (shard, book, owner, unit, balance)",
		convert(sortedBooks(c.Books), func(k ledger.BookKey) row {
			return row{k.Shard, int16(k.Book), idBytes(k.Owner), k.Unit, c.Books[k]}
		}),
		"ON CONFLICT (shard, book, owner, unit) DO UPDATE SET balance = books.balance + EXCLUDED.balance")
}

func (db *DB) saveExplained(ctx context.Context, c ledger.Changes) error {
	if err := db.AddExceptions(ctx, c.Exceptions); err != nil {
		return err
	}
	for _, e := range c.Explained {
		_, err := db.write(ctx).NewRaw("UPDATE exceptions SET state = ?, explained_by = ?, ended_at = ? WHERE shard = ? AND id = ?", e.State, hashBytes(e.ExplainedBy), e.EndedAt, e.Shard, idBytes(e.ID)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// corrected is empty for a posting that corrects none, which nearly all are.
func corrected(p ledger.Posting) []byte {
	if p.Corrects == (journal.Hash{}) {
		return []byte{}
	}
	return hashBytes(p.Corrects)
}
