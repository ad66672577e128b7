package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tallystick/tallystick/server/pass"
)

type registrationRow struct {
	Shard        int    `bun:"shard"`
	Pass         []byte `bun:"pass"`
	Device       []byte `bun:"device"`
	PushToken    string `bun:"push_token"`
	Tag          uint64 `bun:"tag"`
	RegisteredAt int64  `bun:"registered_at"`
}

func (r registrationRow) registration() pass.Registration {
	return pass.Registration{
		Key: pass.Key{Shard: r.Shard, ID: toID(r.Pass)}, Device: [32]byte(toHash(r.Device)), PushToken: r.PushToken, Tag: r.Tag, At: fromMillis(r.RegisteredAt),
	}
}

const registrationColumns = "shard, pass, device, push_token, tag, registered_at"

// PutRegistration implements pass.Store.
func (db *DB) PutRegistration(ctx context.Context, r pass.Registration) error {
	return db.insert(ctx, "INSERT INTO pass_registrations ("+registrationColumns+")",
		[]row{{r.Shard, idBytes(r.ID), hashBytes(r.Device), r.PushToken, r.Tag, toMillis(r.At)}},
		"ON CONFLICT (shard, pass, device) DO UPDATE SET push_token = EXCLUDED.push_token")
}

// RenewToken implements pass.Store.
func (db *DB) RenewToken(ctx context.Context, device [32]byte, pushToken string) error {
	_, err := db.exec(ctx, "UPDATE pass_registrations SET push_token = ? WHERE device = ? AND push_token <> ?", pushToken, device[:], pushToken)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "UPDATE pass_pushes SET token = ? WHERE shard = ? AND target = ? AND token <> ?", pushToken, int(device[0]), device[:], pushToken)
	return err
}

// DropRegistrations implements pass.Store.
func (db *DB) DropRegistrations(ctx context.Context, k pass.Key, devices [][32]byte) error {
	_, err := selectKeys[registrationRow](ctx, db, db.write(ctx), "DELETE FROM pass_registrations WHERE ? RETURNING shard", "shard, pass, device",
		convert(devices, func(d [32]byte) row { return row{k.Shard, idBytes(k.ID), hashBytes(d)} }))
	return err
}

// ForgetPhones implements pass.Store.
func (db *DB) ForgetPhones(ctx context.Context, devices [][32]byte) error {
	_, err := selectKeys[registrationRow](ctx, db, db.write(ctx), "DELETE FROM pass_pushes WHERE ? AND NOT EXISTS "+
		"(SELECT 1 FROM pass_registrations AS r WHERE r.device = pass_pushes.target) RETURNING shard", "shard, target",
		convert(devices, func(d [32]byte) row { return row{int(d[0]), hashBytes(d)} }))
	return err
}

// DropToken implements pass.Store.
func (db *DB) DropToken(ctx context.Context, device [32]byte, pushToken string, by time.Time) error {
	_, err := db.exec(ctx, "DELETE FROM pass_registrations WHERE device = ? AND push_token = ? AND registered_at <= ?", device[:], pushToken, toMillis(by))
	return err
}

// Registrations implements pass.Store.
func (db *DB) Registrations(ctx context.Context, keys []pass.Key) ([]pass.Registration, error) {
	rows, err := selectKeys[registrationRow](ctx, db, db.read(ctx), "SELECT "+registrationColumns+" FROM pass_registrations WHERE ?", "shard, pass", passKeys(keys))
	return convert(rows, registrationRow.registration), err
}

// RegistrationsOn implements pass.Store.
func (db *DB) RegistrationsOn(ctx context.Context, devices [][32]byte) ([]pass.Registration, error) {
	return byIDs(ctx, db, registrationRow.registration, "SELECT "+registrationColumns+" FROM pass_registrations WHERE device IN (?)", devices)
}

// ChangedOn implements pass.Store.
func (db *DB) ChangedOn(ctx context.Context, device [32]byte, after uint64, limit int) ([]pass.Changed, error) {
	type changedRow struct {
		Shard int    `bun:"shard"`
		ID    []byte `bun:"id"`
		Tag   uint64 `bun:"tag"`
	}
	const newer = "CASE WHEN p.tag > r.tag THEN p.tag ELSE r.tag END"
	return page(ctx, db, func(r changedRow) pass.Changed {
		return pass.Changed{Key: pass.Key{Shard: r.Shard, ID: toID(r.ID)}, Tag: r.Tag}
	}, "SELECT p.shard, p.id, "+newer+" AS tag FROM pass_registrations AS r JOIN passes AS p ON p.shard = r.shard AND p.id = r.pass "+
		"WHERE r.device = ? AND "+newer+" > ? ORDER BY tag LIMIT ?", device[:], int64(after), limit)
}

type pushRow struct {
	Shard    int    `bun:"shard"`
	Target   []byte `bun:"target"`
	Channel  uint8  `bun:"channel"`
	Token    string `bun:"token"`
	Wanted   uint64 `bun:"wanted"`
	DueAt    int64  `bun:"due_at"`
	Gap      int64  `bun:"gap"`
	PushedAt int64  `bun:"pushed_at"`
	Attempts int    `bun:"attempts"`
	Failure  string `bun:"failure"`
}

func (r pushRow) push() pass.Push {
	return pass.Push{
		Shard: r.Shard, Target: r.Target, Channel: pass.Channel(r.Channel), Token: r.Token, Wanted: r.Wanted, DueAt: fromMillis(r.DueAt),
		Gap: time.Duration(r.Gap) * time.Millisecond, PushedAt: fromMillis(r.PushedAt), Attempts: r.Attempts, Failure: r.Failure,
	}
}

const pushColumns = "shard, target, channel, token, wanted, due_at, gap, pushed_at, attempts, failure"

// putPushes writes in the order of keys, so that two who write the same pushes wait for
// each other and not in a ring.
func (db *DB) putPushes(ctx context.Context, pushes []pass.Push, update string) error {
	pushes = slices.SortedFunc(slices.Values(pushes), func(a, b pass.Push) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), bytes.Compare(a.Target, b.Target))
	})
	return db.insert(ctx, "INSERT INTO pass_pushes ("+pushColumns+")", convert(pushes, func(p pass.Push) row {
		return row{
			p.Shard, p.Target, uint8(p.Channel), p.Token, p.Wanted, toMillis(p.DueAt), p.Gap.Milliseconds(), toMillis(p.PushedAt), p.Attempts, p.Failure,
		}
	}), "ON CONFLICT (shard, target) DO UPDATE SET "+update)
}

// WantPushes implements pass.Store.
func (db *DB) WantPushes(ctx context.Context, pushes []pass.Push) error {
	const at = "CASE WHEN pass_pushes.pushed_at + EXCLUDED.gap > EXCLUDED.due_at THEN pass_pushes.pushed_at + EXCLUDED.gap ELSE EXCLUDED.due_at END"
	return db.putPushes(ctx, pushes, "token = EXCLUDED.token, gap = EXCLUDED.gap, "+
		"wanted = CASE WHEN EXCLUDED.wanted > pass_pushes.wanted THEN EXCLUDED.wanted ELSE pass_pushes.wanted END, "+
		"due_at = CASE WHEN pass_pushes.due_at > 0 AND (pass_pushes.attempts > 0 OR pass_pushes.due_at <= "+at+") THEN pass_pushes.due_at ELSE "+at+" END")
}

// PushesDue implements pass.Store.
func (db *DB) PushesDue(ctx context.Context, ch pass.Channel, now time.Time, limit int) ([]pass.Push, error) {
	return page(ctx, db, pushRow.push, "SELECT "+pushColumns+" FROM pass_pushes WHERE channel = ? AND due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?", uint8(ch), toMillis(now), limit)
}

// SetPushes implements pass.Store. A phone that got another token meanwhile is told at
// once: what was sent may have gone to the one it no longer has.
func (db *DB) SetPushes(ctx context.Context, pushes []pass.Push) error {
	return db.putPushes(ctx, pushes, "pushed_at = EXCLUDED.pushed_at, attempts = EXCLUDED.attempts, failure = EXCLUDED.failure, "+
		"due_at = CASE WHEN EXCLUDED.due_at > 0 THEN EXCLUDED.due_at WHEN pass_pushes.token <> EXCLUDED.token THEN 1 WHEN pass_pushes.wanted > EXCLUDED.wanted THEN EXCLUDED.pushed_at + pass_pushes.gap ELSE 0 END")
}

// PushesWaiting implements pass.Store.
func (db *DB) PushesWaiting(ctx context.Context) (waiting, failing int64, err error) {
	var r struct {
		Waiting int64 `bun:"waiting"`
		Failing int64 `bun:"failing"`
	}
	err = db.read(ctx).NewRaw("SELECT COUNT(*) AS waiting, COALESCE(SUM(CASE WHEN attempts > 0 THEN 1 ELSE 0 END), 0) AS failing FROM pass_pushes WHERE due_at > 0").Scan(ctx, &r)
	return r.Waiting, r.Failing, err
}
