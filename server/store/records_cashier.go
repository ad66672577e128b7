package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/pin"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/sync/wire"
)

var _ cashier.Keeper = (*DB)(nil)

type cashierRow struct {
	ID           []byte `bun:"id"`
	Store        []byte `bun:"store"`
	Name         string `bun:"name"`
	Role         uint8  `bun:"role"`
	Active       bool   `bun:"active"`
	PIN          []byte `bun:"pin"`
	Version      int64  `bun:"version"`
	CreatedAt    int64  `bun:"created_at"`
	PINSetAt     int64  `bun:"pin_set_at"`
	ManagerUntil int64  `bun:"manager_until"`
}

// readable is the row with its hash read.
type readable struct {
	cashier.Cashier
	err error
}

func (r cashierRow) cashier() readable {
	hash, err := wire.Unmarshal[pin.Hash](r.PIN)
	return readable{cashier.Cashier{
		ID: toID(r.ID), Store: toID(r.Store), Name: r.Name, Role: wire.CashierRole(r.Role), Active: r.Active, PIN: hash,
		Version: uint64(r.Version), CreatedAt: fromMillis(r.CreatedAt), PINSetAt: fromMillis(r.PINSetAt), ManagerUntil: r.ManagerUntil,
	}, err}
}

const cashierColumns = "id, store, name, role, active, pin, version, created_at, pin_set_at, manager_until"

// AddCashier implements cashier.Keeper.
func (db *DB) AddCashier(ctx context.Context, c cashier.Cashier) error {
	hash, err := wire.Marshal(c.PIN)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "INSERT INTO cashiers ("+cashierColumns+", folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		c.ID[:], c.Store[:], c.Name, uint8(c.Role), bit(c.Active), hash, int64(c.Version), toMillis(c.CreatedAt), toMillis(c.PINSetAt),
		c.ManagerUntil, strings.ToLower(c.Name))
	return taken(err, problem.NameTaken, "the store has a cashier of this name")
}

// Cashier implements cashier.Keeper.
func (db *DB) Cashier(ctx context.Context, store, id uuid.UUID) (cashier.Cashier, error) {
	r, err := one(ctx, db, cashierRow.cashier, "cashier", "SELECT "+cashierColumns+" FROM cashiers WHERE id = ? AND store = ?", id[:], store[:])
	if err == nil {
		err = r.err
	}
	return r.Cashier, err
}

// Cashiers implements cashier.Keeper.
func (db *DB) Cashiers(ctx context.Context, store, after uuid.UUID, limit int) ([]cashier.Cashier, error) {
	rows, err := page(ctx, db, cashierRow.cashier,
		"SELECT "+cashierColumns+" FROM cashiers WHERE store = ? AND id > ? ORDER BY id LIMIT ?", store[:], after[:], limit)
	if err != nil {
		return nil, err
	}
	out := make([]cashier.Cashier, len(rows))
	for i, r := range rows {
		if r.err != nil {
			return nil, r.err
		}
		out[i] = r.Cashier
	}
	return out, nil
}

// SetCashier implements cashier.Keeper.
func (db *DB) SetCashier(ctx context.Context, c cashier.Cashier) error {
	hash, err := wire.Marshal(c.PIN)
	if err != nil {
		return err
	}
	err = db.changed(ctx, "UPDATE cashiers SET name = ?, folded = ?, role = ?, active = ?, pin = ?, version = ?, pin_set_at = ?, manager_until = ?"+
		" WHERE id = ? AND version = ?", c.Name, strings.ToLower(c.Name), uint8(c.Role), bit(c.Active), hash, int64(c.Version),
		toMillis(c.PINSetAt), c.ManagerUntil, c.ID[:], int64(c.Version-1))
	return taken(err, problem.NameTaken, "the store has a cashier of this name")
}

// AddTillRules implements cashier.Keeper.
func (db *DB) AddTillRules(ctx context.Context, store uuid.UUID, version uint64, body []byte, by uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "INSERT INTO till_rules (store, version, body, by_person, created_at) VALUES (?, ?, ?, ?, ?)",
		store[:], int64(version), body, by[:], toMillis(at))
	return taken(err, problem.Conflict, "other rules were set meanwhile")
}

// TillRules implements cashier.Keeper.
func (db *DB) TillRules(ctx context.Context, store uuid.UUID, version uint64) ([]byte, error) {
	row, err := one(ctx, db, asIs[versionRow], "till rules", "SELECT version, body FROM till_rules WHERE store = ? AND version = ?", store[:], int64(version))
	return row.Body, err
}

// LatestTillRules implements cashier.Keeper.
func (db *DB) LatestTillRules(ctx context.Context, store uuid.UUID) (uint64, []byte, error) {
	row, err := one(ctx, db, asIs[versionRow], "till rules", "SELECT version, body FROM till_rules WHERE store = ? ORDER BY version DESC LIMIT 1", store[:])
	return uint64(row.Version), row.Body, err
}
