package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

const resultColumns = "id, day, outcome, total, matched_by, differs, amount, discount, apart, their_receipt, their_lane, their_at, their_kind, their_currency, their_amount, " +
	"their_discount, their_count, our_receipt, our_lane, our_at, our_kind, our_currency, our_amount, our_discount, our_count, import, line, terminal, epoch, seq, source"

// sameResult says that a result is the one about which people decided.
const sameResult = "pos_results.outcome = EXCLUDED.outcome AND pos_results.differs = EXCLUDED.differs AND pos_results.amount = EXCLUDED.amount AND pos_results.discount = EXCLUDED.discount"

// PutPosResults implements posbooks.Store.
func (db *DB) PutPosResults(ctx context.Context, d posbooks.Day, results []posbooks.Found) error {
	in, store, run := shard.Of(d.Store), idBytes(d.Store), toMillis(d.MatchedAt)
	var last []struct {
		Run int64 `bun:"run"`
	}
	if err := db.read(ctx).NewRaw("SELECT matched_at AS run FROM pos_days WHERE shard = ? AND store = ? AND day = ?", in, store, uint32(d.Date)).Scan(ctx, &last); err != nil {
		return err
	}
	if len(last) > 0 {
		run = max(run, last[0].Run+1) // the clock may stand still
	}
	set := []string{"run = EXCLUDED.run"}
	for _, c := range strings.Split(resultColumns, ", ")[1:] {
		set = append(set, c+" = EXCLUDED."+c)
	}
	for c, fresh := range map[string]string{"state": "EXCLUDED.state", "reason": "''", "decided_by": "''", "decided_at": "0"} {
		set = append(set, c+" = CASE WHEN "+sameResult+" THEN pos_results."+c+" ELSE "+fresh+" END")
	}
	head, tail := "INSERT INTO pos_results (shard, store, run, state, reason, decided_by, decided_at, "+resultColumns+")", "ON CONFLICT (shard, store, id) DO UPDATE SET "+strings.Join(set, ", ")
	for some := range slices.Chunk(results, arrayRows) { // a day may have very many
		rows := convert(some, func(f posbooks.Found) row { return resultRow(in, store, run, f) })
		if err := db.insert(ctx, head, rows, tail); err != nil {
			return err
		}
	}
	if _, err := db.exec(ctx, "DELETE FROM pos_results WHERE shard = ? AND store = ? AND day = ? AND run <> ?", in, store, uint32(d.Date), run); err != nil {
		return err
	}
	_, err := db.exec(ctx, "INSERT INTO pos_days (shard, store, day, matched, missing_here, missing_there, different, outside, undone, open_results, dirty, matched_at) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?) ON CONFLICT (shard, store, day) DO UPDATE SET matched = EXCLUDED.matched, missing_here = EXCLUDED.missing_here, "+
		"missing_there = EXCLUDED.missing_there, different = EXCLUDED.different, outside = EXCLUDED.outside, undone = EXCLUDED.undone, "+
		"dirty = CASE WHEN pos_days.matched_at = ? THEN 0 ELSE pos_days.dirty END, matched_at = EXCLUDED.matched_at",
		in, store, uint32(d.Date), d.Matched, d.MissingHere, d.MissingThere, d.Different, d.Outside, d.Undone, run, d.Mark)
	if err != nil {
		return err
	}
	return db.countOpenResults(ctx, d.Store, d.Date, d.Date)
}

// countOpenResults has days of a span say how many of their results are open. It is a
// statement of its own because Citus inserts nothing that it has to look up.
func (db *DB) countOpenResults(ctx context.Context, store uuid.UUID, from, to entry.Date) error {
	_, err := db.exec(ctx, "UPDATE pos_days SET open_results = (SELECT COUNT(*) FROM pos_results AS r WHERE r.shard = pos_days.shard AND r.store = pos_days.store AND r.day = pos_days.day "+
		"AND r.state = 'open') WHERE shard = ? AND store = ? AND day >= ? AND day <= ?", shard.Of(store), idBytes(store), uint32(from), uint32(to))
	return err
}

func resultRow(in int, store []byte, run int64, f posbooks.Found) row {
	state := "open"
	if f.Outcome == posbooks.Matched {
		state = ""
	}
	a, b := f.Theirs, f.Ours
	return row{
		in, store, run, state, "", "", int64(0),
		idBytes(f.ID), uint32(f.Day), string(f.Outcome), bit(f.Total), string(f.By), f.Differs.String(), f.Amount, f.Discount, f.Apart,
		a.Receipt, a.Lane, a.At, a.Kind.String(), a.Currency, a.Amount, a.Discount, a.Count, b.Receipt, b.Lane, b.At, b.Kind.String(), b.Currency, b.Amount, b.Discount, b.Count,
		idBytes(f.Import), f.Line, idBytes(f.Writer.ID), f.Writer.Epoch, int64(f.Seq), hashBytes(f.Source),
	}
}

// posDayMark is what a day's mark becomes when it is marked: it is when the day was matched,
// by a millisecond later, or one below nothing for each mark before the first time.
const posDayMark = "CASE WHEN pos_days.matched_at > 0 THEN pos_days.matched_at + 1 ELSE pos_days.matched_at - 1 END"

type posDayRow struct {
	Day          uint32 `bun:"day"`
	Matched      int64  `bun:"matched"`
	MissingHere  int64  `bun:"missing_here"`
	MissingThere int64  `bun:"missing_there"`
	Different    int64  `bun:"different"`
	Outside      int64  `bun:"outside"`
	Undone       int64  `bun:"undone"`
	Open         int64  `bun:"open_results"`
	Dirty        int    `bun:"dirty"`
	MatchedAt    int64  `bun:"matched_at"`
}

// PosDays implements posbooks.Store.
func (db *DB) PosDays(ctx context.Context, store uuid.UUID, from, to entry.Date) ([]posbooks.Day, error) {
	return page(ctx, db, func(r posDayRow) posbooks.Day {
		return posbooks.Day{
			Store: store, Date: entry.Date(r.Day), Matched: r.Matched, MissingHere: r.MissingHere, MissingThere: r.MissingThere, Different: r.Different,
			Outside: r.Outside, Undone: r.Undone, Open: r.Open, Dirty: r.Dirty != 0, MatchedAt: fromMillis(max(r.MatchedAt, 0)), Mark: r.MatchedAt,
		}
	}, "SELECT day, matched, missing_here, missing_there, different, outside, undone, open_results, dirty, matched_at FROM pos_days "+
		"WHERE shard = ? AND store = ? AND day >= ? AND day <= ? ORDER BY day", shard.Of(store), idBytes(store), uint32(from), uint32(to))
}

// decidable narrows a query of pos_results to those that a decision changes.
func decidable[Q interface {
	Where(query string, args ...any) Q
}](q Q, f posbooks.Filter, settle bool) Q {
	from := "settled"
	if settle {
		from = "open"
	}
	q = q.Where("shard = ? AND store = ? AND state = ?", shard.Of(f.Store), idBytes(f.Store), from).Where("day >= ? AND day <= ?", uint32(f.From), uint32(f.To))
	if len(f.IDs) > 0 {
		q = q.Where("id IN (?)", bun.List(convert(f.IDs, func(id uuid.UUID) []byte { return idBytes(id) })))
	}
	if f.Outcome != "" {
		q = q.Where("outcome = ?", string(f.Outcome))
	}
	if f.Lane != "" {
		q = q.Where("their_lane = ? OR our_lane = ?", f.Lane, f.Lane)
	}
	if f.MostAmount >= 0 {
		q = q.Where("amount >= ? AND amount <= ?", -f.MostAmount, f.MostAmount)
	}
	return q
}

// CountPosResults implements posbooks.Store.
func (db *DB) CountPosResults(ctx context.Context, f posbooks.Filter, settle bool) (int64, error) {
	var n int64
	err := decidable(db.read(ctx).NewSelect().TableExpr("pos_results").ColumnExpr("COUNT(*)"), f, settle).Scan(ctx, &n)
	return n, err
}

// DecidePosResults implements posbooks.Store.
func (db *DB) DecidePosResults(ctx context.Context, d posbooks.Decision) (int64, error) {
	in, store, f := shard.Of(d.Store), idBytes(d.Store), d.Filter
	to := "open"
	if d.Settled {
		to = "settled"
	}
	q := decidable(db.write(ctx).NewUpdate().TableExpr("pos_results").Set("state = ?", to).Set("reason = ?", d.Reason).Set("decided_by = ?", d.By.Name).Set("decided_at = ?", toMillis(d.At)), f, d.Settled)
	done, err := q.Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return 0, err
	}
	filter, err := json.Marshal(f)
	if err != nil {
		return 0, err
	}
	_, err = db.exec(ctx, "INSERT INTO pos_decisions (shard, store, id, at, person, name, settled, reason, filter, results) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		in, store, idBytes(d.ID), toMillis(d.At), idBytes(d.By.ID), d.By.Name, bit(d.Settled), d.Reason, string(filter), n)
	if err != nil {
		return 0, err
	}
	return n, db.countOpenResults(ctx, d.Store, f.From, f.To)
}
