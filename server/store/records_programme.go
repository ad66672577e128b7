package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

var _ programme.Keeper = (*DB)(nil)

type versionRow struct {
	Version int64  `bun:"version"`
	Body    []byte `bun:"body"`
}

func asIs[row any](r row) row { return r }

// LatestVersion implements programme.Keeper.
func (db *DB) LatestVersion(ctx context.Context, kind string) (uint64, []byte, error) {
	row, err := one(ctx, db, asIs[versionRow], "version",
		"SELECT version, body FROM programme_versions WHERE kind = ? ORDER BY version DESC LIMIT 1", kind)
	return uint64(row.Version), row.Body, err
}

// Version implements programme.Keeper.
func (db *DB) Version(ctx context.Context, kind string, version uint64) ([]byte, error) {
	row, err := one(ctx, db, asIs[versionRow], "version",
		"SELECT version, body FROM programme_versions WHERE kind = ? AND version = ?", kind, int64(version))
	return row.Body, err
}

// AddVersion implements programme.Keeper.
func (db *DB) AddVersion(ctx context.Context, kind string, version uint64, body []byte, by uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "INSERT INTO programme_versions (kind, version, body, by_person, created_at) VALUES (?, ?, ?, ?, ?)",
		kind, int64(version), body, by[:], toMillis(at))
	return taken(err, problem.Conflict, "another version was put in force meanwhile")
}

type rewardRow struct {
	Version int64  `bun:"version"`
	Body    []byte `bun:"body"`
}

func (db *DB) rewards(ctx context.Context, query string, args ...any) ([]programme.Reward, error) {
	rows, err := page(ctx, db, asIs[rewardRow], query, args...)
	if err != nil {
		return nil, err
	}
	out := make([]programme.Reward, len(rows))
	for i, r := range rows {
		body, err := wire.Unmarshal[loyalty.Reward](r.Body)
		if err != nil {
			return nil, fmt.Errorf("read reward: %w", err)
		}
		out[i] = programme.Reward{Reward: body, Version: uint64(r.Version)}
	}
	return out, nil
}

// AddReward implements programme.Keeper.
func (db *DB) AddReward(ctx context.Context, r programme.Reward) error {
	body, err := wire.Marshal(r.Reward)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "INSERT INTO rewards (id, version, body) VALUES (?, ?, ?)", r.ID[:], int64(r.Version), body)
	return err
}

// SetReward implements programme.Keeper.
func (db *DB) SetReward(ctx context.Context, r programme.Reward) error {
	body, err := wire.Marshal(r.Reward)
	if err != nil {
		return err
	}
	return db.changed(ctx, "UPDATE rewards SET version = ?, body = ? WHERE id = ? AND version = ?",
		int64(r.Version), body, r.ID[:], int64(r.Version-1))
}

// Reward implements programme.Keeper.
func (db *DB) Reward(ctx context.Context, id uuid.UUID) (programme.Reward, error) {
	found, err := db.rewards(ctx, "SELECT version, body FROM rewards WHERE id = ?", id[:])
	if err != nil {
		return programme.Reward{}, err
	}
	if len(found) == 0 {
		return programme.Reward{}, problem.New(problem.NotFound, "no such reward")
	}
	return found[0], nil
}

// Rewards implements programme.Keeper.
func (db *DB) Rewards(ctx context.Context, after uuid.UUID, limit int) ([]programme.Reward, error) {
	return db.rewards(ctx, "SELECT version, body FROM rewards WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
}

type memberRow struct {
	ID        []byte `bun:"id"`
	Account   []byte `bun:"account"`
	Alias     string `bun:"alias"`
	Reference string `bun:"reference"`
	Salt      []byte `bun:"salt"`
	Issue     int64  `bun:"issue"`
	Blocked   int64  `bun:"blocked"`
	Version   int64  `bun:"version"`
	CreatedAt int64  `bun:"created_at"`
}

func (r memberRow) member() programme.Member {
	return programme.Member{
		ID: toID(r.ID), Account: toID(r.Account), Alias: r.Alias, Reference: r.Reference, Salt: r.Salt,
		Issue: uint16(r.Issue), Blocked: r.Blocked != 0, Version: uint64(r.Version), CreatedAt: fromMillis(r.CreatedAt),
	}
}

const memberColumns = "id, account, alias, reference, salt, issue, blocked, version, created_at"

// AddMembers implements programme.Keeper.
func (db *DB) AddMembers(ctx context.Context, members []programme.Member) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if err := db.addReferences(ctx, members); err != nil {
			return err
		}
		return db.insert(ctx, "INSERT INTO members (shard, folded_alias, folded_reference, "+memberColumns+")",
			convert(members, func(m programme.Member) row {
				return row{
					shard.Of(m.Account), strings.ToLower(m.Alias), strings.ToLower(m.Reference), idBytes(m.ID), idBytes(m.Account), m.Alias, m.Reference,
					blob(m.Salt), int64(m.Issue), bit(m.Blocked), int64(m.Version), toMillis(m.CreatedAt),
				}
			}), "")
	})
}

// addReferences holds each reference to its member, in the order of references, which
// keeps two who add the same ones from waiting for each other in a circle.
func (db *DB) addReferences(ctx context.Context, members []programme.Member) error {
	var rows []row
	wanted := map[string]bool{}
	for _, m := range members {
		switch {
		case m.Reference == "":
			continue
		case wanted[m.Reference]:
			return problem.New(problem.NameTaken, "two members have the reference "+m.Reference)
		}
		wanted[m.Reference] = true
		rows = append(rows, row{m.Reference, idBytes(m.ID)})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a[0].(string), b[0].(string)) })
	err := db.inserted(ctx, "INSERT INTO member_references (reference, member)", rows, "ON CONFLICT DO NOTHING RETURNING reference", func(q query) error {
		var added []string
		err := q.scan(ctx, &added)
		for _, reference := range added {
			delete(wanted, reference)
		}
		return err
	})
	if err != nil || len(wanted) == 0 {
		return err
	}
	return problem.New(problem.NameTaken, "there is a member of reference "+slices.Min(slices.Collect(maps.Keys(wanted))))
}

// SetMember implements programme.Keeper.
func (db *DB) SetMember(ctx context.Context, m programme.Member) error {
	return db.changed(ctx, "UPDATE members SET alias = ?, folded_alias = ?, issue = ?, blocked = ?, version = ? WHERE shard = ? AND id = ? AND version = ?",
		m.Alias, strings.ToLower(m.Alias), int64(m.Issue), bit(m.Blocked), int64(m.Version), shard.Of(m.Account), m.ID[:], int64(m.Version-1))
}

// Member implements programme.Keeper.
func (db *DB) Member(ctx context.Context, id uuid.UUID) (programme.Member, error) {
	return one(ctx, db, memberRow.member, "member", "SELECT "+memberColumns+" FROM members WHERE id = ?", id[:])
}

// MembersOf implements programme.Keeper.
func (db *DB) MembersOf(ctx context.Context, ids []uuid.UUID) ([]programme.Member, error) {
	return byIDs(ctx, db, memberRow.member, "SELECT "+memberColumns+" FROM members WHERE id IN (?)", ids)
}

// Members implements programme.Keeper.
func (db *DB) Members(ctx context.Context, query string, after uuid.UUID, limit int) ([]programme.Member, error) {
	if query == "" {
		return page(ctx, db, memberRow.member, "SELECT "+memberColumns+" FROM members WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
	}
	if id, err := uuid.Parse(query); err == nil {
		return page(ctx, db, memberRow.member,
			"SELECT "+memberColumns+" FROM members WHERE id = ? AND id > ? ORDER BY id LIMIT ?", id[:], after[:], limit)
	}
	prefix := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(query)) + "%"
	return page(ctx, db, memberRow.member, "SELECT "+memberColumns+" FROM members"+
		" WHERE (folded_alias LIKE ? ESCAPE '!' OR folded_reference LIKE ? ESCAPE '!') AND id > ? ORDER BY id LIMIT ?",
		prefix, prefix, after[:], limit)
}

type voucherRow struct {
	ID        []byte `bun:"id"`
	Member    []byte `bun:"member"`
	Account   []byte `bun:"account"`
	Reward    []byte `bun:"reward"`
	Uses      int64  `bun:"uses"`
	ValidFrom int64  `bun:"valid_from"`
	ValidTo   int64  `bun:"valid_to"`
	CreatedAt int64  `bun:"created_at"`
	GivenAt   int64  `bun:"given_at"`
}

func (r voucherRow) voucher() programme.Voucher {
	return programme.Voucher{
		ID: toID(r.ID), Member: toID(r.Member), Account: toID(r.Account), Reward: toID(r.Reward), Uses: r.Uses,
		ValidFrom: fromMillis(r.ValidFrom), ValidTo: fromMillis(r.ValidTo), CreatedAt: fromMillis(r.CreatedAt),
		GivenAt: fromMillis(r.GivenAt),
	}
}

const voucherColumns = "id, member, account, reward, uses, valid_from, valid_to, created_at, given_at"

// AddVoucher implements programme.Keeper.
func (db *DB) AddVoucher(ctx context.Context, v programme.Voucher) error {
	_, err := db.exec(ctx, "INSERT INTO vouchers (shard, "+voucherColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		shard.Of(v.Account), v.ID[:], v.Member[:], v.Account[:], v.Reward[:], v.Uses, toMillis(v.ValidFrom), toMillis(v.ValidTo), toMillis(v.CreatedAt), toMillis(v.GivenAt))
	return err
}

// SetGiven implements programme.Keeper.
func (db *DB) SetGiven(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE vouchers SET given_at = ? WHERE id = ? AND (given_at = 0 OR ? = 0)", toMillis(at), id[:], toMillis(at))
	return err
}

// Voucher implements programme.Keeper.
func (db *DB) Voucher(ctx context.Context, id uuid.UUID) (programme.Voucher, error) {
	return one(ctx, db, voucherRow.voucher, "voucher", "SELECT "+voucherColumns+" FROM vouchers WHERE id = ?", id[:])
}

// Vouchers implements programme.Keeper.
func (db *DB) Vouchers(ctx context.Context, member, after uuid.UUID, limit int) ([]programme.Voucher, error) {
	if member == uuid.Nil {
		return page(ctx, db, voucherRow.voucher, "SELECT "+voucherColumns+" FROM vouchers WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
	}
	return page(ctx, db, voucherRow.voucher,
		"SELECT "+voucherColumns+" FROM vouchers WHERE member = ? AND id > ? ORDER BY id LIMIT ?", member[:], after[:], limit)
}

// CountMembers implements programme.Keeper.
func (db *DB) CountMembers(ctx context.Context) (int64, error) { return db.count(ctx, "members") }
