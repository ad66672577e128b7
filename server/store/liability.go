package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/sync/entry"
)

var _ liability.Store = (*DB)(nil)

// sumShard is the shard in which all that is summed stands.
const sumShard = 0

// Lags implements liability.Store.
func (db *DB) Lags(ctx context.Context) ([]liability.Lag, error) {
	type lagRow struct {
		Shard int   `bun:"shard"`
		Pos   int64 `bun:"pos"`
	}
	cursors := map[int]int64{}
	rows, err := page(ctx, db, func(r lagRow) lagRow { return r }, "SELECT of_shard AS shard, pos FROM liability_cursors WHERE shard = ?", sumShard)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		cursors[r.Shard] = r.Pos
	}
	heads, err := page(ctx, db, func(r lagRow) lagRow { return r }, "SELECT shard, pos FROM applied_heads ORDER BY shard")
	if err != nil {
		return nil, err
	}
	var out []liability.Lag
	for _, h := range heads {
		pos, begun := cursors[h.Shard]
		if !begun {
			pos = liability.NotBegun
		}
		if pos < h.Pos {
			out = append(out, liability.Lag{Shard: h.Shard, Pos: pos})
		}
	}
	return out, nil
}

// SetsAfter implements liability.Store.
func (db *DB) SetsAfter(ctx context.Context, in int, after int64, limit int) ([]liability.Set, error) {
	type setRow struct {
		Pos   int64  `bun:"pos"`
		Moves []byte `bun:"moves"`
	}
	return page(ctx, db, func(r setRow) liability.Set { return liability.Set{Pos: r.Pos, Moves: r.Moves} },
		"SELECT pos, moves FROM applied_sets WHERE shard = ? AND pos > ? ORDER BY pos LIMIT ?", in, after, limit)
}

// Summed implements liability.Store.
func (db *DB) Summed(ctx context.Context, lag liability.Lag, to int64) error {
	if lag.Pos == liability.NotBegun {
		return db.changed(ctx, "INSERT INTO liability_cursors (shard, of_shard, pos) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", sumShard, lag.Shard, to)
	}
	return db.changed(ctx, "UPDATE liability_cursors SET pos = ? WHERE shard = ? AND of_shard = ? AND pos = ?", to, sumShard, lag.Shard, lag.Pos)
}

// AddMoved implements liability.Store.
func (db *DB) AddMoved(ctx context.Context, rows []liability.Row) error {
	return db.insert(ctx, "INSERT INTO liability_days (shard, unit, of_day, so_day, issued, expires, kind, from_book, to_book, amount, n)",
		convert(rows, func(r liability.Row) row {
			return row{
				sumShard, r.Unit, int64(r.Recorded), int64(r.Effective), int64(r.Issued), int64(r.Expires), int64(r.Kind),
				int16(r.From), int16(r.To), r.Amount, r.N,
			}
		}),
		"ON CONFLICT (shard, unit, of_day, so_day, issued, expires, kind, from_book, to_book) DO UPDATE SET amount = liability_days.amount + EXCLUDED.amount, n = liability_days.n + EXCLUDED.n")
}

// HoldSets implements liability.Store. Whoever adds a set changes this row first.
func (db *DB) HoldSets(ctx context.Context, in int) (pos int64, err error) {
	err = db.write(ctx).NewRaw("UPDATE applied_heads SET pos = pos WHERE shard = ? RETURNING pos", in).Scan(ctx, &pos)
	return pos, err
}

// EachPosted implements liability.Store.
func (db *DB) EachPosted(ctx context.Context, in int, do func(liability.Row) error) error {
	rows, err := db.read(ctx).QueryContext(ctx, "SELECT p.recorded_at, p.effective_at, p.unit, p.amount, p.from_book, p.to_book, "+postedTerms+"FROM postings AS p "+
		postedJoins+"WHERE p.shard = ?", in)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p postedRow
		if err := rows.Scan(&p.RecordedAt, &p.EffectiveAt, &p.Unit, &p.Amount, &p.From, &p.To, &p.Kind, &p.EarnedAt, &p.ExpiresAt, &p.RollDays); err != nil {
			return err
		}
		if err := do(p.moved()); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ForgetSums implements liability.Store.
func (db *DB) ForgetSums(ctx context.Context) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, text := range []string{"DELETE FROM liability_cursors WHERE shard = ?", "DELETE FROM liability_days WHERE shard = ?"} {
			if _, err := db.exec(ctx, text, sumShard); err != nil {
				return err
			}
		}
		return nil
	})
}

// EachMoved implements liability.Store.
func (db *DB) EachMoved(ctx context.Context, unit string, known liability.Day, do func(liability.Row) error) error {
	rows, err := db.read(ctx).QueryContext(ctx, "SELECT of_day, so_day, issued, expires, kind, from_book, to_book, amount, n FROM liability_days "+
		"WHERE shard = ? AND unit = ? AND of_day <= ?", sumShard, unit, int64(known))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r := liability.Row{Unit: unit}
		if err := rows.Scan(&r.Recorded, &r.Effective, &r.Issued, &r.Expires, &r.Kind, &r.From, &r.To, &r.Amount, &r.N); err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// MovedUnits implements liability.Store.
func (db *DB) MovedUnits(ctx context.Context) ([]string, error) {
	type unitRow struct {
		Unit string `bun:"unit"`
	}
	return page(ctx, db, func(r unitRow) string { return r.Unit }, "SELECT DISTINCT unit FROM liability_days WHERE shard = ? ORDER BY unit", sumShard)
}

// MovedTotals implements liability.Store.
func (db *DB) MovedTotals(ctx context.Context) ([]liability.Row, error) {
	type totalRow struct {
		Unit   string `bun:"unit"`
		From   int16  `bun:"from_book"`
		To     int16  `bun:"to_book"`
		Amount int64  `bun:"amount"`
	}
	return page(ctx, db, func(r totalRow) liability.Row {
		return liability.Row{Unit: r.Unit, From: loyalty.Book(r.From), To: loyalty.Book(r.To), Amount: r.Amount}
	}, "SELECT unit, from_book, to_book, CAST(SUM(amount) AS BIGINT) AS amount FROM liability_days WHERE shard = ? GROUP BY unit, from_book, to_book", sumShard)
}

type postedRow struct {
	Account     []byte `bun:"account"`
	RecordedAt  int64  `bun:"recorded_at"`
	ID          []byte `bun:"id"`
	Source      []byte `bun:"source"`
	Unit        string `bun:"unit"`
	Amount      int64  `bun:"amount"`
	From        int16  `bun:"from_book"`
	To          int16  `bun:"to_book"`
	Store       []byte `bun:"store"`
	EffectiveAt int64  `bun:"effective_at"`
	Kind        uint16 `bun:"kind"`
	Writer      []byte `bun:"writer"`
	Epoch       uint32 `bun:"epoch"`
	Seq         uint64 `bun:"seq"`
	HQ          bool   `bun:"hq"`
	EarnedAt    int64  `bun:"earned_at"`
	ExpiresAt   int64  `bun:"expires_at"`
	RollDays    int32  `bun:"roll_days"`
}

// moved is the posting as a row of its own.
func (r postedRow) moved() liability.Row {
	m := liability.Row{
		Recorded: ledger.DayOf(r.RecordedAt), Effective: ledger.DayOf(r.EffectiveAt), Unit: ledger.CountedUnit(r.Unit), Kind: entry.Kind(r.Kind),
		From: loyalty.Book(r.From), To: loyalty.Book(r.To), Amount: r.Amount, N: 1,
	}
	if r.EarnedAt >= 0 {
		m.Issued, m.Expires = ledger.Term(loyalty.Lot{EarnedAt: r.EarnedAt, ExpiresAt: r.ExpiresAt, RollDays: r.RollDays})
	}
	return m
}

func (r postedRow) posted() liability.Posted {
	p := liability.Posted{
		Row: r.moved(),
		ID:  toID(r.ID), Account: toID(r.Account), Store: toID(r.Store), Source: toHash(r.Source), Writer: toID(r.Writer), Epoch: r.Epoch, Seq: r.Seq,
		RecordedAt: r.RecordedAt, EffectiveAt: r.EffectiveAt,
	}
	if r.HQ {
		p.Writer = uuid.Nil
	}
	return p
}

// PostedAfter implements liability.Store.
func (db *DB) PostedAfter(ctx context.Context, by liability.By, from, before int64, after liability.Place, limit int) ([]liability.Posted, error) {
	account := idBytes(after.Account)
	if after.At < from {
		after.At, account = from, []byte{} // before every account
	}
	return page(ctx, db, postedRow.posted, postedAfter(by), after.Shard, before, after.At, account, idBytes(after.ID), limit, uint16(entry.KindHQStore))
}

// postedAfter reads a page from its index before anything is joined to it. The place is the
// only lower bound: SQLite would begin each page at another one.
func postedAfter(by liability.By) string {
	column := "recorded_at"
	if by == liability.Effective {
		column = "effective_at"
	}
	order := column + ", account, id"
	return "SELECT p.account, p.recorded_at, p.id, p.source, p.unit, p.amount, p.from_book, p.to_book, p.store, p.effective_at, " +
		"COALESCE(o.writer, SUBSTR(p.id, 1, 0)) AS writer, COALESCE(o.epoch, 0) AS epoch, COALESCE(o.seq, 0) AS seq, " +
		"CASE WHEN o.kind >= ?6 THEN 1 ELSE 0 END = 1 AS hq, " + postedTerms + "FROM (SELECT * FROM postings WHERE shard = ?0 AND " +
		column + " < ?1 AND (" + order + ") > (?2, ?3, ?4) ORDER BY " + order + " LIMIT ?5) AS p " +
		"LEFT JOIN sources AS o ON o.shard = p.shard AND o.account = p.account AND o.source = p.source " + postedJoins +
		"ORDER BY p." + column + ", p.account, p.id"
}

// postedJoins bring the lot of a posting, and the fact whose effect it is.
const postedJoins = "LEFT JOIN lots AS l ON l.shard = p.shard AND l.account = p.account AND l.unit = p.unit AND l.lot = p.lot " +
	"LEFT JOIN gone_lots AS g ON g.shard = p.shard AND g.account = p.account AND g.unit = p.unit AND g.lot = p.lot " +
	"LEFT JOIN sources AS s ON s.shard = p.shard AND s.account = p.account AND s.source = CASE WHEN LENGTH(p.corrects) = 0 THEN p.source ELSE p.corrects END "

// postedTerms are the kind of that fact and the terms of that lot.
const postedTerms = "COALESCE(s.kind, 0) AS kind, COALESCE(l.earned_at, g.earned_at, -1) AS earned_at, " +
	"COALESCE(l.expires_at, g.expires_at, 0) AS expires_at, COALESCE(l.roll_days, g.roll_days, 0) AS roll_days "

type valueRow struct {
	Unit     string `bun:"unit"`
	Currency string `bun:"currency"`
	From     uint32 `bun:"from_day"`
	Value    int64  `bun:"value"`
	SetAt    int64  `bun:"set_at"`
	SetBy    []byte `bun:"set_by"`
}

// Values implements liability.Store.
func (db *DB) Values(ctx context.Context, unit string) ([]liability.Value, error) {
	return page(ctx, db, func(r valueRow) liability.Value {
		return liability.Value{
			Unit: r.Unit, Currency: r.Currency, From: entry.Date(r.From), PerThousand: r.Value, SetAt: fromMillis(r.SetAt), SetBy: toID(r.SetBy),
		}
	}, "SELECT unit, currency, from_day, value, set_at, set_by FROM liability_values WHERE shard = ? AND (unit = ? OR ? = '') ORDER BY unit, currency, from_day",
		sumShard, unit, unit)
}

// PutValue implements liability.Store.
func (db *DB) PutValue(ctx context.Context, v liability.Value) error {
	return db.insert(ctx, "INSERT INTO liability_values (shard, unit, currency, from_day, value, set_at, set_by)",
		[]row{{sumShard, v.Unit, v.Currency, int64(v.From), v.PerThousand, toMillis(v.SetAt), idBytes(v.SetBy)}},
		"ON CONFLICT (shard, unit, currency, from_day) DO UPDATE SET value = EXCLUDED.value, set_at = EXCLUDED.set_at, set_by = EXCLUDED.set_by")
}
