package store

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

const declarationColumns = "terminal, number, id, store, epoch, state, reason, declared_by, declared_at, expires_at, decided_by, decided_at, " +
	"found_by, found_at, head_seq, head_hash, said_seq, last_contact, bound"

type declarationRow struct {
	Terminal    []byte `bun:"terminal"`
	Number      uint64 `bun:"number"`
	ID          []byte `bun:"id"`
	Store       []byte `bun:"store"`
	Epoch       uint32 `bun:"epoch"`
	State       uint8  `bun:"state"`
	Reason      string `bun:"reason"`
	DeclaredBy  []byte `bun:"declared_by"`
	DeclaredAt  int64  `bun:"declared_at"`
	ExpiresAt   int64  `bun:"expires_at"`
	DecidedBy   []byte `bun:"decided_by"`
	DecidedAt   int64  `bun:"decided_at"`
	FoundBy     []byte `bun:"found_by"`
	FoundAt     int64  `bun:"found_at"`
	HeadSeq     uint64 `bun:"head_seq"`
	HeadHash    []byte `bun:"head_hash"`
	SaidSeq     uint64 `bun:"said_seq"`
	LastContact int64  `bun:"last_contact"`
	Bound       []byte `bun:"bound"`
}

func (r declarationRow) declaration() (fleet.Declaration, error) {
	bound, err := wire.Unmarshal[[]entry.LostBound](r.Bound)
	return fleet.Declaration{
		ID: toID(r.ID), Terminal: toID(r.Terminal), Number: r.Number, Store: toID(r.Store), Epoch: r.Epoch, Step: entry.LostStep(r.State), Reason: r.Reason,
		DeclaredBy: toID(r.DeclaredBy), DeclaredAt: fromMillis(r.DeclaredAt), ExpiresAt: fromMillis(r.ExpiresAt),
		DecidedBy: toID(r.DecidedBy), DecidedAt: fromMillis(r.DecidedAt), FoundBy: toID(r.FoundBy), FoundAt: fromMillis(r.FoundAt),
		Gap: fleet.Gap{
			Head: journal.Head{Seq: r.HeadSeq, Hash: toHash(r.HeadHash)}, Said: r.SaidSeq, LastContact: fromMillis(r.LastContact), Bound: bound,
		},
	}, err
}

// AddDeclaration implements fleet.Keeper.
func (db *DB) AddDeclaration(ctx context.Context, d fleet.Declaration) error {
	bound, err := wire.Marshal(d.Gap.Bound)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "INSERT INTO lost_declarations ("+declarationColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		idBytes(d.Terminal), int64(d.Number), idBytes(d.ID), idBytes(d.Store), int64(d.Epoch), uint8(d.Step), d.Reason,
		idBytes(d.DeclaredBy), toMillis(d.DeclaredAt), toMillis(d.ExpiresAt), idBytes(d.DecidedBy), toMillis(d.DecidedAt),
		idBytes(d.FoundBy), toMillis(d.FoundAt), int64(d.Gap.Head.Seq), hashBytes(d.Gap.Head.Hash), int64(d.Gap.Said), toMillis(d.Gap.LastContact), bound)
	return taken(err, problem.Conflict, "somebody else declares the terminal lost")
}

// SetDeclaration implements fleet.Keeper.
func (db *DB) SetDeclaration(ctx context.Context, d fleet.Declaration, from entry.LostStep) error {
	bound, err := wire.Marshal(d.Gap.Bound)
	if err != nil {
		return err
	}
	return db.changed(ctx, "UPDATE lost_declarations SET state = ?, decided_by = ?, decided_at = ?, found_by = ?, found_at = ?, "+
		"head_seq = ?, head_hash = ?, said_seq = ?, last_contact = ?, bound = ? WHERE terminal = ? AND number = ? AND state = ?",
		uint8(d.Step), idBytes(d.DecidedBy), toMillis(d.DecidedAt), idBytes(d.FoundBy), toMillis(d.FoundAt),
		int64(d.Gap.Head.Seq), hashBytes(d.Gap.Head.Hash), int64(d.Gap.Said), toMillis(d.Gap.LastContact), bound,
		idBytes(d.Terminal), int64(d.Number), uint8(from))
}

// Declarations implements fleet.Keeper.
func (db *DB) Declarations(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]fleet.Declaration, error) {
	out := map[uuid.UUID]fleet.Declaration{}
	if len(terminals) == 0 {
		return out, nil
	}
	var rows []declarationRow
	err := db.read(ctx).NewRaw("SELECT "+declarationColumns+" FROM lost_declarations WHERE terminal IN (?)", bun.List(convert(terminals, idOf))).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		d, err := r.declaration()
		if err != nil {
			return nil, err
		}
		if d.Number > out[d.Terminal].Number {
			out[d.Terminal] = d
		}
	}
	return out, nil
}

// idOf is an id as a value of a list.
func idOf(id uuid.UUID) []byte { return id[:] }

// LostLanes implements allowance.Store.
func (db *DB) LostLanes(ctx context.Context) (map[allowance.Lane]uuid.UUID, error) {
	var rows []struct {
		Terminal  []byte `bun:"terminal"`
		Epoch     uint32 `bun:"epoch"`
		DecidedBy []byte `bun:"decided_by"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, decided_by FROM lost_declarations WHERE state IN (?, ?)",
		uint8(entry.LostConfirmed), uint8(entry.LostFound)).Scan(ctx, &rows)
	out := make(map[allowance.Lane]uuid.UUID, len(rows))
	for _, r := range rows {
		out[allowance.Lane{ID: toID(r.Terminal), Epoch: r.Epoch}] = toID(r.DecidedBy)
	}
	return out, err
}

// WithdrawExceptions implements fleet.Keeper.
func (db *DB) WithdrawExceptions(ctx context.Context, kind ledger.ExceptionKind, terminal uuid.UUID, epoch uint32, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE exceptions SET state = ?, ended_at = ? WHERE shard = ? AND kind = ? AND terminal = ? AND epoch = ? AND state = ?",
		ledger.ExceptionWithdrawn, toMillis(at), shard.Of(terminal), string(kind), idBytes(terminal), epoch, ledger.ExceptionOpen)
	return err
}

// IdentitiesLeft implements fleet.Keeper.
func (db *DB) IdentitiesLeft(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]int64, error) {
	type leftRow struct {
		Terminal []byte `bun:"terminal"`
		N        int64  `bun:"n"`
	}
	keys := convert(terminals, func(id uuid.UUID) row { return row{shard.Of(id), idBytes(id)} })
	rows, err := selectKeys[leftRow](ctx, db, db.read(ctx), "SELECT terminal, COUNT(*) AS n FROM identities WHERE ? AND state = "+
		strconv.Itoa(int(identity.Issued))+" GROUP BY terminal", "shard, terminal", keys)
	out := make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		out[toID(r.Terminal)] += r.N
	}
	return out, err
}
