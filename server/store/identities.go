package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/shard"
)

var _ identity.Store = (*DB)(nil)

const identityColumns = "terminal, epoch, store, member, pass, issued_at, state, used_by, told"

type identityRow struct {
	laneRow
	Member   []byte `bun:"member"`
	Pass     []byte `bun:"pass"`
	IssuedAt int64  `bun:"issued_at"`
	State    uint8  `bun:"state"`
	UsedBy   []byte `bun:"used_by"`
	Told     int    `bun:"told"`
}

func (r identityRow) identity() identity.Row {
	return identity.Row{
		Lane: r.lane(), Member: toID(r.Member), Pass: r.Pass, IssuedAt: r.IssuedAt, State: identity.State(r.State), UsedBy: toHash(r.UsedBy), Told: r.Told == 1,
	}
}

// Pools implements identity.Store.
func (db *DB) Pools(ctx context.Context) ([]identity.Pool, error) {
	var rows []struct {
		laneRow
		Left int64 `bun:"left_over"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, store, COUNT(*) AS left_over FROM identities WHERE state = ? GROUP BY terminal, epoch, store",
		uint8(identity.Issued)).Scan(ctx, &rows)
	out := make([]identity.Pool, len(rows))
	for i, r := range rows {
		out[i] = identity.Pool{Lane: r.lane(), Left: r.Left}
	}
	return out, err
}

// Identity implements identity.Store.
func (db *DB) Identity(ctx context.Context, terminal, member uuid.UUID) (identity.Row, bool, error) {
	var r identityRow
	err := db.read(ctx).NewRaw("SELECT "+identityColumns+" FROM identities WHERE shard = ? AND terminal = ? AND member = ?",
		shard.Of(terminal), idBytes(terminal), idBytes(member)).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Row{}, false, nil
	}
	return r.identity(), err == nil, err
}

// PutIdentities implements identity.Store.
func (db *DB) PutIdentities(ctx context.Context, rows []identity.Row) error {
	return db.insert(ctx, "INSERT INTO identities (shard, "+identityColumns+")", convert(rows, func(r identity.Row) row {
		return row{
			shard.Of(r.ID), idBytes(r.ID), r.Epoch, idBytes(r.Store), idBytes(r.Member), r.Pass, r.IssuedAt, uint8(r.State), hashBytes(r.UsedBy), bit(r.Told),
		}
	}), "ON CONFLICT (shard, terminal, member) DO UPDATE SET state = EXCLUDED.state, used_by = EXCLUDED.used_by, told = EXCLUDED.told")
}

// Withdraw implements identity.Store.
func (db *DB) Withdraw(ctx context.Context, lane allowance.Lane) error {
	_, err := db.exec(ctx, "UPDATE identities SET state = ?, told = 0 WHERE shard = ? AND terminal = ? AND epoch = ? AND state = ?",
		uint8(identity.Withdrawn), shard.Of(lane.ID), idBytes(lane.ID), lane.Epoch, uint8(identity.Issued))
	return err
}

// Untold implements identity.Store.
func (db *DB) Untold(ctx context.Context, limit int) ([]identity.Row, error) {
	var rows []identityRow
	err := db.read(ctx).NewRaw("SELECT "+identityColumns+" FROM identities WHERE told = 0 ORDER BY shard, terminal, member LIMIT ?", limit).Scan(ctx, &rows)
	return convert(rows, identityRow.identity), err
}
