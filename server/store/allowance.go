package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/webshop"
)

var _ allowance.Store = (*DB)(nil)

func (db *DB) rightsWhere(ctx context.Context, rest string, args ...any) ([]ledger.RightRow, error) {
	var rows []rightRow
	err := db.read(ctx).NewRaw("SELECT "+rightColumns+" FROM rights WHERE is_open = 1 AND "+rest, args...).Scan(ctx, &rows)
	return convert(rows, rightRow.right), err
}

// RightsOver implements allowance.Store.
func (db *DB) RightsOver(ctx context.Context, by int64, limit int) ([]ledger.RightRow, error) {
	return db.rightsWhere(ctx, "ends_at > 0 AND ends_at < ? AND kind > 0 ORDER BY ends_at, right_id LIMIT ?", by, limit)
}

// RightsOf implements allowance.Store.
func (db *DB) RightsOf(ctx context.Context, holder uuid.UUID, epoch uint32, limit int) ([]ledger.RightRow, error) {
	return db.rightsWhere(ctx, "holder = ? AND epoch = ? AND kind > 0 ORDER BY right_id LIMIT ?", idBytes(holder), epoch, limit)
}

// RightsAbove implements allowance.Store.
func (db *DB) RightsAbove(ctx context.Context, amount int64, limit int) ([]ledger.RightRow, error) {
	return db.rightsWhere(ctx, "kind = ? AND amount > ? AND NOT EXISTS (SELECT 1 FROM grants AS g WHERE g.shard = rights.shard AND g.account = rights.account "+
		"AND g.unit = rights.unit AND g.right_id = rights.right_id AND g.told > 1) ORDER BY right_id LIMIT ?", uint8(loyalty.RightGranted), amount, limit)
}

type laneRow struct {
	ID    []byte `bun:"terminal"`
	Epoch uint32 `bun:"epoch"`
	Store []byte `bun:"store"`
}

func (r laneRow) lane() allowance.Lane {
	return allowance.Lane{ID: toID(r.ID), Epoch: r.Epoch, Store: toID(r.Store)}
}

func (db *DB) lanes(ctx context.Context, query string, args ...any) ([]allowance.Lane, error) {
	var rows []laneRow
	err := db.read(ctx).NewRaw(query, args...).Scan(ctx, &rows)
	return convert(rows, laneRow.lane), err
}

// Holders implements allowance.Store.
func (db *DB) Holders(ctx context.Context) ([]allowance.Lane, error) {
	return db.lanes(ctx, "SELECT DISTINCT holder AS terminal, epoch, store FROM rights WHERE is_open = 1 AND kind > 0")
}

// Lanes implements allowance.Store. The web shop's terminals decide over the live books.
func (db *DB) Lanes(ctx context.Context) ([]allowance.Lane, error) {
	return db.lanes(ctx, "SELECT id AS terminal, epoch, store FROM terminals WHERE state = ? AND "+noShop+" ORDER BY id",
		string(fleet.StateEnrolled), webshop.TerminalName, webshop.TerminalName+" %")
}

// Retiring implements allowance.Store.
func (db *DB) Retiring(ctx context.Context) ([]allowance.Lane, error) {
	return db.lanes(ctx, "SELECT id AS terminal, epoch, store FROM terminals WHERE state = ? ORDER BY id", string(fleet.StateRetiring))
}

// RightsUncovered implements allowance.Store.
func (db *DB) RightsUncovered(ctx context.Context, limit int) ([]ledger.UnitKey, error) {
	var rows []holdingRow
	err := db.read(ctx).NewRaw("SELECT h.shard, h.account, h.unit FROM holdings AS h JOIN rights AS r ON r.shard = h.shard AND r.account = h.account AND r.unit = h.unit "+
		"WHERE r.is_open = 1 AND r.kind > 0 AND r.amount > r.used GROUP BY h.shard, h.account, h.unit, h.allowance "+
		"HAVING SUM(r.amount - r.used) > h.allowance ORDER BY h.shard, h.account LIMIT ?", limit).Scan(ctx, &rows)
	return convert(rows, func(r holdingRow) ledger.UnitKey {
		return ledger.UnitKey{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Unit: r.Unit}
	}), err
}

type sumRow struct {
	Store  []byte `bun:"store"`
	Holder []byte `bun:"holder"`
	Unit   string `bun:"unit"`
	Amount int64  `bun:"amount"`
}

func (r sumRow) sum() allowance.Sum {
	return allowance.Sum{Store: toID(r.Store), Holder: toID(r.Holder), Unit: r.Unit, Amount: r.Amount}
}

// summedUnit is [allowance.Uses] for uses of any voucher.
const summedUnit = "CASE WHEN unit LIKE 'use:%' THEN 'uses' ELSE unit END"

// Unspent implements allowance.Store.
func (db *DB) Unspent(ctx context.Context) ([]allowance.Sum, error) {
	var rows []sumRow
	err := db.read(ctx).NewRaw("SELECT store, holder, "+summedUnit+" AS unit, CAST(SUM(amount - used) AS BIGINT) AS amount FROM rights "+
		"WHERE is_open = 1 AND kind > 0 AND amount > used GROUP BY store, holder, "+summedUnit).Scan(ctx, &rows)
	return convert(rows, sumRow.sum), err
}

// Uncovered implements allowance.Store.
func (db *DB) Uncovered(ctx context.Context) ([]allowance.Sum, error) {
	const open = "r.is_open = 1 AND r.kind > 0 AND r.amount > r.used"
	var rows []sumRow
	err := db.read(ctx).NewRaw("WITH bare AS (SELECT h.shard, h.account, h.unit, SUM(r.amount - r.used) - h.allowance AS missing FROM holdings AS h "+
		"JOIN rights AS r ON r.shard = h.shard AND r.account = h.account AND r.unit = h.unit WHERE "+open+
		" GROUP BY h.shard, h.account, h.unit, h.allowance HAVING SUM(r.amount - r.used) > h.allowance), "+
		"parts AS (SELECT r.store, r.unit, CASE WHEN SUM(r.amount - r.used) < MAX(b.missing) THEN SUM(r.amount - r.used) ELSE MAX(b.missing) END AS amount "+
		"FROM rights AS r JOIN bare AS b ON b.shard = r.shard AND b.account = r.account AND b.unit = r.unit WHERE "+open+
		" GROUP BY r.shard, r.account, r.unit, r.store) "+
		"SELECT store, "+summedUnit+" AS unit, CAST(SUM(amount) AS BIGINT) AS amount FROM parts GROUP BY store, "+summedUnit).Scan(ctx, &rows)
	return convert(rows, sumRow.sum), err
}

type grantRow struct {
	Shard      int    `bun:"shard"`
	Account    []byte `bun:"account"`
	Unit       string `bun:"unit"`
	Right      []byte `bun:"right_id"`
	Store      []byte `bun:"store"`
	Signed     []byte `bun:"signed"`
	RecalledAt int64  `bun:"recalled_at"`
	Told       uint64 `bun:"told"`
}

const grantColumns = "shard, account, unit, right_id, store, signed, recalled_at, told"

func (r grantRow) grant() allowance.Grant {
	return allowance.Grant{
		RightKey: rightKeyOf(r.Shard, r.Account, r.Unit, r.Right), Store: toID(r.Store), Signed: r.Signed, RecalledAt: r.RecalledAt, Told: r.Told,
	}
}

func rightKeyOf(shard int, account []byte, unit string, right []byte) ledger.RightKey {
	return ledger.RightKey{UnitKey: ledger.UnitKey{AccountKey: ledger.AccountKey{Shard: shard, Account: toID(account)}, Unit: unit}, Right: toID(right)}
}

// PutGrant implements allowance.Store.
func (db *DB) PutGrant(ctx context.Context, g allowance.Grant) error {
	signed := g.Signed
	if signed == nil {
		signed = []byte{}
	}
	return db.insert(ctx, "INSERT INTO grants ("+grantColumns+")",
		[]row{append(rightKeyRow(g.RightKey), idBytes(g.Store), signed, g.RecalledAt, g.Told)},
		"ON CONFLICT (shard, account, unit, right_id) DO UPDATE SET recalled_at = EXCLUDED.recalled_at, told = EXCLUDED.told")
}

// Grant implements allowance.Store.
func (db *DB) Grant(ctx context.Context, key ledger.RightKey) (allowance.Grant, bool, error) {
	var r grantRow
	err := db.read(ctx).NewRaw("SELECT "+grantColumns+" FROM grants WHERE shard = ? AND account = ? AND unit = ? AND right_id = ?", rightKeyRow(key)...).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return allowance.Grant{}, false, nil
	}
	return r.grant(), err == nil, err
}

// RecalledSince implements allowance.Store.
func (db *DB) RecalledSince(ctx context.Context, key ledger.AccountKey, since int64) (bool, error) {
	var n int
	err := db.read(ctx).NewRaw("SELECT COUNT(*) FROM grants WHERE shard = ? AND account = ? AND recalled_at >= ?", key.Shard, idBytes(key.Account), since).Scan(ctx, &n)
	return n > 0, err
}

// GrantsOver implements allowance.Store.
func (db *DB) GrantsOver(ctx context.Context, shard, limit int) ([]allowance.Grant, error) {
	var rows []grantRow
	err := db.read(ctx).NewRaw("SELECT g.shard, g.account, g.unit, g.right_id, g.store, g.signed, g.recalled_at, g.told FROM grants AS g "+
		"JOIN rights AS r ON r.shard = g.shard AND r.account = g.account AND r.unit = g.unit AND r.right_id = g.right_id "+
		"WHERE g.shard = ? AND g.told < 3 AND r.is_open = 0 LIMIT ?", shard, limit).Scan(ctx, &rows)
	return convert(rows, grantRow.grant), err
}

// Rich implements allowance.Store.
func (db *DB) Rich(ctx context.Context, shard int, after uuid.UUID, unit string, free int64, vouchers bool, limit int) ([]ledger.HoldingRow, error) {
	var rows []holdingRow
	err := db.read(ctx).NewRaw("SELECT shard, account, unit, free, allowance, pending, overdraft FROM holdings "+
		"WHERE shard = ? AND account > ? AND (unit = ? AND free >= ? OR unit LIKE 'use:%' AND free > 0 AND ? = 1) ORDER BY account, unit LIMIT ?",
		shard, idBytes(after), unit, free, bit(vouchers), limit).Scan(ctx, &rows)
	return convert(rows, holdingRow.holding), err
}

// Shops implements allowance.Store.
func (db *DB) Shops(ctx context.Context, key ledger.AccountKey, limit int) ([]allowance.Shop, error) {
	var rows []struct {
		Store  []byte `bun:"store"`
		Visits int64  `bun:"visits"`
	}
	err := db.read(ctx).NewRaw("SELECT store, COUNT(DISTINCT source) AS visits FROM postings WHERE shard = ? AND account = ? AND store <> ? "+
		"GROUP BY store ORDER BY visits DESC, store LIMIT ?", key.Shard, idBytes(key.Account), idBytes(uuid.Nil), limit).Scan(ctx, &rows)
	out := make([]allowance.Shop, len(rows))
	for i, r := range rows {
		out[i] = allowance.Shop{Store: toID(r.Store), Visits: r.Visits}
	}
	return out, err
}

// PutTakenBack implements allowance.Store.
func (db *DB) PutTakenBack(ctx context.Context, t allowance.TakenBack) error {
	return db.insert(ctx, "INSERT INTO taken_back (shard, account, unit, right_id, holder, epoch, store, amount, ends_at)",
		[]row{append(rightKeyRow(t.RightKey), idBytes(t.ID), t.Epoch, idBytes(t.Store), t.Amount, t.EndsAt)}, "ON CONFLICT DO NOTHING")
}

// DropTakenBack implements allowance.Store.
func (db *DB) DropTakenBack(ctx context.Context, key ledger.RightKey) error {
	_, err := db.write(ctx).NewRaw("DELETE FROM taken_back WHERE shard = ? AND account = ? AND unit = ? AND right_id = ?", rightKeyRow(key)...).Exec(ctx)
	return err
}

// TakenBack implements allowance.Store.
func (db *DB) TakenBack(ctx context.Context) ([]allowance.TakenBack, error) {
	var rows []struct {
		Shard   int    `bun:"shard"`
		Account []byte `bun:"account"`
		Unit    string `bun:"unit"`
		Right   []byte `bun:"right_id"`
		Holder  []byte `bun:"holder"`
		Epoch   uint32 `bun:"epoch"`
		Store   []byte `bun:"store"`
		Amount  int64  `bun:"amount"`
		EndsAt  int64  `bun:"ends_at"`
	}
	err := db.read(ctx).NewRaw("SELECT shard, account, unit, right_id, holder, epoch, store, amount, ends_at FROM taken_back").Scan(ctx, &rows)
	out := make([]allowance.TakenBack, len(rows))
	for i, r := range rows {
		out[i] = allowance.TakenBack{
			RightKey: rightKeyOf(r.Shard, r.Account, r.Unit, r.Right), Lane: allowance.Lane{ID: toID(r.Holder), Epoch: r.Epoch, Store: toID(r.Store)},
			Amount: r.Amount, EndsAt: r.EndsAt,
		}
	}
	return out, err
}

// Losses implements ledger.Store.
func (db *DB) Losses(ctx context.Context) ([]ledger.Loss, error) {
	var rows []struct {
		Store  []byte `bun:"store"`
		Unit   string `bun:"unit"`
		Cause  string `bun:"attribution"`
		Liable string `bun:"liable"`
		Amount int64  `bun:"amount"`
		Count  int64  `bun:"n"`
	}
	err := db.read(ctx).NewRaw("SELECT x.store, x.unit, x.attribution, "+liableNow+" AS liable, "+summed("amount", "unit")+", COUNT(*) AS n FROM "+worked+
		" WHERE x.attribution <> '' AND x.state <> ? AND x.kind <> ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4", ledger.ExceptionWithdrawn, string(ledger.RightMisused)).Scan(ctx, &rows)
	out := make([]ledger.Loss, len(rows))
	for i, r := range rows {
		out[i] = ledger.Loss{Store: toID(r.Store), Unit: r.Unit, Cause: loyalty.LossCause(r.Cause), Liable: r.Liable, Amount: r.Amount, Count: r.Count}
	}
	return out, err
}
