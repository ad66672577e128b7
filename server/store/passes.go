package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/shard"
)

var _ pass.Store = (*DB)(nil)

type passRow struct {
	Shard      int    `bun:"shard"`
	ID         []byte `bun:"id"`
	Member     []byte `bun:"member"`
	Voucher    []byte `bun:"voucher"`
	Channel    uint8  `bun:"channel"`
	State      uint8  `bun:"state"`
	Digest     []byte `bun:"digest"`
	Brand      uint64 `bun:"brand"`
	Tag        uint64 `bun:"tag"`
	ModifiedAt int64  `bun:"modified_at"`
	CauseAt    int64  `bun:"cause_at"`
	IssuedAt   int64  `bun:"issued_at"`
	MovedAt    int64  `bun:"moved_at"`
	ReissueAt  int64  `bun:"reissue_at"`
	ReissuedAt int64  `bun:"reissued_at"`
	ErasedAt   int64  `bun:"erased_at"`
	NextAt     int64  `bun:"next_at"`
}

func (r passRow) key() pass.Key { return pass.Key{Shard: r.Shard, ID: toID(r.ID)} }

func (r passRow) pass() pass.Pass {
	p := pass.Pass{
		Key: r.key(), Member: toID(r.Member), Voucher: toID(r.Voucher), Channel: pass.Channel(r.Channel), State: pass.State(r.State),
		Digest: r.Digest, Brand: r.Brand, Tag: r.Tag, CauseAt: fromMillis(r.CauseAt), IssuedAt: fromMillis(r.IssuedAt),
		MovedAt: fromMillis(r.MovedAt), ReissueAt: fromMillis(r.ReissueAt), ReissuedAt: fromMillis(r.ReissuedAt), ErasedAt: fromMillis(r.ErasedAt),
		NextAt: fromMillis(r.NextAt),
	}
	if r.ModifiedAt != 0 {
		p.Modified = time.Unix(r.ModifiedAt, 0).UTC()
	}
	return p
}

// passValues are in the order of passColumns.
func passValues(p pass.Pass) row {
	var modified int64
	if !p.Modified.IsZero() {
		modified = p.Modified.Unix()
	}
	return row{
		p.Shard, idBytes(p.ID), idBytes(p.Member), idBytes(p.Voucher), uint8(p.Channel), uint8(p.State), blob(p.Digest), p.Brand, p.Tag, modified,
		toMillis(p.CauseAt), toMillis(p.IssuedAt), toMillis(p.MovedAt), toMillis(p.ReissueAt), toMillis(p.ReissuedAt), toMillis(p.ErasedAt),
		toMillis(p.NextAt),
	}
}

const passColumns = "shard, id, member, voucher, channel, state, digest, brand, tag, modified_at, cause_at, issued_at, moved_at, reissue_at, reissued_at, erased_at, next_at"

func passKeys(keys []pass.Key) []row {
	return convert(keys, func(k pass.Key) row { return row{k.Shard, idBytes(k.ID)} })
}

// PassFeed implements pass.Store.
func (db *DB) PassFeed(ctx context.Context) (at feed.Heads, began bool, err error) {
	var rows []headRow
	if err := db.read(ctx).NewRaw("SELECT shard, pos FROM pass_feed").Scan(ctx, &rows); err != nil {
		return at, false, err
	}
	for _, r := range rows {
		if r.Shard >= 0 && r.Shard < shard.Count {
			at[r.Shard] = r.Pos
		}
	}
	return at, len(rows) > 0, nil
}

// SetPassFeed implements pass.Store.
func (db *DB) SetPassFeed(ctx context.Context, at map[int]uint64) error {
	rows := make([]row, 0, len(at))
	for _, in := range slices.Sorted(maps.Keys(at)) {
		rows = append(rows, row{in, at[in]})
	}
	return db.insert(ctx, "INSERT INTO pass_feed (shard, pos)", rows, "ON CONFLICT (shard) DO UPDATE SET pos = EXCLUDED.pos")
}

const tagCounter = "tags"

// AdvanceTags implements pass.Store.
func (db *DB) AdvanceTags(ctx context.Context, by int) (uint64, error) {
	var n int64
	err := db.write(ctx).NewRaw("INSERT INTO pass_progress (name, n, place) VALUES (?, ?, ?) "+
		"ON CONFLICT (name) DO UPDATE SET n = pass_progress.n + EXCLUDED.n RETURNING n", tagCounter, by, blob(nil)).Scan(ctx, &n)
	return uint64(n), err
}

// TagHead implements pass.Store.
func (db *DB) TagHead(ctx context.Context) (uint64, error) {
	n, _, err := db.PassProgress(ctx, tagCounter)
	return n, err
}

// AddPass implements pass.Store.
func (db *DB) AddPass(ctx context.Context, p pass.Pass) error {
	// Not an error of the database: it would end the transaction that this is part of.
	var added []passRow
	err := db.inserted(ctx, "INSERT INTO passes ("+passColumns+")", []row{passValues(p)}, "ON CONFLICT DO NOTHING RETURNING id",
		func(q query) error { return q.scan(ctx, &added) })
	if err == nil && len(added) == 0 {
		return problem.New(problem.Conflict, "the member has such a pass")
	}
	return err
}

// Passes implements pass.Store.
func (db *DB) Passes(ctx context.Context, keys []pass.Key) ([]pass.Pass, error) {
	rows, err := selectKeys[passRow](ctx, db, db.read(ctx), "SELECT "+passColumns+" FROM passes WHERE ?", "shard, id", passKeys(keys))
	return convert(rows, passRow.pass), err
}

// PassesOf implements pass.Store.
func (db *DB) PassesOf(ctx context.Context, members []uuid.UUID) ([]pass.Pass, error) {
	rows, err := selectKeys[passRow](ctx, db, db.read(ctx), "SELECT "+passColumns+" FROM passes WHERE length(voucher) = 0 AND ?", "shard, member",
		convert(members, func(id uuid.UUID) row { return row{shard.Of(id), idBytes(id)} }))
	if err != nil {
		return nil, err
	}
	// Vouchers' passes are in the shard of who answered for them when they were issued.
	coupons, err := byIDs(ctx, db, passRow.pass, "SELECT "+passColumns+" FROM passes WHERE length(voucher) > 0 AND member IN (?)", members)
	return append(convert(rows, passRow.pass), coupons...), err
}

// PassesAfter implements pass.Store.
func (db *DB) PassesAfter(ctx context.Context, after pass.Key, limit int) ([]pass.Pass, error) {
	return page(ctx, db, passRow.pass, "SELECT "+passColumns+" FROM passes WHERE (shard, id) > (?, ?) AND state <> 3 ORDER BY shard, id LIMIT ?",
		after.Shard, idBytes(after.ID), limit)
}

// SavePasses implements pass.Store.
func (db *DB) SavePasses(ctx context.Context, passes []pass.Pass) error {
	return db.insert(ctx, "INSERT INTO passes ("+passColumns+")", convert(passes, passValues),
		"ON CONFLICT (shard, id) DO UPDATE SET state = EXCLUDED.state, digest = EXCLUDED.digest, brand = EXCLUDED.brand, tag = EXCLUDED.tag, "+
			"modified_at = EXCLUDED.modified_at, cause_at = EXCLUDED.cause_at, moved_at = EXCLUDED.moved_at, reissue_at = EXCLUDED.reissue_at, "+
			"reissued_at = EXCLUDED.reissued_at, next_at = EXCLUDED.next_at")
}

// ErasePasses implements pass.Store.
func (db *DB) ErasePasses(ctx context.Context, member uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE passes SET erased_at = ? WHERE shard = ? AND member = ? AND length(voucher) = 0 AND erased_at = 0", toMillis(at), shard.Of(member), member[:])
	if err == nil {
		_, err = db.exec(ctx, "UPDATE passes SET erased_at = ? WHERE member = ? AND length(voucher) > 0 AND erased_at = 0", toMillis(at), member[:])
	}
	return err
}

// ForgetErased implements pass.Store.
func (db *DB) ForgetErased(ctx context.Context, before time.Time, limit int) (int, error) {
	var keys []pass.Key
	err := db.InTx(ctx, func(ctx context.Context) error {
		if _, err := db.AdvanceTags(ctx, 0); err != nil {
			return err
		}
		var err error
		keys, err = page(ctx, db, passRow.key, "SELECT shard, id FROM passes WHERE erased_at > 0 AND erased_at < ? ORDER BY erased_at LIMIT ?", toMillis(before), limit)
		if err != nil {
			return err
		}
		on, err := db.Registrations(ctx, keys)
		if err != nil {
			return err
		}
		for _, of := range []struct{ table, id string }{{"passes", "id"}, {"pass_marks", "pass"}, {"pass_registrations", "pass"}, {"pass_pushes", "target"}, {"google_objects", "pass"}} {
			_, err := selectKeys[passRow](ctx, db, db.write(ctx), "DELETE FROM "+of.table+" WHERE ? RETURNING shard", "shard, "+of.id, passKeys(keys))
			if err != nil {
				return err
			}
		}
		return db.ForgetPhones(ctx, convert(on, func(r pass.Registration) [32]byte { return r.Device }))
	})
	return len(keys), err
}

// ReissuesDue implements pass.Store.
func (db *DB) ReissuesDue(ctx context.Context, now time.Time, limit int) ([]pass.Pass, error) {
	return page(ctx, db, passRow.pass, "SELECT "+passColumns+" FROM passes WHERE reissue_at > 0 AND reissue_at <= ? ORDER BY reissue_at LIMIT ?", toMillis(now), limit)
}

// PassesEnding implements pass.Store.
func (db *DB) PassesEnding(ctx context.Context, now time.Time, limit int) ([]pass.Pass, error) {
	return page(ctx, db, passRow.pass, "SELECT "+passColumns+" FROM passes WHERE next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT ?", toMillis(now), limit)
}

// PassProgress implements pass.Store.
func (db *DB) PassProgress(ctx context.Context, name string) (uint64, []byte, error) {
	var r struct {
		N     int64  `bun:"n"`
		Place []byte `bun:"place"`
	}
	err := db.read(ctx).NewRaw("SELECT n, place FROM pass_progress WHERE name = ?", name).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil
	}
	return uint64(r.N), r.Place, err
}

// AddPassProgress implements pass.Store.
func (db *DB) AddPassProgress(ctx context.Context, name string, by uint64) error {
	_, err := db.exec(ctx, "INSERT INTO pass_progress (name, n, place) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET n = pass_progress.n + EXCLUDED.n",
		name, int64(by), blob(nil))
	return err
}

// SetPassProgress implements pass.Store.
func (db *DB) SetPassProgress(ctx context.Context, name string, n uint64, place []byte) error {
	_, err := db.exec(ctx, "INSERT INTO pass_progress (name, n, place) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET n = EXCLUDED.n, place = EXCLUDED.place",
		name, int64(n), blob(place))
	return err
}
