package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/posbooks/match"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const posRowColumns = "import, n, day, line, receipt, lane, at, kind, currency, amount, paid, discount, has_discount, expected, total, count, has_count"

type posRow struct {
	Import      []byte `bun:"import"`
	N           int64  `bun:"n"`
	Day         uint32 `bun:"day"`
	Line        int64  `bun:"line"`
	Receipt     string `bun:"receipt"`
	Lane        string `bun:"lane"`
	At          int64  `bun:"at"`
	Kind        uint8  `bun:"kind"`
	Currency    string `bun:"currency"`
	Amount      int64  `bun:"amount"`
	Paid        int    `bun:"paid"`
	Discount    int64  `bun:"discount"`
	HasDiscount int    `bun:"has_discount"`
	Expected    int    `bun:"expected"`
	Total       int    `bun:"total"`
	Count       int64  `bun:"count"`
	HasCount    int    `bun:"has_count"`
}

func (r posRow) kept() posbooks.Kept {
	return posbooks.Kept{
		Import: toID(r.Import), N: r.N,
		Row: posbooks.Row{
			Day: entry.Date(r.Day), Line: r.Line, Receipt: r.Receipt, Lane: r.Lane, At: r.At, Kind: match.Kind(r.Kind), Currency: r.Currency, Amount: r.Amount, Paid: r.Paid != 0,
			Discount: r.Discount, HasDiscount: r.HasDiscount != 0, Expected: r.Expected != 0, Total: r.Total != 0, Count: r.Count, HasCount: r.HasCount != 0,
		},
	}
}

// AddPosRows implements posbooks.Store.
func (db *DB) AddPosRows(ctx context.Context, store uuid.UUID, kept []posbooks.Kept) error {
	in, id := shard.Of(store), idBytes(store)
	return db.insert(ctx, "INSERT INTO pos_rows (shard, store, live, number, "+posRowColumns+")", convert(kept, func(k posbooks.Kept) row {
		return row{
			in, id, 0, match.Number(k.Receipt), idBytes(k.Import), k.N, uint32(k.Day), k.Line, k.Receipt, k.Lane, k.At, uint8(k.Kind), k.Currency, k.Amount, bit(k.Paid),
			k.Discount, bit(k.HasDiscount), bit(k.Expected), bit(k.Total), k.Count, bit(k.HasCount),
		}
	}), "")
}

// AddPosBad implements posbooks.Store.
func (db *DB) AddPosBad(ctx context.Context, store, id uuid.UUID, first int64, bad []posbooks.Bad) error {
	rows := make([]row, len(bad))
	for i, b := range bad {
		rows[i] = row{shard.Of(store), idBytes(store), idBytes(id), first + int64(i) + 1, b.Line, b.Reason, b.Text}
	}
	return db.insert(ctx, "INSERT INTO pos_bad_rows (shard, store, import, n, line, reason, text)", rows, "")
}

// DropPosRows implements posbooks.Store.
func (db *DB) DropPosRows(ctx context.Context, store, id uuid.UUID) error {
	for _, statement := range []string{
		"DELETE FROM pos_rows WHERE shard = ? AND store = ? AND import = ? AND live = 0", "DELETE FROM pos_bad_rows WHERE shard = ? AND store = ? AND import = ?",
	} {
		if _, err := db.exec(ctx, statement, shard.Of(store), idBytes(store), idBytes(id)); err != nil {
			return err
		}
	}
	return nil
}

type posDateRow struct {
	Day uint32 `bun:"day"`
}

func (r posDateRow) date() entry.Date { return entry.Date(r.Day) }

// PosRowDays implements posbooks.Store.
func (db *DB) PosRowDays(ctx context.Context, store, id uuid.UUID) ([]entry.Date, error) {
	return page(ctx, db, posDateRow.date, "SELECT DISTINCT day FROM pos_rows WHERE shard = ? AND store = ? AND import = ? AND live = 0 ORDER BY day",
		shard.Of(store), idBytes(store), idBytes(id))
}

// takenOver says which rows that count a file takes the place of on a day.
const takenOver = "shard = ? AND store = ? AND day = ? AND live = 1 AND import <> ? AND (lane, number, total) IN (" +
	"SELECT n.lane, n.number, n.total FROM pos_rows AS n WHERE n.shard = ? AND n.store = ? AND n.day = ? AND n.live = 0 AND n.import = ?)"

// FullPosDay implements posbooks.Store. Rows of the same file, read by other rules, go.
func (db *DB) FullPosDay(ctx context.Context, i posbooks.Import, most int) (entry.Date, int64, error) {
	const stays = " AND import NOT IN (SELECT i.id FROM pos_imports AS i WHERE i.shard = ? AND i.store = ? AND i.bytes_digest = ? AND i.bytes_digest <> '' AND i.id <> ?)"
	in, owner, imported := shard.Of(i.Store), idBytes(i.Store), idBytes(i.ID)
	gone := []any{in, owner, i.Bytes, imported}
	type dayRow struct {
		Day  uint32 `bun:"day"`
		Rows int64  `bun:"n"`
	}
	full, err := page(ctx, db, func(r dayRow) dayRow { return r }, "SELECT day, COUNT(*) AS n FROM pos_rows WHERE shard = ? AND store = ? AND (live = 1 OR import = ?) AND day IN ("+
		"SELECT DISTINCT n.day FROM pos_rows AS n WHERE n.shard = ? AND n.store = ? AND n.import = ? AND n.live = 0)"+stays+" GROUP BY day HAVING COUNT(*) > ? ORDER BY day",
		append(append([]any{in, owner, imported, in, owner, imported}, gone...), most)...)
	if err != nil {
		return 0, 0, err
	}
	for _, d := range full {
		replaced, err := one(ctx, db, func(r dayRow) int64 { return r.Rows }, "count", "SELECT COUNT(*) AS n FROM pos_rows WHERE "+takenOver+stays,
			append([]any{in, owner, d.Day, imported, in, owner, d.Day, imported}, gone...)...)
		if err != nil {
			return 0, 0, err
		}
		if d.Rows-replaced > int64(most) {
			return entry.Date(d.Day), d.Rows - replaced, nil
		}
	}
	return 0, 0, nil
}

// sameBytes says which rows that count are of the same file, read by other rules.
const sameBytes = "shard = ? AND store = ? AND live = 1 AND import IN (SELECT i.id FROM pos_imports AS i WHERE i.shard = ? AND i.store = ? AND i.bytes_digest = ? AND i.id <> ?)"

// DropSamePosRows implements posbooks.Store.
func (db *DB) DropSamePosRows(ctx context.Context, i posbooks.Import) ([]entry.Date, int64, error) {
	if i.Bytes == "" {
		return nil, 0, nil
	}
	in, owner := shard.Of(i.Store), idBytes(i.Store)
	args := []any{in, owner, in, owner, i.Bytes, idBytes(i.ID)}
	days, err := page(ctx, db, posDateRow.date, "SELECT DISTINCT day FROM pos_rows WHERE "+sameBytes+" ORDER BY day", args...)
	if err != nil || len(days) == 0 {
		return nil, 0, err
	}
	n, err := db.exec(ctx, "DELETE FROM pos_rows WHERE "+sameBytes, args...)
	return days, n, err
}

// TakePosRows implements posbooks.Store.
func (db *DB) TakePosRows(ctx context.Context, store, id uuid.UUID, day entry.Date) (int64, error) {
	in, owner := shard.Of(store), idBytes(store)
	replaced, err := db.exec(ctx, "DELETE FROM pos_rows WHERE "+takenOver, in, owner, uint32(day), idBytes(id), in, owner, uint32(day), idBytes(id))
	if err != nil {
		return 0, err
	}
	_, err = db.exec(ctx, "UPDATE pos_rows SET live = 1 WHERE shard = ? AND store = ? AND day = ? AND live = 0 AND import = ?", in, owner, uint32(day), idBytes(id))
	return replaced, err
}

// PosRows implements posbooks.Store.
func (db *DB) PosRows(ctx context.Context, store uuid.UUID, day entry.Date, limit int) ([]posbooks.Kept, error) {
	return page(ctx, db, posRow.kept, "SELECT "+posRowColumns+" FROM pos_rows WHERE shard = ? AND store = ? AND day = ? AND live = 1 ORDER BY import, n LIMIT ?",
		shard.Of(store), idBytes(store), uint32(day), limit)
}

// MarkPosDays implements posbooks.Store.
func (db *DB) MarkPosDays(ctx context.Context, store uuid.UUID, days []entry.Date, known bool) error {
	if len(days) == 0 {
		return nil
	}
	in, owner := shard.Of(store), idBytes(store)
	if known {
		_, err := db.exec(ctx, "UPDATE pos_days SET dirty = 1, matched_at = "+posDayMark+" WHERE shard = ? AND store = ? AND day IN (?)", in, owner,
			bun.List(convert(days, func(d entry.Date) int64 { return int64(d) })))
		return err
	}
	return db.insert(ctx, "INSERT INTO pos_days (shard, store, day, matched, missing_here, missing_there, different, outside, undone, open_results, dirty, matched_at)",
		convert(days, func(d entry.Date) row { return row{in, owner, uint32(d), 0, 0, 0, 0, 0, 0, 0, 1, int64(0)} }), "ON CONFLICT (shard, store, day) DO UPDATE SET dirty = 1, matched_at = "+posDayMark)
}

// DirtyPosDays implements posbooks.Store.
func (db *DB) DirtyPosDays(ctx context.Context, of posbooks.Which, limit int) (uuid.UUID, []posbooks.Day, error) {
	var first []struct {
		Shard int    `bun:"shard"`
		Store []byte `bun:"store"`
	}
	which, args := narrowedStores(of)
	if err := db.read(ctx).NewRaw("SELECT shard, store FROM pos_days WHERE dirty = 1"+which+" ORDER BY shard, store LIMIT 1", args...).Scan(ctx, &first); err != nil || len(first) == 0 {
		return uuid.Nil, nil, err
	}
	store := toID(first[0].Store)
	days, err := page(ctx, db, func(r posDayRow) posbooks.Day {
		return posbooks.Day{Store: store, Date: entry.Date(r.Day), Dirty: true, Mark: r.MatchedAt}
	}, "SELECT day, matched_at FROM pos_days WHERE shard = ? AND store = ? AND dirty = 1 ORDER BY day LIMIT ?", first[0].Shard, first[0].Store, limit)
	return store, days, err
}

type posStoreRow struct {
	Store []byte `bun:"store"`
}

func (r posStoreRow) id() uuid.UUID { return toID(r.Store) }

// DifferingStores implements posbooks.Store.
func (db *DB) DifferingStores(ctx context.Context, from, to entry.Date) ([]uuid.UUID, error) {
	return page(ctx, db, posStoreRow.id, "SELECT store FROM pos_days WHERE open_results > 0 AND day >= ? AND day <= ? GROUP BY shard, store ORDER BY shard, store", uint32(from), uint32(to))
}

// PosStores implements posbooks.Store.
func (db *DB) PosStores(ctx context.Context) ([]uuid.UUID, error) {
	return page(ctx, db, posStoreRow.id, "SELECT store FROM pos_days GROUP BY shard, store ORDER BY shard, store")
}

type journalHeadRow struct {
	Terminal []byte `bun:"terminal"`
	Epoch    uint32 `bun:"epoch"`
	Seq      uint64 `bun:"seq"`
}

func headsOf(rows []journalHeadRow) map[journal.Writer]uint64 {
	out := make(map[journal.Writer]uint64, len(rows))
	for _, r := range rows {
		out[journal.Writer{ID: toID(r.Terminal), Epoch: r.Epoch}] = r.Seq
	}
	return out
}

// PosSeen implements posbooks.Store.
func (db *DB) PosSeen(ctx context.Context, store uuid.UUID) (map[journal.Writer]uint64, error) {
	var rows []journalHeadRow
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, seq FROM pos_seen WHERE shard = ? AND store = ?", shard.Of(store), idBytes(store)).Scan(ctx, &rows)
	return headsOf(rows), err
}

// SetPosSeen implements posbooks.Store.
func (db *DB) SetPosSeen(ctx context.Context, store uuid.UUID, to map[journal.Writer]uint64) error {
	rows := make([]row, 0, len(to))
	for w, seq := range to {
		rows = append(rows, row{shard.Of(store), idBytes(store), idBytes(w.ID), w.Epoch, int64(seq)})
	}
	return db.insert(ctx, "INSERT INTO pos_seen (shard, store, terminal, epoch, seq)", rows, "ON CONFLICT (shard, store, terminal, epoch) DO UPDATE SET seq = EXCLUDED.seq")
}

// JournalHeads implements posbooks.Store.
func (db *DB) JournalHeads(ctx context.Context, terminals []uuid.UUID) (map[journal.Writer]uint64, error) {
	rows, err := selectKeys[journalHeadRow](ctx, db, db.read(ctx), "SELECT b.terminal, b.epoch, b.head_seq AS seq FROM branches AS b WHERE b.branch = 0 AND ?", "b.shard, b.terminal",
		convert(terminals, func(id uuid.UUID) row { return row{shard.Of(id), idBytes(id)} }))
	return headsOf(rows), err
}
