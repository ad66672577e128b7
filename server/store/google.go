package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/googlewallet"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/shard"
)

var _ googlewallet.Store = (*DB)(nil)

type googleRow struct {
	Shard   int    `bun:"shard"`
	Pass    []byte `bun:"pass"`
	Active  int    `bun:"active"`
	AgainAt int64  `bun:"again_at"`
	Version uint64 `bun:"version"`
	Memory  []byte `bun:"memory"`
}

func (r googleRow) object() googlewallet.Object {
	return googlewallet.Object{
		Key: pass.Key{Shard: r.Shard, ID: toID(r.Pass)}, Active: r.Active == 1, AgainAt: fromMillis(r.AgainAt), Version: r.Version, Memory: r.Memory,
	}
}

type googleKeyRow struct {
	Shard int    `bun:"shard"`
	Pass  []byte `bun:"pass"`
}

func (r googleKeyRow) key() pass.Key { return pass.Key{Shard: r.Shard, ID: toID(r.Pass)} }

// GoogleObject implements googlewallet.Store.
func (db *DB) GoogleObject(ctx context.Context, k pass.Key) (googlewallet.Object, error) {
	o, err := one(ctx, db, googleRow.object, "object", "SELECT shard, pass, active, again_at, version, memory FROM google_objects WHERE shard = ? AND pass = ?", k.Shard, k.ID[:])
	if problem.CodeOf(err) == problem.NotFound {
		return googlewallet.Object{Key: k}, nil
	}
	return o, err
}

// PutGoogleObject implements googlewallet.Store.
func (db *DB) PutGoogleObject(ctx context.Context, o googlewallet.Object) error {
	if o.Version == 1 {
		return db.changed(ctx, "INSERT INTO google_objects (shard, pass, active, again_at, version, memory) VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING",
			o.Shard, o.ID[:], bit(o.Active), toMillis(o.AgainAt), o.Memory)
	}
	return db.changed(ctx, "UPDATE google_objects SET active = ?, again_at = ?, version = ?, memory = ? WHERE shard = ? AND pass = ? AND version = ?",
		bit(o.Active), toMillis(o.AgainAt), int64(o.Version), o.Memory, o.Shard, o.ID[:], int64(o.Version-1))
}

// GoogleOffers implements googlewallet.Store.
func (db *DB) GoogleOffers(ctx context.Context, member uuid.UUID) ([]pass.Key, error) {
	return page(ctx, db, googleKeyRow.key, "SELECT o.shard, o.pass FROM passes AS p JOIN google_objects AS o ON o.shard = p.shard AND o.pass = p.id "+
		"WHERE p.shard = ? AND p.member = ? AND p.voucher <> ? AND p.channel = ? AND o.active = 1 ORDER BY o.pass",
		shard.Of(member), member[:], idBytes(uuid.Nil), uint8(pass.Google))
}

// GoogleCard implements googlewallet.Store.
func (db *DB) GoogleCard(ctx context.Context, voucher pass.Key) (pass.Key, error) {
	return one(ctx, db, googleKeyRow.key, "card", "SELECT o.shard, o.pass FROM passes AS v JOIN passes AS c ON c.shard = v.shard AND c.member = v.member "+
		"JOIN google_objects AS o ON o.shard = c.shard AND o.pass = c.id "+
		"WHERE v.shard = ? AND v.id = ? AND c.voucher = ? AND c.channel = ? AND o.active = 1 ORDER BY o.pass DESC LIMIT 1",
		voucher.Shard, voucher.ID[:], idBytes(uuid.Nil), uint8(pass.Google))
}

// GoogleAgain implements googlewallet.Store.
func (db *DB) GoogleAgain(ctx context.Context, now time.Time, limit int) ([]pass.Key, error) {
	return page(ctx, db, googleKeyRow.key, "SELECT shard, pass FROM google_objects WHERE again_at > 0 AND again_at <= ? ORDER BY again_at LIMIT ?", toMillis(now), limit)
}

// DoneAgain implements googlewallet.Store.
func (db *DB) DoneAgain(ctx context.Context, k pass.Key) error {
	_, err := db.exec(ctx, "UPDATE google_objects SET again_at = 0 WHERE shard = ? AND pass = ?", k.Shard, k.ID[:])
	return err
}

// GoogleClass implements googlewallet.Store.
func (db *DB) GoogleClass(ctx context.Context, id string) ([]byte, error) {
	type sentRow struct {
		Sent []byte `bun:"sent"`
	}
	sent, err := one(ctx, db, func(r sentRow) []byte { return r.Sent }, "class", "SELECT sent FROM google_classes WHERE id = ?", id)
	if problem.CodeOf(err) == problem.NotFound {
		return nil, nil
	}
	return sent, err
}

// PutGoogleClass implements googlewallet.Store.
func (db *DB) PutGoogleClass(ctx context.Context, id string, sent []byte) error {
	_, err := db.exec(ctx, "INSERT INTO google_classes (id, sent) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sent = excluded.sent", id, sent)
	return err
}

// TakeNonce implements googlewallet.Store.
func (db *DB) TakeNonce(ctx context.Context, shard int, nonce [32]byte, ends time.Time) (bool, error) {
	n, err := db.exec(ctx, "INSERT INTO google_nonces (shard, nonce, ends_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", shard, nonce[:], toMillis(ends))
	return n == 1, err
}

// ForgetNonces implements googlewallet.Store.
func (db *DB) ForgetNonces(ctx context.Context, before time.Time) error {
	_, err := db.exec(ctx, "DELETE FROM google_nonces WHERE ends_at < ?", toMillis(before))
	return err
}

// NewerCallback implements googlewallet.Store. An object of which nothing is kept, as after
// a restore, orders nothing.
func (db *DB) NewerCallback(ctx context.Context, k pass.Key, ends time.Time) (bool, error) {
	n, err := db.exec(ctx, "UPDATE google_objects SET told_at = ? WHERE shard = ? AND pass = ? AND told_at <= ?", toMillis(ends), k.Shard, k.ID[:], toMillis(ends))
	if err != nil || n == 1 {
		return n == 1, err
	}
	o, err := db.GoogleObject(ctx, k)
	return o.Version == 0, err
}

// turnCounter holds when the next turn at Google is, in microseconds.
const turnCounter = "google turn"

// ReserveTurn implements googlewallet.Store.
func (db *DB) ReserveTurn(ctx context.Context, earliest, latest time.Time, every time.Duration) (time.Time, error) {
	var next int64
	err := db.write(ctx).NewRaw("INSERT INTO pass_progress (name, n, place) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET n = ? + "+
		"CASE WHEN pass_progress.n < ? OR pass_progress.n > ? THEN ? ELSE pass_progress.n END RETURNING n",
		turnCounter, earliest.Add(every).UnixMicro(), blob(nil), every.Microseconds(), earliest.UnixMicro(), latest.UnixMicro(), earliest.UnixMicro()).Scan(ctx, &next)
	return time.UnixMicro(next - every.Microseconds()).UTC(), err
}
