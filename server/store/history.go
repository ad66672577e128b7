package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const sourceColumns = "shard, account, source, writer, epoch, seq, kind, subject, effective_at, recorded_at"

type factRow struct {
	Shard       int    `bun:"shard"`
	Account     []byte `bun:"account"`
	Source      []byte `bun:"source"`
	Writer      []byte `bun:"writer"`
	Epoch       uint32 `bun:"epoch"`
	Seq         uint64 `bun:"seq"`
	Kind        uint16 `bun:"kind"`
	Subject     []byte `bun:"subject"`
	EffectiveAt int64  `bun:"effective_at"`
	RecordedAt  int64  `bun:"recorded_at"`
}

func (r factRow) source() ledger.SourceRow {
	return ledger.SourceRow{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Source: toHash(r.Source), Writer: toID(r.Writer),
		Epoch: r.Epoch, Seq: r.Seq, Kind: entry.Kind(r.Kind), Subject: toID(r.Subject), EffectiveAt: r.EffectiveAt, RecordedAt: r.RecordedAt,
	}
}

// AccountSources implements ledger.Store.
func (db *DB) AccountSources(ctx context.Context, keys []ledger.AccountKey) ([]ledger.SourceRow, error) {
	rows, err := selectKeys[factRow](ctx, db, db.read(ctx),
		"SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, factRow.source), err
}

// SourceEntries implements ledger.Store.
func (db *DB) SourceEntries(ctx context.Context, rows []ledger.SourceRow) ([]ledger.Entry, error) {
	found, err := selectKeys[entryRow](ctx, db, db.read(ctx),
		"SELECT "+entryColumns+" FROM entries WHERE ?", "shard, terminal, epoch, seq, hash",
		convert(rows, func(r ledger.SourceRow) row {
			return row{shard.Of(r.Writer), idBytes(r.Writer), r.Epoch, r.Seq, hashBytes(r.Source)}
		}))
	return convert(found, entryRow.entry), err
}

// SourceHQ implements ledger.Store.
func (db *DB) SourceHQ(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash][]byte, error) {
	type hqRow struct {
		Hash []byte `bun:"hash"`
		Raw  []byte `bun:"raw"`
	}
	found, err := selectKeys[hqRow](ctx, db, db.read(ctx), "SELECT hash, raw FROM hq_journal WHERE ?", "shard, epoch, seq",
		convert(rows, func(r ledger.SourceRow) row { return row{r.Shard, r.Epoch, r.Seq} }))
	out := make(map[journal.Hash][]byte, len(found))
	for _, r := range found {
		out[toHash(r.Hash)] = r.Raw
	}
	return out, err
}

// AccountPostings implements ledger.Store.
func (db *DB) AccountPostings(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Posting, error) {
	rows, err := selectKeys[postingRow](ctx, db, db.read(ctx),
		"SELECT shard, "+postingColumns+" FROM postings WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, postingRow.posting), err
}

// AccountLots implements ledger.Store.
func (db *DB) AccountLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.LotRow, error) {
	rows, err := selectKeys[lotRow](ctx, db, db.read(ctx),
		"SELECT "+lotColumns+" FROM lots WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, lotRow.lot), err
}

// AccountExceptions implements ledger.Store.
func (db *DB) AccountExceptions(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Exception, error) {
	rows, err := selectKeys[exceptionRow](ctx, db, db.read(ctx),
		"SELECT "+exceptionColumns+" FROM exceptions WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, exceptionRow.exception), err
}

// DueAccounts implements ledger.Store.
func (db *DB) DueAccounts(ctx context.Context, until int64, limit int) ([]ledger.AccountKey, error) {
	var rows []accountRow
	err := db.read(ctx).NewRaw("SELECT shard, account FROM accounts WHERE next_due > 0 AND next_due <= ? ORDER BY next_due, shard, account LIMIT ?",
		until, limit).Scan(ctx, &rows)
	return convert(rows, func(r accountRow) ledger.AccountKey { return r.account().AccountKey }), err
}

// OpenAwaiting implements ledger.Store.
func (db *DB) OpenAwaiting(ctx context.Context, before int64) (int, error) {
	done, err := db.write(ctx).NewRaw("UPDATE exceptions SET state = ? WHERE state = ? AND recorded_at < ?",
		ledger.ExceptionOpen, ledger.ExceptionAwaiting, before).Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// PutAwaited implements ledger.Store.
func (db *DB) PutAwaited(ctx context.Context, r ledger.AwaitedReturn) error {
	return db.insert(ctx, "INSERT INTO awaited_returns (shard, terminal, epoch, seq, source, tried_at)",
		[]row{{shard.Of(r.Terminal), idBytes(r.Terminal), r.Epoch, r.Seq, hashBytes(r.Source), r.TriedAt}},
		"ON CONFLICT (shard, terminal, epoch, seq, source) DO UPDATE SET tried_at = EXCLUDED.tried_at")
}

// DropAwaited implements ledger.Store.
func (db *DB) DropAwaited(ctx context.Context, r ledger.AwaitedReturn) error {
	_, err := db.write(ctx).NewRaw("DELETE FROM awaited_returns WHERE shard = ? AND terminal = ? AND epoch = ? AND seq = ? AND source = ?",
		shard.Of(r.Terminal), idBytes(r.Terminal), r.Epoch, r.Seq, hashBytes(r.Source)).Exec(ctx)
	return err
}

// Awaited implements ledger.Store.
func (db *DB) Awaited(ctx context.Context, limit int) ([]ledger.AwaitedReturn, error) {
	var rows []struct {
		Terminal []byte `bun:"terminal"`
		Epoch    uint32 `bun:"epoch"`
		Seq      uint64 `bun:"seq"`
		Source   []byte `bun:"source"`
		TriedAt  int64  `bun:"tried_at"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, seq, source, tried_at FROM awaited_returns ORDER BY tried_at, terminal, epoch, seq LIMIT ?",
		limit).Scan(ctx, &rows)
	out := make([]ledger.AwaitedReturn, len(rows))
	for i, r := range rows {
		out[i] = ledger.AwaitedReturn{Terminal: toID(r.Terminal), Epoch: r.Epoch, Seq: r.Seq, Source: toHash(r.Source), TriedAt: r.TriedAt}
	}
	return out, err
}

// SaleAnywhere implements ledger.Store.
func (db *DB) SaleAnywhere(ctx context.Context, sale, terminal uuid.UUID) (ledger.SaleRow, bool, error) {
	q := db.read(ctx).NewSelect().TableExpr("sources").ColumnExpr(sourceColumns).
		Where("subject = ? AND kind = ?", idBytes(sale), uint16(entry.KindSale))
	if terminal != uuid.Nil {
		q = q.Where("writer = ?", idBytes(terminal))
	}
	var r factRow
	err := q.OrderExpr("effective_at, source").Limit(1).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.SaleRow{}, false, nil
	}
	return r.sale(), err == nil, err
}

// SourcesNaming implements ledger.Store.
func (db *DB) SourcesNaming(ctx context.Context, sales []uuid.UUID) ([]ledger.SourceRow, error) {
	var out []ledger.SourceRow
	for part := range slices.Chunk(sales, bulk) {
		ids := convert(part, func(id uuid.UUID) []byte { return idBytes(id) })
		rows, err := page(ctx, db, factRow.source, "SELECT "+sourceColumns+" FROM sources WHERE subject IN (?)", bun.List(ids))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func (r factRow) sale() ledger.SaleRow {
	out := ledger.SaleRow{
		SaleKey: ledger.SaleKey{Shard: r.Shard, Terminal: toID(r.Writer), Sale: toID(r.Subject)},
		Account: toID(r.Account), Source: toHash(r.Source), State: ledger.VoidWaits,
	}
	if k := entry.Kind(r.Kind); k == entry.KindSale || k == entry.KindHQClaimed {
		out.State = ledger.SalePosted
	}
	return out
}
