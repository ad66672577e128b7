package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tallystick/tallystick/server/lease"
)

var _ lease.Store = (*DB)(nil)

// Lease implements lease.Store.
func (db *DB) Lease(ctx context.Context, name string) (lease.Row, error) {
	var r struct {
		Holder []byte `bun:"holder"`
		Beat   int64  `bun:"beat"`
	}
	err := db.read(ctx).NewRaw("SELECT holder, beat FROM leases WHERE name = ?", name).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return lease.Row{}, nil
	}
	return lease.Row{Holder: toID(r.Holder), Beat: r.Beat}, err
}

// TakeLease implements lease.Store.
func (db *DB) TakeLease(ctx context.Context, name string, row lease.Row) (bool, error) {
	n, err := db.exec(ctx, "INSERT INTO leases (name, holder, beat) VALUES (?, ?, ?) "+
		"ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, beat = EXCLUDED.beat WHERE leases.beat = EXCLUDED.beat - 1",
		name, row.Holder[:], row.Beat)
	return n == 1, err
}
