package store

import (
	"context"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
)

const rightColumns = "shard, account, unit, right_id, holder, epoch, store, kind, ended, fault, amount, used, made_at, ends_at, since, parent"

type rightRow struct {
	Shard   int    `bun:"shard"`
	Account []byte `bun:"account"`
	Unit    string `bun:"unit"`
	Right   []byte `bun:"right_id"`
	Holder  []byte `bun:"holder"`
	Epoch   uint32 `bun:"epoch"`
	Store   []byte `bun:"store"`
	Kind    uint8  `bun:"kind"`
	Ended   uint8  `bun:"ended"`
	Fault   string `bun:"fault"`
	Amount  int64  `bun:"amount"`
	Used    int64  `bun:"used"`
	MadeAt  int64  `bun:"made_at"`
	EndsAt  int64  `bun:"ends_at"`
	Since   int64  `bun:"since"`
	Parent  []byte `bun:"parent"`
}

func (r rightRow) right() ledger.RightRow {
	return ledger.RightRow{
		UnitKey: ledger.UnitKey{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Unit: r.Unit},
		HeldRight: loyalty.HeldRight{
			ID: toID(r.Right), Holder: toID(r.Holder), Epoch: r.Epoch, Store: toID(r.Store), Kind: loyalty.RightKind(r.Kind),
			End: loyalty.RightEnd(r.Ended), Fault: loyalty.LossCause(r.Fault), Amount: r.Amount, Used: r.Used,
			MadeAt: r.MadeAt, EndsAt: r.EndsAt, Since: r.Since, Parent: toID(r.Parent),
		},
	}
}

// OpenRights implements ledger.Store.
func (db *DB) OpenRights(ctx context.Context, keys []ledger.AccountKey) ([]ledger.RightRow, error) {
	rows, err := selectKeys[rightRow](ctx, db, db.read(ctx), "SELECT "+rightColumns+" FROM rights WHERE is_open = 1 AND ?", "shard, account", accountKeys(keys))
	return convert(rows, rightRow.right), err
}

// AccountRights implements ledger.Store.
func (db *DB) AccountRights(ctx context.Context, keys []ledger.AccountKey) ([]ledger.RightRow, error) {
	rows, err := selectKeys[rightRow](ctx, db, db.read(ctx), "SELECT "+rightColumns+" FROM rights WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, rightRow.right), err
}

// RightsByID implements ledger.Store.
func (db *DB) RightsByID(ctx context.Context, keys []ledger.RightKey) ([]ledger.RightRow, error) {
	rows, err := selectKeys[rightRow](ctx, db, db.read(ctx), "SELECT "+rightColumns+" FROM rights WHERE ?", "shard, account, unit, right_id",
		convert(keys, rightKeyRow))
	return convert(rows, rightRow.right), err
}

func rightKeyRow(k ledger.RightKey) row {
	return row{k.Shard, idBytes(k.Account), k.Unit, idBytes(k.Right)}
}

func (db *DB) saveRights(ctx context.Context, c ledger.Changes) error {
	for _, k := range c.RightsGone {
		_, err := db.write(ctx).NewRaw("DELETE FROM rights WHERE shard = ? AND account = ? AND unit = ? AND right_id = ?", rightKeyRow(k)...).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return db.insert(ctx, "INSERT INTO rights ("+rightColumns+", is_open)",
		convert(c.Rights, func(r ledger.RightRow) row {
			return row{
				r.Shard, idBytes(r.Account), r.Unit, idBytes(r.ID), idBytes(r.Holder), r.Epoch, idBytes(r.Store), uint8(r.Kind), uint8(r.End), string(r.Fault),
				r.Amount, r.Used, r.MadeAt, r.EndsAt, r.Since, idBytes(r.Parent), bit(!r.Over()),
			}
		}),
		"ON CONFLICT (shard, account, unit, right_id) DO UPDATE SET holder = EXCLUDED.holder, epoch = EXCLUDED.epoch, store = EXCLUDED.store, "+
			"kind = EXCLUDED.kind, ended = EXCLUDED.ended, fault = EXCLUDED.fault, amount = EXCLUDED.amount, used = EXCLUDED.used, made_at = EXCLUDED.made_at, "+
			"ends_at = EXCLUDED.ends_at, since = EXCLUDED.since, parent = EXCLUDED.parent, is_open = EXCLUDED.is_open")
}

// AuditRights implements ledger.Store.
func (db *DB) AuditRights(ctx context.Context, shard int) ([]ledger.RightRow, error) {
	var rows []rightRow
	err := db.read(ctx).NewRaw("SELECT "+rightColumns+" FROM rights WHERE shard = ? ORDER BY account, unit, right_id", shard).Scan(ctx, &rows)
	return convert(rows, rightRow.right), err
}

// KnownSources implements ledger.Store.
func (db *DB) KnownSources(ctx context.Context, rows []ledger.SourceRow) ([]ledger.SourceRow, error) {
	found, err := selectKeys[factRow](ctx, db, db.read(ctx), "SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, account, effective_at, source",
		convert(rows, func(r ledger.SourceRow) row {
			return row{r.Shard, idBytes(r.Account), r.EffectiveAt, hashBytes(r.Source)}
		}))
	return convert(found, factRow.source), err
}
