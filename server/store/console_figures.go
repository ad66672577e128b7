package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

var (
	_ console.Counting = (*DB)(nil)
	_ console.Figures  = (*DB)(nil)
	_ console.Pulses   = (*DB)(nil)
)

type uncountedRow struct {
	Shard    int    `bun:"shard"`
	Terminal []byte `bun:"terminal"`
	Epoch    uint32 `bun:"epoch"`
	Branch   int    `bun:"branch"`
	Store    []byte `bun:"store"`
	Seq      uint64 `bun:"seq"`
}

// Uncounted implements console.Counting.
func (db *DB) Uncounted(ctx context.Context, limit int) ([]console.Journal, error) {
	return page(ctx, db, func(r uncountedRow) console.Journal {
		return console.Journal{Shard: r.Shard, Terminal: toID(r.Terminal), Epoch: r.Epoch, Branch: r.Branch, Store: toID(r.Store), Seq: r.Seq}
	}, "SELECT b.shard, b.terminal, b.epoch, b.branch, b.store, COALESCE(c.seq, b.from_seq) AS seq FROM branches AS b "+
		"LEFT JOIN counted_journals AS c ON c.shard = b.shard AND c.terminal = b.terminal AND c.epoch = b.epoch AND c.branch = b.branch "+
		"WHERE b.head_seq > COALESCE(c.seq, b.from_seq) LIMIT ?", limit)
}

// EntriesAfter implements console.Counting. All entries of a run stand in the database
// once its head does, so the last number read is how far it looked.
func (db *DB) EntriesAfter(ctx context.Context, j console.Journal, limit int) ([][]byte, uint64, error) {
	var rows []struct {
		Seq  uint64 `bun:"seq"`
		Kind uint16 `bun:"kind"`
		Raw  []byte `bun:"raw"`
	}
	err := db.read(ctx).NewRaw("SELECT seq, kind, CASE WHEN kind IN (?) THEN raw ELSE SUBSTR(raw, 1, 0) END AS raw FROM entries "+
		"WHERE shard = ? AND terminal = ? AND epoch = ? AND branch = ? AND seq > ? ORDER BY seq LIMIT ?",
		bun.List([]uint16{uint16(entry.KindSale), uint16(entry.KindVoid), uint16(entry.KindReturn)}),
		j.Shard, idBytes(j.Terminal), j.Epoch, j.Branch, j.Seq, limit).Scan(ctx, &rows)
	through := j.Seq
	var raw [][]byte
	for _, r := range rows {
		through = r.Seq
		if len(r.Raw) > 0 {
			raw = append(raw, r.Raw)
		}
	}
	return raw, through, err
}

// AddFigures implements console.Counting.
func (db *DB) AddFigures(ctx context.Context, j console.Journal, figures []console.Figure, through uint64) error {
	err := db.changed(ctx, "INSERT INTO counted_journals (shard, terminal, epoch, branch, seq) VALUES (?, ?, ?, ?, ?) "+
		"ON CONFLICT (shard, terminal, epoch, branch) DO UPDATE SET seq = EXCLUDED.seq WHERE counted_journals.seq = ?",
		j.Shard, idBytes(j.Terminal), j.Epoch, j.Branch, int64(through), int64(j.Seq))
	if err != nil || len(figures) == 0 {
		return err
	}
	return db.insert(ctx, "INSERT INTO day_figures (shard, terminal, business_date, figure, unit, store, n, amount)",
		convert(figures, func(f console.Figure) row {
			return row{j.Shard, idBytes(j.Terminal), int64(f.Date), f.Figure, f.Unit, idBytes(j.Store), f.N, f.Amount}
		}), "ON CONFLICT (shard, terminal, business_date, figure, unit) DO UPDATE SET n = day_figures.n + EXCLUDED.n, amount = day_figures.amount + EXCLUDED.amount")
}

type shopRow struct {
	ID       []byte `bun:"id"`
	Code     string `bun:"code"`
	Name     string `bun:"name"`
	TimeZone string `bun:"time_zone"`
	Rules    []byte `bun:"rules"`
	Online   int    `bun:"online"`
}

// dayEnds is what the store's rules say of when its day ends; midnight where it has none
// that can be read.
func (r shopRow) dayEnds() time.Duration {
	rules, err := wire.Unmarshal[loyalty.TillRules](r.Rules)
	if err != nil {
		return 0
	}
	return time.Duration(rules.DayEnds) * time.Minute
}

// StoresOnline implements console.Figures.
func (db *DB) StoresOnline(ctx context.Context, onlineSince time.Time) ([]console.Shop, error) {
	return page(ctx, db, func(r shopRow) console.Shop {
		return console.Shop{ID: toID(r.ID), Code: r.Code, Name: r.Name, TimeZone: r.TimeZone, DayEnds: r.dayEnds(), Online: r.Online > 0}
	}, "SELECT s.id, s.code, s.name, s.time_zone, r.body AS rules, COALESCE(l.online, 0) AS online FROM stores AS s LEFT JOIN (SELECT t.store AS store, COUNT(*) AS online FROM "+lanes+
		" WHERE t.state = 'enrolled' AND c.at >= ? AND "+noLaneOfShop+" GROUP BY t.store) AS l ON l.store = s.id "+
		"LEFT JOIN till_rules AS r ON r.store = s.id AND r.version = (SELECT MAX(n.version) FROM till_rules AS n WHERE n.store = s.id) ORDER BY s.code", toMillis(onlineSince))
}

type figureRow struct {
	Store  []byte `bun:"store"`
	Date   uint32 `bun:"business_date"`
	Figure string `bun:"figure"`
	Unit   string `bun:"unit"`
	N      int64  `bun:"n"`
	Amount int64  `bun:"amount"`
}

func (r figureRow) figure() console.Figure {
	return console.Figure{Date: entry.Date(r.Date), Figure: r.Figure, Unit: r.Unit, N: r.N, Amount: r.Amount}
}

const figureSums = "figure, unit, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(amount) AS BIGINT) AS amount FROM day_figures WHERE "

// StoreFigures implements console.Figures.
func (db *DB) StoreFigures(ctx context.Context, dates []entry.Date) ([]console.StoreFigure, error) {
	if len(dates) == 0 {
		return nil, nil
	}
	return page(ctx, db, func(r figureRow) console.StoreFigure {
		return console.StoreFigure{Store: toID(r.Store), Figure: r.figure()}
	},
		"SELECT store, business_date, "+figureSums+"business_date IN (?) GROUP BY store, business_date, figure, unit ORDER BY store, business_date, figure, unit",
		bun.List(convert(dates, func(d entry.Date) int64 { return int64(d) })))
}

// DayFigures implements console.Figures.
func (db *DB) DayFigures(ctx context.Context, from, to entry.Date) ([]console.Figure, error) {
	return page(ctx, db, figureRow.figure, "SELECT business_date, "+figureSums+"business_date >= ? AND business_date <= ? "+
		"GROUP BY business_date, figure, unit ORDER BY business_date, figure, unit", int64(from), int64(to))
}

type causeRow struct {
	Kind     string `bun:"kind"`
	Unit     string `bun:"unit"`
	Currency string `bun:"currency"`
	N        int64  `bun:"n"`
	Amount   int64  `bun:"amount"`
	Money    int64  `bun:"money"`
}

// Causes implements console.Figures. Amounts are bounded before they are summed, because
// an entry that HQ doubts may say any number.
func (db *DB) Causes(ctx context.Context) ([]console.Cause, error) {
	return page(ctx, db, func(r causeRow) console.Cause {
		return console.Cause{Cause: r.Kind, Unit: r.Unit, Currency: r.Currency, N: r.N, Amount: r.Amount, Money: r.Money}
	}, "SELECT x.kind, x.unit, x.currency, COUNT(*) AS n, CAST(SUM("+bounded("amount")+") AS BIGINT) AS amount, CAST(SUM("+bounded("money")+") AS BIGINT) AS money FROM "+worked+" WHERE "+unsettled+
		" GROUP BY x.kind, x.unit, x.currency ORDER BY n DESC, x.kind, x.unit, x.currency")
}

// Waiting implements console.Figures.
func (db *DB) Waiting(ctx context.Context) (console.Waiting, error) {
	var w console.Waiting
	err := db.read(ctx).NewRaw("SELECT CAST(COALESCE(SUM("+queued+"), 0) AS BIGINT) FROM "+lanes+" WHERE "+noLaneOfShop).Scan(ctx, &w.Terminals)
	if err != nil {
		return w, err
	}
	err = db.read(ctx).NewRaw("SELECT CAST(COALESCE(SUM(head_seq - applied_seq), 0) AS BIGINT) FROM branches WHERE applied_seq < head_seq").Scan(ctx, &w.HQ)
	return w, err
}

type worstRow struct {
	At     int64  `bun:"at"`
	Unit   string `bun:"unit"`
	Worst  int64  `bun:"worst"`
	Clones int64  `bun:"clones"`
}

// Worst implements console.Figures.
func (db *DB) Worst(ctx context.Context, at []int64) ([]console.WorstCase, error) {
	return page(ctx, db, func(r worstRow) console.WorstCase {
		return console.WorstCase{At: fromMillis(r.At), Unit: r.Unit, Worst: r.Worst, Clones: r.Clones}
	}, "SELECT at, unit, CAST(SUM(stand_in + taken_back + uncovered) AS BIGINT) AS worst, CAST(SUM(clones) AS BIGINT) AS clones FROM exposure_samples "+
		"WHERE at IN (?) GROUP BY at, unit ORDER BY at, unit", bun.List(at))
}

// Pulse implements console.Pulses.
func (db *DB) Pulse(ctx context.Context) (console.Pulse, error) {
	out := console.Pulse{}
	for topic, questions := range map[string][]string{
		console.TopicEntries: {"SELECT CAST(COALESCE(SUM(head_seq), 0) AS BIGINT) FROM branches", "SELECT CAST(COALESCE(SUM(applied_seq), 0) AS BIGINT) FROM branches"},
		console.TopicFigures: {"SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT) FROM counted_journals"},
		console.TopicTerminals: {
			"SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM terminals", "SELECT COUNT(*) FROM stores",
			"SELECT COALESCE(MAX(at), 0) FROM terminal_contacts", "SELECT CAST(COALESCE(SUM(acked_seq), 0) AS BIGINT) FROM terminal_contacts",
		},
		console.TopicExceptions: {
			"SELECT COALESCE(MAX(recorded_at), 0) FROM exceptions", "SELECT COUNT(*) FROM exceptions AS x WHERE " + open + " AND x.recorded_at > 0",
			"SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM exception_cases",
		},
		console.TopicDays: {"SELECT CAST(COALESCE(MAX(recorded_at), 0) AS BIGINT) FROM day_closes", "SELECT CAST(COALESCE(MAX(cut_at), 0) AS BIGINT) FROM store_days"},
		console.TopicActs: {"SELECT COALESCE(MAX(at), 0) FROM acts"},
	} {
		numbers := make([]int64, len(questions))
		for i, question := range questions {
			if err := db.read(ctx).NewRaw(question).Scan(ctx, &numbers[i]); err != nil {
				return nil, err
			}
		}
		out[topic] = numbers
	}
	return out, nil
}
