package store

import (
	"context"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/server/ledger"
)

type snapshotRow struct {
	Shard   int    `bun:"shard"`
	Account []byte `bun:"account"`
	Place   []byte `bun:"place"`
	Level   int    `bun:"level"`
	State   []byte `bun:"state"`
}

func (r snapshotRow) snapshot() ledger.SnapshotRow {
	return ledger.SnapshotRow{
		SnapshotKey: ledger.SnapshotKey{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Place: r.Place},
		Level:       r.Level, State: r.State,
	}
}

func snapshotKeys(keys []ledger.SnapshotKey) []row {
	return convert(keys, func(k ledger.SnapshotKey) row { return row{k.Shard, idBytes(k.Account), k.Place} })
}

// Snapshots implements ledger.Store.
func (db *DB) Snapshots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.SnapshotRow, error) {
	rows, err := selectKeys[snapshotRow](ctx, db, db.read(ctx),
		"SELECT shard, account, place, level FROM snapshots WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, snapshotRow.snapshot), err
}

// SnapshotStates implements ledger.Store.
func (db *DB) SnapshotStates(ctx context.Context, keys []ledger.SnapshotKey) ([]ledger.SnapshotRow, error) {
	rows, err := selectKeys[snapshotRow](ctx, db, db.read(ctx),
		"SELECT shard, account, place, level, state FROM snapshots WHERE ?", "shard, account, place", snapshotKeys(keys))
	return convert(rows, snapshotRow.snapshot), err
}

// SaveSnapshots implements ledger.Store.
func (db *DB) SaveSnapshots(ctx context.Context, put []ledger.SnapshotRow, drop []ledger.SnapshotKey) error {
	for _, k := range drop {
		_, err := db.write(ctx).NewRaw("DELETE FROM snapshots WHERE shard = ? AND account = ? AND place = ?", k.Shard, idBytes(k.Account), k.Place).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return db.insert(ctx, "INSERT INTO snapshots (shard, account, place, level, state)",
		convert(put, func(r ledger.SnapshotRow) row { return row{r.Shard, idBytes(r.Account), r.Place, r.Level, r.State} }),
		"ON CONFLICT (shard, account, place) DO UPDATE SET level = EXCLUDED.level, state = EXCLUDED.state")
}

// sinceAtOnce is how many accounts one statement asks for, each from its own time.
const sinceAtOnce = 100

// SourcesSince implements ledger.Store.
func (db *DB) SourcesSince(ctx context.Context, keys []ledger.SinceKey) ([]ledger.SourceRow, error) {
	var out []ledger.SourceRow
	for part := range slices.Chunk(keys, sinceAtOnce) {
		var args []any
		for _, k := range part {
			args = append(args, k.Shard, idBytes(k.Account), k.Since)
		}
		each := strings.Repeat(" OR (shard = ? AND account = ? AND effective_at >= ?)", len(part))
		var rows []factRow
		err := db.read(ctx).NewRaw("SELECT "+sourceColumns+" FROM sources WHERE "+strings.TrimPrefix(each, " OR "), args...).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		out = append(out, convert(rows, factRow.source)...)
	}
	return out, nil
}

// SubjectSources implements ledger.Store.
func (db *DB) SubjectSources(ctx context.Context, keys []ledger.SaleKey) ([]ledger.SourceRow, error) {
	rows, err := selectKeys[factRow](ctx, db, db.read(ctx), "SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, subject",
		convert(keys, func(k ledger.SaleKey) row { return row{k.Shard, idBytes(k.Sale)} }))
	return convert(rows, factRow.source), err
}
