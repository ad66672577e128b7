package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

var _ account.Store = (*DB)(nil)

// DropMember implements ledger.Store.
func (db *DB) DropMember(ctx context.Context, key ledger.AccountKey, member uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM account_members WHERE shard = ? AND account = ? AND member = ?", key.Shard, key.Account[:], member[:])
	return err
}

// DropVoucher implements ledger.Store.
func (db *DB) DropVoucher(ctx context.Context, key ledger.AccountKey, voucher uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM account_vouchers WHERE shard = ? AND account = ? AND voucher = ?", key.Shard, key.Account[:], voucher[:])
	return err
}

// RaiseVersion implements ledger.Store.
func (db *DB) RaiseVersion(ctx context.Context, key ledger.AccountKey, version uint64) error {
	_, err := db.exec(ctx, "UPDATE accounts SET version = ? WHERE shard = ? AND account = ? AND version < ?",
		int64(version), key.Shard, key.Account[:], int64(version))
	return err
}

type linkRow struct {
	Shard   int    `bun:"shard"`
	Account []byte `bun:"account"`
	FromAt  int64  `bun:"from_at"`
	UntilAt int64  `bun:"until_at"`
	ID      []byte `bun:"id"`
	Target  []byte `bun:"target"`
	Kind    uint8  `bun:"kind"`
	State   int16  `bun:"state"`
	Member  []byte `bun:"member"`
	Reason  uint8  `bun:"reason"`
	By      []byte `bun:"by_person"`
	Owned   []byte `bun:"owned"`
}

const linkColumns = "shard, account, from_at, until_at, id, target, kind, state, member, reason, by_person, owned"

func (r linkRow) ledgerLink() ledger.LinkRow {
	return ledger.LinkRow{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Target: toID(r.Target),
		Kind: entry.LinkKind(r.Kind), From: r.FromAt, Until: r.UntilAt,
	}
}

func (r linkRow) link() (account.Link, error) {
	owned, err := wire.Unmarshal[ledger.Owned](r.Owned)
	return account.Link{
		ID: toID(r.ID), Account: toID(r.Account), Target: toID(r.Target), Kind: entry.LinkKind(r.Kind),
		State: account.LinkState(r.State), From: r.FromAt, Until: r.UntilAt, Member: toID(r.Member),
		Reason: r.Reason, By: toID(r.By), Owned: owned,
	}, err
}

// AccountLinks implements ledger.Store.
func (db *DB) AccountLinks(ctx context.Context, keys []ledger.AccountKey) ([]ledger.LinkRow, error) {
	rows, err := selectKeys[linkRow](ctx, db, db.read(ctx),
		"SELECT "+linkColumns+" FROM account_links WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, linkRow.ledgerLink), err
}

// AddLink implements account.Store.
func (db *DB) AddLink(ctx context.Context, l account.Link) error {
	owned, err := wire.Marshal(l.Owned)
	if err != nil {
		return err
	}
	err = db.insert(ctx, "INSERT INTO account_links ("+linkColumns+")", []row{{
		shard.Of(l.Account), idBytes(l.Account), l.From, l.Until, idBytes(l.ID), idBytes(l.Target), int16(l.Kind), int16(l.State),
		idBytes(l.Member), int16(l.Reason), idBytes(l.By), owned,
	}}, "")
	return taken(err, problem.Conflict, "the account was linked at the same moment")
}

// SetLink implements account.Store.
func (db *DB) SetLink(ctx context.Context, l account.Link, was account.LinkState) error {
	owned, err := wire.Marshal(l.Owned)
	if err != nil {
		return err
	}
	return db.changed(ctx, "UPDATE account_links SET state = ?, until_at = ?, owned = ? WHERE shard = ? AND account = ? AND from_at = ? AND state = ?",
		int16(l.State), l.Until, owned, shard.Of(l.Account), l.Account[:], l.From, int16(was))
}

// Link implements account.Store.
func (db *DB) Link(ctx context.Context, id uuid.UUID) (account.Link, error) {
	all, err := db.someLinks(ctx, "id = ?", id[:])
	if err == nil && len(all) == 0 {
		err = problem.New(problem.NotFound, "no such link")
	}
	if err != nil {
		return account.Link{}, err
	}
	return all[0], nil
}

// Links implements account.Store.
func (db *DB) Links(ctx context.Context, accountID uuid.UUID) ([]account.Link, error) {
	from, err := db.someLinks(ctx, "shard = ? AND account = ? ORDER BY from_at", shard.Of(accountID), accountID[:])
	if err != nil {
		return nil, err
	}
	to, err := db.someLinks(ctx, "target = ? ORDER BY from_at, account", accountID[:])
	return append(from, to...), err
}

// LinksWaiting implements account.Store.
func (db *DB) LinksWaiting(ctx context.Context, limit int) ([]account.Link, error) {
	return db.someLinks(ctx, "state = 1 OR state = 3 ORDER BY shard, account, from_at LIMIT ?", limit)
}

// LinksWithLeft implements account.Store.
func (db *DB) LinksWithLeft(ctx context.Context, limit int) ([]account.Link, error) {
	return db.someLinks(ctx, "until_at = 0 AND state = 2 AND EXISTS (SELECT 1 FROM holdings AS h WHERE h.shard = account_links.shard "+
		"AND h.account = account_links.account AND (h.free > 0 OR h.pending > 0 OR h.overdraft > 0)) ORDER BY shard, account LIMIT ?", limit)
}

func (db *DB) someLinks(ctx context.Context, where string, args ...any) ([]account.Link, error) {
	var rows []linkRow
	if err := db.read(ctx).NewRaw("SELECT "+linkColumns+" FROM account_links WHERE "+where, args...).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := make([]account.Link, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.link(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type moveRow struct {
	State     int16  `bun:"state"`
	Leg       []byte `bun:"leg"`
	CreatedAt int64  `bun:"created_at"`
}

func (r moveRow) move() (account.Move, error) {
	leg, err := wire.Unmarshal[entry.HQTransfer](r.Leg)
	return account.Move{Leg: leg, Arrived: r.State == 2, CreatedAt: fromMillis(r.CreatedAt)}, err
}

// AddMove implements account.Store.
func (db *DB) AddMove(ctx context.Context, m account.Move) error {
	leg, err := wire.Marshal(m.Leg)
	if err != nil {
		return err
	}
	return db.insert(ctx, "INSERT INTO account_moves (shard, id, account, target, state, leg, created_at)", []row{{
		shard.Of(m.Leg.Account), idBytes(m.Leg.ID), idBytes(m.Leg.Account), idBytes(m.Leg.Other), 1, leg, toMillis(m.CreatedAt),
	}}, "")
}

// SetArrived implements account.Store.
func (db *DB) SetArrived(ctx context.Context, m account.Move) error {
	_, err := db.exec(ctx, "UPDATE account_moves SET state = 2 WHERE shard = ? AND id = ?", shard.Of(m.Leg.Account), m.Leg.ID[:])
	return err
}

// Move implements account.Store.
func (db *DB) Move(ctx context.Context, id uuid.UUID) (account.Move, error) {
	var r moveRow
	if err := db.read(ctx).NewRaw("SELECT state, leg, created_at FROM account_moves WHERE id = ?", id[:]).Scan(ctx, &r); err != nil {
		return account.Move{}, missing(err, "transfer")
	}
	return r.move()
}

// MovesWaiting implements account.Store.
func (db *DB) MovesWaiting(ctx context.Context, limit int) ([]account.Move, error) {
	var rows []moveRow
	err := db.read(ctx).NewRaw("SELECT state, leg, created_at FROM account_moves WHERE state = 1 ORDER BY shard, id LIMIT ?", limit).Scan(ctx, &rows)
	out := make([]account.Move, len(rows))
	for i, r := range rows {
		if err == nil {
			out[i], err = r.move()
		}
	}
	return out, err
}

// Once implements account.Store.
func (db *DB) Once(ctx context.Context, accountID, id uuid.UUID, body []byte) (bool, error) {
	if len(body) == 0 {
		body = []byte{0xf6} // CBOR null: copying a table must not make nothing of it
	}
	n, err := db.exec(ctx, "INSERT INTO account_once (shard, id, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", shard.Of(accountID), id[:], body)
	return n == 1, err
}

// OnceBody implements account.Store.
func (db *DB) OnceBody(ctx context.Context, accountID, id uuid.UUID) ([]byte, bool, error) {
	var body []byte
	err := db.read(ctx).NewRaw("SELECT body FROM account_once WHERE shard = ? AND id = ?", shard.Of(accountID), id[:]).Scan(ctx, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return body, err == nil, err
}
