package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/webshop"
)

var _ webshop.Store = (*DB)(nil)

// AddQuote implements webshop.Store. It forgets quotes of its shard that ran out.
func (db *DB) AddQuote(ctx context.Context, id uuid.UUID, body []byte, expiresAt time.Time) error {
	in := shard.Of(id)
	if _, err := db.exec(ctx, "DELETE FROM web_quotes WHERE shard = ? AND expires_at < ?", in, toMillis(expiresAt.Add(-24*time.Hour))); err != nil {
		return err
	}
	_, err := db.exec(ctx, "INSERT INTO web_quotes (shard, id, body, expires_at) VALUES (?, ?, ?, ?)", in, id[:], body, toMillis(expiresAt))
	return err
}

// Quote implements webshop.Store.
func (db *DB) Quote(ctx context.Context, id uuid.UUID) ([]byte, time.Time, error) {
	var r struct {
		Body      []byte `bun:"body"`
		ExpiresAt int64  `bun:"expires_at"`
	}
	err := db.read(ctx).NewRaw("SELECT body, expires_at FROM web_quotes WHERE shard = ? AND id = ?", shard.Of(id), id[:]).Scan(ctx, &r)
	return r.Body, fromMillis(r.ExpiresAt), missing(err, "quote")
}

type webSaleRow struct {
	ID       []byte `bun:"id"`
	Terminal []byte `bun:"terminal"`
	Epoch    uint32 `bun:"epoch"`
	Seq      uint64 `bun:"seq"`
	Voided   int    `bun:"voided"`
	Returns  int    `bun:"returns"`
}

func (r webSaleRow) place() webshop.Place {
	return webshop.Place{Sale: toID(r.ID), Terminal: toID(r.Terminal), Epoch: r.Epoch, Seq: r.Seq, Voided: r.Voided == 1, Returns: r.Returns}
}

// AddWebSale implements webshop.Store.
func (db *DB) AddWebSale(ctx context.Context, p webshop.Place) error {
	_, err := db.exec(ctx, "INSERT INTO web_sales (shard, id, terminal, epoch, seq, voided) VALUES (?, ?, ?, ?, ?, 0)",
		shard.Of(p.Sale), p.Sale[:], p.Terminal[:], int64(p.Epoch), int64(p.Seq))
	return err
}

// WebSale implements webshop.Store.
func (db *DB) WebSale(ctx context.Context, sale uuid.UUID) (webshop.Place, error) {
	return one(ctx, db, webSaleRow.place, "sale", "SELECT id, terminal, epoch, seq, voided, returns FROM web_sales WHERE shard = ? AND id = ?",
		shard.Of(sale), sale[:])
}

// SetVoided implements webshop.Store.
func (db *DB) SetVoided(ctx context.Context, sale uuid.UUID) (bool, error) {
	n, err := db.exec(ctx, "UPDATE web_sales SET voided = 1 WHERE shard = ? AND id = ? AND voided = 0 AND returns = 0", shard.Of(sale), sale[:])
	return n == 1, err
}

// CountReturn implements webshop.Store.
func (db *DB) CountReturn(ctx context.Context, sale uuid.UUID) (int, error) {
	err := db.changed(ctx, "UPDATE web_sales SET returns = returns + 1 WHERE shard = ? AND id = ? AND voided = 0", shard.Of(sale), sale[:])
	if problem.CodeOf(err) == problem.Conflict {
		return 0, problem.New(problem.NotFound, "no such sale")
	}
	if err != nil {
		return 0, err
	}
	p, err := db.WebSale(ctx, sale)
	return p.Returns, err
}

// AddWebReturn implements webshop.Store.
func (db *DB) AddWebReturn(ctx context.Context, p webshop.Place, no int) error {
	_, err := db.exec(ctx, "INSERT INTO web_returns (shard, sale, line, terminal, epoch, seq) VALUES (?, ?, ?, ?, ?, ?)",
		shard.Of(p.Sale), p.Sale[:], no, p.Terminal[:], int64(p.Epoch), int64(p.Seq))
	return err
}

// WebReturns implements webshop.Store.
func (db *DB) WebReturns(ctx context.Context, sale uuid.UUID) ([]webshop.Place, error) {
	var rows []webSaleRow
	err := db.read(ctx).NewRaw("SELECT sale AS id, terminal, epoch, seq FROM web_returns WHERE shard = ? AND sale = ? ORDER BY line",
		shard.Of(sale), sale[:]).Scan(ctx, &rows)
	return convert(rows, webSaleRow.place), err
}
