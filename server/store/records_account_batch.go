package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/shard"
)

type batchRow struct {
	ID        []byte `bun:"id"`
	State     int16  `bun:"state"`
	Reason    uint8  `bun:"reason"`
	Total     int64  `bun:"total"`
	Refused   int64  `bun:"refused"`
	Digest    []byte `bun:"digest"`
	By        []byte `bun:"by_person"`
	CreatedAt int64  `bun:"created_at"`
}

func (r batchRow) batch() account.Batch {
	return account.Batch{
		ID: toID(r.ID), State: account.BatchState(r.State), Reason: r.Reason, Rows: int(r.Total), Refused: int(r.Refused),
		Digest: r.Digest, By: toID(r.By), CreatedAt: fromMillis(r.CreatedAt),
	}
}

const batchColumns = "id, state, reason, total, refused, digest, by_person, created_at"

// AddBatch implements account.Store.
func (db *DB) AddBatch(ctx context.Context, b account.Batch, rows []account.Row) error {
	in := shard.Of(b.ID)
	return db.InTx(ctx, func(ctx context.Context) error {
		err := db.insert(ctx, "INSERT INTO correction_batches (shard, "+batchColumns+")", []row{{
			in, idBytes(b.ID), int16(b.State), int16(b.Reason), b.Rows, b.Refused, b.Digest, idBytes(b.By), toMillis(b.CreatedAt),
		}}, "")
		if err != nil {
			return err
		}
		return db.insert(ctx, "INSERT INTO correction_rows (shard, batch, "+correctionColumns+")", convert(rows, func(r account.Row) row {
			return row{
				in, idBytes(b.ID), r.Line, idBytes(r.Member), idBytes(r.Account), idBytes(r.Voucher), r.Unit, r.Amount, r.ExpiresAt,
				int16(r.State), r.FreeBefore, string(r.Problem), r.Detail, r.Undone,
			}
		}), "")
	})
}

// SetBatchState implements account.Store.
func (db *DB) SetBatchState(ctx context.Context, id uuid.UUID, was, now account.BatchState) error {
	return db.changed(ctx, "UPDATE correction_batches SET state = ? WHERE shard = ? AND id = ? AND state = ?", int16(now), shard.Of(id), id[:], int16(was))
}

// Batch implements account.Store.
func (db *DB) Batch(ctx context.Context, id uuid.UUID) (account.Batch, error) {
	b, err := one(ctx, db, batchRow.batch, "list", "SELECT "+batchColumns+" FROM correction_batches WHERE shard = ? AND id = ?", shard.Of(id), id[:])
	if err != nil {
		return b, err
	}
	var counts []struct {
		State int16 `bun:"state"`
		N     int   `bun:"n"`
	}
	err = db.read(ctx).NewRaw("SELECT state, COUNT(*) AS n FROM correction_rows WHERE shard = ? AND batch = ? GROUP BY state",
		shard.Of(id), id[:]).Scan(ctx, &counts)
	b.Counts = map[account.RowState]int{}
	for _, c := range counts {
		b.Counts[account.RowState(c.State)] = c.N
	}
	return b, err
}

// BatchesWaiting implements account.Store.
func (db *DB) BatchesWaiting(ctx context.Context, limit int) ([]account.Batch, error) {
	return page(ctx, db, batchRow.batch, "SELECT "+batchColumns+" FROM correction_batches WHERE state = 2 OR state = 4 ORDER BY shard, id LIMIT ?", limit)
}

type correctionRow struct {
	Batch      []byte `bun:"batch"`
	Line       int    `bun:"line"`
	Member     []byte `bun:"member"`
	Account    []byte `bun:"account"`
	Voucher    []byte `bun:"voucher"`
	Unit       string `bun:"unit"`
	Amount     int64  `bun:"amount"`
	ExpiresAt  int64  `bun:"expires_at"`
	State      int16  `bun:"state"`
	FreeBefore int64  `bun:"free_before"`
	Problem    string `bun:"problem"`
	Detail     string `bun:"detail"`
	Undone     int64  `bun:"undone"`
}

const correctionColumns = "line, member, account, voucher, unit, amount, expires_at, state, free_before, problem, detail, undone"

func (r correctionRow) row() account.Row {
	return account.Row{
		Batch: toID(r.Batch), Line: r.Line, Member: toID(r.Member), Account: toID(r.Account), Voucher: toID(r.Voucher), Unit: r.Unit,
		Amount: r.Amount, ExpiresAt: r.ExpiresAt, State: account.RowState(r.State), FreeBefore: r.FreeBefore,
		Problem: problem.Code(r.Problem), Detail: r.Detail, Undone: r.Undone,
	}
}

// BatchRows implements account.Store.
func (db *DB) BatchRows(ctx context.Context, id uuid.UUID, state account.RowState, after, limit int) ([]account.Row, error) {
	query := "SELECT batch, " + correctionColumns + " FROM correction_rows WHERE shard = ? AND batch = ? AND line > ?"
	args := []any{shard.Of(id), id[:], after}
	if state != 0 {
		query, args = query+" AND state = ?", append(args, int16(state))
	}
	return page(ctx, db, correctionRow.row, query+" ORDER BY line LIMIT ?", append(args, limit)...)
}

// LastBatchRows implements account.Store.
func (db *DB) LastBatchRows(ctx context.Context, id uuid.UUID, state account.RowState, limit int) ([]account.Row, error) {
	return page(ctx, db, correctionRow.row, "SELECT batch, "+correctionColumns+" FROM correction_rows WHERE shard = ? AND batch = ? AND state = ? "+
		"ORDER BY line DESC LIMIT ?", shard.Of(id), id[:], int16(state), limit)
}

// SetRow implements account.Store.
func (db *DB) SetRow(ctx context.Context, r account.Row) error {
	_, err := db.exec(ctx, "UPDATE correction_rows SET account = ?, state = ?, problem = ?, detail = ?, undone = ? WHERE shard = ? AND batch = ? AND line = ?",
		r.Account[:], int16(r.State), string(r.Problem), r.Detail, r.Undone, shard.Of(r.Batch), r.Batch[:], r.Line)
	return err
}

// VoucherMember implements account.Store.
func (db *DB) VoucherMember(ctx context.Context, voucher uuid.UUID) (uuid.UUID, uuid.UUID, error) {
	v, err := db.Voucher(ctx, voucher)
	return v.Member, v.Account, err
}
