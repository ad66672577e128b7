package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ settlement.Store = (*DB)(nil)

// SettlementBehind implements settlement.Store.
func (db *DB) SettlementBehind(ctx context.Context) ([]int, error) {
	return page(ctx, db, func(r struct {
		Shard int `bun:"shard"`
	},
	) int {
		return r.Shard
	}, "SELECT h.shard FROM applied_heads AS h LEFT JOIN settlement_cursors AS c ON c.shard = h.shard WHERE h.pos > COALESCE(c.pos, 0) ORDER BY h.shard")
}

// SettlementCursor implements settlement.Store.
func (db *DB) SettlementCursor(ctx context.Context, in int) (settlement.Cursor, error) {
	var rows []struct {
		Pos uint64 `bun:"pos"`
		Cut uint32 `bun:"cut"`
	}
	err := db.read(ctx).NewRaw("SELECT pos, cut FROM settlement_cursors WHERE shard = ?"+db.lockRows(ctx), in).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return settlement.Cursor{Shard: in}, err
	}
	return settlement.Cursor{Shard: in, Pos: rows[0].Pos, Cut: settlement.Month(rows[0].Cut)}, nil
}

// lockRows is what locks the rows of a query until the transaction in ctx ends. SQLite has
// one writer.
func (db *DB) lockRows(ctx context.Context) string {
	if db.sqlite || db.running(ctx) == nil {
		return ""
	}
	return " FOR UPDATE"
}

// MoveSettlementCursor implements settlement.Store.
func (db *DB) MoveSettlementCursor(ctx context.Context, from, to settlement.Cursor) error {
	return db.changed(ctx, "INSERT INTO settlement_cursors (shard, pos, cut) VALUES (?, ?, ?) "+
		"ON CONFLICT (shard) DO UPDATE SET pos = EXCLUDED.pos, cut = EXCLUDED.cut WHERE settlement_cursors.pos = ? AND settlement_cursors.cut = ?",
		to.Shard, int64(to.Pos), uint32(to.Cut), int64(from.Pos), uint32(from.Cut))
}

// SettlementCuts implements settlement.Store.
func (db *DB) SettlementCuts(ctx context.Context, in int) ([]settlement.Cut, error) {
	type cutRow struct {
		Month uint32 `bun:"month"`
		Pos   uint64 `bun:"pos"`
	}
	return page(ctx, db, func(r cutRow) settlement.Cut {
		return settlement.Cut{Shard: in, Month: settlement.Month(r.Month), Pos: r.Pos}
	}, "SELECT month, pos FROM settlement_cuts WHERE shard = ? ORDER BY month", in)
}

// PutSettlementCut implements settlement.Store.
func (db *DB) PutSettlementCut(ctx context.Context, c settlement.Cut) error {
	_, err := db.exec(ctx, "INSERT INTO settlement_cuts (shard, month, pos) VALUES (?, ?, ?) ON CONFLICT (shard, month) DO UPDATE SET pos = EXCLUDED.pos",
		c.Shard, uint32(c.Month), int64(c.Pos))
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "UPDATE settlement_moves SET month = ? WHERE shard = ? AND month > ? AND pos <= ? AND day <= ?",
		uint32(c.Month), c.Shard, uint32(c.Month), int64(c.Pos), uint32(c.Month.Last()))
	if err != nil {
		return err
	}
	cuts, err := db.SettlementCuts(ctx, c.Shard)
	if err != nil || cuts[0].Month < c.Month {
		return err
	}
	_, err = db.exec(ctx, "UPDATE settlement_moves SET month = ? WHERE shard = ? AND month < ? AND pos <= ?", uint32(c.Month), c.Shard, uint32(c.Month), int64(c.Pos))
	return err
}

type writtenRow struct {
	Terminal   []byte `bun:"terminal"`
	Epoch      uint32 `bun:"epoch"`
	Seq        uint64 `bun:"seq"`
	Branch     int    `bun:"branch"`
	Hash       []byte `bun:"hash"`
	RecordedAt int64  `bun:"recorded_at"`
	Kind       uint16 `bun:"kind"`
}

// FactSources implements settlement.Store.
func (db *DB) FactSources(ctx context.Context, in int, facts []settlement.AppliedFact) ([]settlement.FactSource, error) {
	type place struct {
		writer uuid.UUID
		epoch  uint32
		seq    uint64
		branch int
	}
	var tills, hq []row
	for _, f := range facts {
		if f.Writer == uuid.Nil {
			hq = append(hq, row{in, f.Epoch, int64(f.Seq)})
			continue
		}
		tills = append(tills, row{shard.Of(f.Writer), idBytes(f.Writer), f.Epoch, int64(f.Seq)})
	}
	byTills, err := selectKeys[writtenRow](ctx, db, db.read(ctx), "SELECT terminal, epoch, seq, branch, hash, recorded_at, kind FROM entries WHERE ?",
		"shard, terminal, epoch, seq", tills)
	if err != nil {
		return nil, err
	}
	byHQ, err := selectKeys[writtenRow](ctx, db, db.read(ctx), "SELECT epoch, seq, hash, recorded_at, kind FROM hq_journal WHERE ?", "shard, epoch, seq", hq)
	if err != nil {
		return nil, err
	}
	found := map[place]writtenRow{}
	for _, r := range append(byTills, byHQ...) {
		found[place{toID(r.Terminal), r.Epoch, r.Seq, r.Branch}] = r
	}
	out := make([]settlement.FactSource, len(facts))
	for i, f := range facts {
		if r, ok := found[place{f.Writer, f.Epoch, f.Seq, f.Branch}]; ok {
			out[i] = settlement.FactSource{Hash: toHash(r.Hash), RecordedAt: r.RecordedAt, Kind: entry.Kind(r.Kind)}
		}
	}
	return out, nil
}

const settlingPostings = "SELECT shard, " + postingColumns + " FROM postings WHERE ? AND (from_book IN (4, 16, 20) OR to_book IN (4, 16, 20))"

// SettlingPostings implements settlement.Store.
func (db *DB) SettlingPostings(ctx context.Context, keys []settlement.Recording) ([]ledger.Posting, error) {
	rows, err := selectKeys[postingRow](ctx, db, db.read(ctx), settlingPostings,
		"shard, account, recorded_at", convert(keys, func(k settlement.Recording) row { return row{k.Shard, idBytes(k.Account), k.RecordedAt} }))
	return convert(rows, postingRow.posting), err
}

// SettlingPostingsOf implements settlement.Store.
func (db *DB) SettlingPostingsOf(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Posting, error) {
	rows, err := selectKeys[postingRow](ctx, db, db.read(ctx), settlingPostings, "shard, account", accountKeys(keys))
	return convert(rows, postingRow.posting), err
}

// SettlementSources implements settlement.Store.
func (db *DB) SettlementSources(ctx context.Context, keys []settlement.SourceKey) ([]ledger.SourceRow, error) {
	rows, err := selectKeys[factRow](ctx, db, db.read(ctx), "SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, account, source",
		convert(keys, func(k settlement.SourceKey) row { return row{k.Shard, idBytes(k.Account), hashBytes(k.Source)} }))
	return convert(rows, factRow.source), err
}

// SourcesOfSales implements settlement.Store.
func (db *DB) SourcesOfSales(ctx context.Context, in int, sales []uuid.UUID) ([]ledger.SourceRow, error) {
	rows, err := selectKeys[factRow](ctx, db, db.read(ctx), "SELECT "+sourceColumns+" FROM sources WHERE ?", "shard, subject",
		convert(sales, func(id uuid.UUID) row { return row{in, idBytes(id)} }))
	return convert(rows, factRow.source), err
}

// SourceAt implements settlement.Store.
func (db *DB) SourceAt(ctx context.Context, key ledger.AccountKey, writer uuid.UUID, epoch uint32, seq uint64) (ledger.SourceRow, error) {
	return one(ctx, db, factRow.source, "fact", "SELECT "+sourceColumns+" FROM sources WHERE shard = ? AND account = ? AND writer = ? AND epoch = ? AND seq = ? LIMIT 1",
		key.Shard, idBytes(key.Account), idBytes(writer), epoch, int64(seq))
}

// LotFacts implements settlement.Store.
func (db *DB) LotFacts(ctx context.Context, keys []ledger.LotKey) (map[ledger.LotKey]ledger.SourceRow, error) {
	type lotFactRow struct {
		factRow
		Unit string `bun:"unit"`
		Lot  []byte `bun:"lot"`
	}
	rows, err := selectKeys[lotFactRow](ctx, db, db.read(ctx), "SELECT s.shard, s.account, s.source, s.writer, s.epoch, s.seq, s.kind, s.subject, s.effective_at, s.recorded_at, l.unit, l.lot "+
		"FROM lots AS l JOIN sources AS s ON s.shard = l.shard AND s.account = l.account AND s.source = l.source WHERE ?",
		"l.shard, l.account, l.unit, l.lot", convert(keys, func(k ledger.LotKey) row { return row{k.Shard, idBytes(k.Account), k.Unit, idBytes(k.Lot)} }))
	out := make(map[ledger.LotKey]ledger.SourceRow, len(rows))
	for _, r := range rows {
		f := r.source()
		out[ledger.LotKey{UnitKey: ledger.UnitKey{AccountKey: f.AccountKey, Unit: r.Unit}, Lot: toID(r.Lot)}] = f
	}
	return out, err
}

// IssuedLots implements settlement.Store.
func (db *DB) IssuedLots(ctx context.Context, keys []ledger.AccountKey) ([]ledger.Posting, error) {
	rows, err := selectKeys[postingRow](ctx, db, db.read(ctx), "SELECT shard, "+postingColumns+" FROM postings WHERE ? AND from_book IN (17, 20) AND to_book < 16",
		"shard, account", accountKeys(keys))
	return convert(rows, postingRow.posting), err
}

// EntryStores implements settlement.Store.
func (db *DB) EntryStores(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash]uuid.UUID, error) {
	type storeRow struct {
		Hash  []byte `bun:"hash"`
		Store []byte `bun:"store"`
	}
	found, err := selectKeys[storeRow](ctx, db, db.read(ctx), "SELECT hash, store FROM entries WHERE ?", "shard, terminal, epoch, seq, hash",
		convert(rows, func(r ledger.SourceRow) row {
			return row{shard.Of(r.Writer), idBytes(r.Writer), r.Epoch, int64(r.Seq), hashBytes(r.Source)}
		}))
	out := make(map[journal.Hash]uuid.UUID, len(found))
	for _, r := range found {
		out[toHash(r.Hash)] = toID(r.Store)
	}
	return out, err
}

const settlementMoveColumns = "shard, id, pos, account, recorded_at, month, kind, unit, from_store, from_day, to_store, to_day, day, points"

// moveKinds are the kinds of moves by their numbers.
var moveKinds = []clearing.Kind{"", clearing.KindRedeemed, clearing.KindRepaid}

func moveKind(k clearing.Kind) int64 {
	if k == clearing.KindRedeemed {
		return 1
	}
	return 2
}

// AddSettlementMoves implements settlement.Store.
func (db *DB) AddSettlementMoves(ctx context.Context, moves []clearing.Move) error {
	return db.insert(ctx, "INSERT INTO settlement_moves ("+settlementMoveColumns+")", convert(moves, func(m clearing.Move) row {
		return row{
			m.Shard, idBytes(m.ID), int64(m.Pos), idBytes(m.Account), m.RecordedAt, uint32(m.Month), moveKind(m.Kind), m.Unit,
			idBytes(m.FromStore), uint32(m.FromDay), idBytes(m.ToStore), uint32(m.ToDay), uint32(m.Day), m.Points,
		}
	}), "ON CONFLICT DO NOTHING")
}

type settlementMoveRow struct {
	Shard      int    `bun:"shard"`
	ID         []byte `bun:"id"`
	Pos        uint64 `bun:"pos"`
	Account    []byte `bun:"account"`
	RecordedAt int64  `bun:"recorded_at"`
	Month      uint32 `bun:"month"`
	Kind       int    `bun:"kind"`
	Unit       string `bun:"unit"`
	FromStore  []byte `bun:"from_store"`
	FromDay    uint32 `bun:"from_day"`
	ToStore    []byte `bun:"to_store"`
	ToDay      uint32 `bun:"to_day"`
	Day        uint32 `bun:"day"`
	Points     int64  `bun:"points"`
}

func (r settlementMoveRow) move() clearing.Move {
	return clearing.Move{
		Shard: r.Shard, ID: toID(r.ID), Pos: r.Pos, Account: toID(r.Account), RecordedAt: r.RecordedAt, Month: clearing.Month(r.Month),
		Sum: clearing.Sum{
			Kind: moveKinds[r.Kind], Unit: r.Unit, FromStore: toID(r.FromStore), FromDay: entry.Date(r.FromDay), ToStore: toID(r.ToStore),
			ToDay: entry.Date(r.ToDay), Day: entry.Date(r.Day), Points: r.Points,
		},
	}
}

// FirstSettlementMonth implements settlement.Store.
func (db *DB) FirstSettlementMonth(ctx context.Context) (settlement.Month, error) {
	m, err := one(ctx, db, func(r settlementMoveRow) settlement.Month { return settlement.Month(r.Month) }, "move", "SELECT month FROM settlement_moves ORDER BY month LIMIT 1")
	if problem.CodeOf(err) == problem.NotFound {
		return 0, nil
	}
	return m, err
}

// FirstTouched implements settlement.Store. It reads all moves, when terms were changed for
// days that are gone.
func (db *DB) FirstTouched(ctx context.Context, m settlement.Month, since entry.Date) (entry.Date, error) {
	return one(ctx, db, func(r settlementMoveRow) entry.Date { return entry.Date(r.Day) }, "move",
		"SELECT COALESCE(MIN(day), 0) AS day FROM settlement_moves WHERE month < ? AND day < ? AND (to_day >= ? OR from_day >= ?)",
		uint32(m), uint32(since), uint32(since), uint32(since))
}

// SettlementLineMoves implements settlement.Store.
func (db *DB) SettlementLineMoves(ctx context.Context, m settlement.Month, l settlement.Line, after settlement.MovePlace, limit int) ([]clearing.Move, error) {
	months := "month = ?"
	if l.Of != 0 {
		months = "month <= ?" // what was stated before and what came since
	}
	return page(ctx, db, settlementMoveRow.move, "SELECT "+settlementMoveColumns+" FROM settlement_moves WHERE "+months+" AND to_store = ? AND from_store = ? AND day = ? AND unit = ? "+
		"AND (shard > ? OR (shard = ? AND id > ?)) ORDER BY shard, id LIMIT ?",
		uint32(m), idBytes(l.ToStore), idBytes(l.FromStore), uint32(l.Day), l.Unit, after.Shard, after.Shard, idBytes(after.ID), limit)
}

// SettlementUnfinished implements settlement.Store.
func (db *DB) SettlementUnfinished(ctx context.Context, m settlement.Month) ([]settlement.Remark, error) {
	type remarkRow struct {
		Code string `bun:"code"`
		N    int64  `bun:"n"`
	}
	var out []settlement.Remark
	for _, q := range []struct {
		what, text string
		args       []any
	}{
		{"open_exceptions", "SELECT COALESCE(s.code, '') AS code, COUNT(*) AS n FROM exceptions AS x LEFT JOIN stores AS s ON s.id = x.store " +
			"WHERE x.state IN ('open', 'awaiting') GROUP BY COALESCE(s.code, '') ORDER BY 1", nil},
		{"uncertified_days", "SELECT COALESCE(s.code, '') AS code, COUNT(*) AS n FROM (SELECT to_store AS store, day FROM settlement_moves WHERE month = ? AND day >= ? " +
			"EXCEPT SELECT store, business_date FROM store_days WHERE business_date >= ?) AS d JOIN stores AS s ON s.id = d.store " +
			"GROUP BY COALESCE(s.code, '') ORDER BY 1", []any{uint32(m), uint32(m.First()), uint32(m.First())}},
		{"waiting_entries", "SELECT COALESCE(s.code, '') AS code, CAST(SUM(b.head_seq - b.applied_seq) AS BIGINT) AS n FROM branches AS b LEFT JOIN stores AS s ON s.id = b.store " +
			"WHERE b.applied_seq < b.head_seq GROUP BY COALESCE(s.code, '') ORDER BY 1", nil},
	} {
		rows, err := page(ctx, db, func(r remarkRow) settlement.Remark {
			return settlement.Remark{What: q.what, Store: r.Code, Count: r.N}
		}, q.text, q.args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// CompareSettlement holds the moves of a rebuilt HQ that has followed all of its ledger
// against those of this one, as far as this one has followed its own. It returns how many
// are the same.
func (db *DB) CompareSettlement(ctx context.Context, rebuilt *DB, tell func(Difference) error) (int64, error) {
	var same int64
	for in := range shard.Count {
		at, err := db.SettlementCursor(ctx, in)
		if err != nil {
			return same, err
		}
		query := fmt.Sprintf("SELECT %s FROM settlement_moves WHERE shard = ? AND pos <= %d", settlementMoveColumns, at.Pos)
		n, err := db.compareShard(ctx, rebuilt, "settlement_moves", query, in, tell)
		if err != nil {
			return same, fmt.Errorf("compare settlement of shard %d: %w", in, err)
		}
		same += n
	}
	return same, nil
}
