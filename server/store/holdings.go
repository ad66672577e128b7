package store

import (
	"context"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
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

const lotColumns = "shard, account, unit, lot, source, amount, remaining, spent, covered, gone, pending, voided, earned_at, vests_at, expires_at"

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
	Pending   int    `bun:"pending"`
	Voided    int    `bun:"voided"`
	EarnedAt  int64  `bun:"earned_at"`
	VestsAt   int64  `bun:"vests_at"`
	ExpiresAt int64  `bun:"expires_at"`
}

func (r lotRow) lot() ledger.LotRow {
	return ledger.LotRow{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Unit: r.Unit, Source: toHash(r.Source),
		Lot: loyalty.Lot{
			ID: loyalty.ID(toID(r.Lot)), Amount: r.Amount, Left: r.Remaining, Spent: r.Spent, Covered: r.Covered, Gone: r.Gone,
			Pending: r.Pending == 1, Voided: r.Voided == 1, EarnedAt: r.EarnedAt, VestsAt: r.VestsAt, ExpiresAt: r.ExpiresAt,
		},
	}
}

// OpenLots implements ledger.Store.
func (db *DB) OpenLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.LotRow, error) {
	rows, err := selectKeys[lotRow](ctx, db, db.read(ctx),
		"SELECT "+lotColumns+" FROM lots WHERE is_open = 1 AND ?", "shard, account", accountKeys(keys))
	return convert(rows, lotRow.lot), err
}

// LotsByID implements ledger.Store.
func (db *DB) LotsByID(ctx context.Context, keys []ledger.LotKey) ([]ledger.LotRow, error) {
	rows, err := selectKeys[lotRow](ctx, db, db.read(ctx),
		"SELECT "+lotColumns+" FROM lots WHERE ?", "shard, account, unit, lot",
		convert(keys, func(k ledger.LotKey) row { return row{k.Shard, idBytes(k.Account), k.Unit, idBytes(k.Lot)} }))
	return convert(rows, lotRow.lot), err
}

// Sales implements ledger.Store.
func (db *DB) Sales(ctx context.Context, keys []ledger.SaleKey) ([]ledger.SaleRow, error) {
	type saleRow struct {
		Shard      int    `bun:"shard"`
		Terminal   []byte `bun:"terminal"`
		Sale       []byte `bun:"sale"`
		Account    []byte `bun:"account"`
		Source     []byte `bun:"source"`
		State      int16  `bun:"state"`
		Effects    []byte `bun:"effects"`
		VoidSource []byte `bun:"void_source"`
	}
	rows, err := selectKeys[saleRow](ctx, db, db.read(ctx),
		"SELECT shard, terminal, sale, account, source, state, effects, void_source FROM sales WHERE ?", "shard, terminal, sale",
		convert(keys, func(k ledger.SaleKey) row { return row{k.Shard, idBytes(k.Terminal), idBytes(k.Sale)} }))
	return convert(rows, func(r saleRow) ledger.SaleRow {
		return ledger.SaleRow{
			SaleKey: ledger.SaleKey{Shard: r.Shard, Terminal: toID(r.Terminal), Sale: toID(r.Sale)}, Account: toID(r.Account),
			Source: toHash(r.Source), State: ledger.SaleState(r.State), Effects: r.Effects, VoidSource: toHash(r.VoidSource),
		}
	}), err
}

// SaveChanges implements ledger.Store.
func (db *DB) SaveChanges(ctx context.Context, c ledger.Changes) error {
	for _, save := range []func(context.Context, ledger.Changes) error{
		db.saveAccounts, db.saveHoldings, db.saveLots, db.savePostings, db.saveSales, db.saveBooks, db.saveExplained,
	} {
		if err := save(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) saveAccounts(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO accounts (shard, account, version, marks)",
		convert(c.Accounts, func(a ledger.AccountRow) row { return row{a.Shard, idBytes(a.Account), a.Version, a.Marks} }),
		"ON CONFLICT (shard, account) DO UPDATE SET marks = EXCLUDED.marks")
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
				l.Shard, idBytes(l.Account), l.Unit, idBytes(l.ID), hashBytes(l.Source), l.Amount, l.Left, l.Spent, l.Covered, l.Gone,
				bit(l.Pending), bit(l.Voided), l.EarnedAt, l.VestsAt, l.ExpiresAt, bit(l.Left > 0 || l.Covered > 0),
			}
		}),
		"ON CONFLICT (shard, account, unit, lot) DO UPDATE SET remaining = EXCLUDED.remaining, spent = EXCLUDED.spent, "+
			"covered = EXCLUDED.covered, gone = EXCLUDED.gone, pending = EXCLUDED.pending, voided = EXCLUDED.voided, is_open = EXCLUDED.is_open")
}

func (db *DB) savePostings(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO postings (shard, "+postingColumns+")",
		convert(c.Postings, func(p ledger.Posting) row {
			return row{
				p.Shard, idBytes(p.Account), p.RecordedAt, idBytes(p.ID), hashBytes(p.Source), p.Line, p.Unit, p.Amount, int16(p.From), int16(p.To),
				idBytes(p.Store), idBytes(p.Lot), p.OccurredAt, p.EffectiveAt, p.RuleSet,
			}
		}), "")
}

func (db *DB) saveSales(ctx context.Context, c ledger.Changes) error {
	return db.insert(ctx, "INSERT INTO sales (shard, terminal, sale, account, source, state, effects, void_source)",
		convert(c.Sales, func(s ledger.SaleRow) row {
			effects := s.Effects
			if effects == nil {
				effects = []byte{}
			}
			return row{s.Shard, idBytes(s.Terminal), idBytes(s.Sale), idBytes(s.Account), hashBytes(s.Source), int16(s.State), effects, hashBytes(s.VoidSource)}
		}),
		"ON CONFLICT (shard, terminal, sale) DO UPDATE SET account = EXCLUDED.account, source = EXCLUDED.source, "+
			"state = EXCLUDED.state, effects = EXCLUDED.effects, void_source = EXCLUDED.void_source")
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
		_, err := db.write(ctx).NewRaw("UPDATE exceptions SET state = ? WHERE shard = ? AND id = ?", e.State, e.Shard, idBytes(e.ID)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}
