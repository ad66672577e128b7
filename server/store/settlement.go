package store

import (
	"context"
	"database/sql"
	"math/big"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

type termRow struct {
	Number     uint64 `bun:"number"`
	Kind       string `bun:"kind"`
	ID         []byte `bun:"id"`
	Body       []byte `bun:"body"`
	By         []byte `bun:"by_person"`
	RecordedAt int64  `bun:"recorded_at"`
}

func (r termRow) term() settlement.Term {
	return settlement.Term{Number: r.Number, Sort: settlement.Sort(r.Kind), ID: toID(r.ID), Body: r.Body, By: toID(r.By), RecordedAt: r.RecordedAt}
}

// AddSettlementTerm implements settlement.Store.
func (db *DB) AddSettlementTerm(ctx context.Context, t settlement.Term) error {
	return db.changed(ctx, "INSERT INTO settlement_terms (number, kind, id, body, by_person, recorded_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		int64(t.Number), string(t.Sort), idBytes(t.ID), t.Body, idBytes(t.By), t.RecordedAt)
}

// SettlementTerms implements settlement.Store.
func (db *DB) SettlementTerms(ctx context.Context, sort settlement.Sort, after uint64, limit int) ([]settlement.Term, error) {
	return page(ctx, db, termRow.term, "SELECT number, kind, id, body, by_person, recorded_at FROM settlement_terms WHERE number > ? AND (? = '' OR kind = ?) ORDER BY number LIMIT ?",
		int64(after), string(sort), string(sort), limit)
}

// LastSettlementTerm implements settlement.Store.
func (db *DB) LastSettlementTerm(ctx context.Context) (uint64, error) {
	return one(ctx, db, func(r termRow) uint64 { return r.Number }, "term", "SELECT COALESCE(MAX(number), 0) AS number FROM settlement_terms")
}

const monthColumns = "month, state, attempt, version, terms, cut_at, drafted_by, locked_by, locked_at, body, failures, retry_at, failure_code, failure"

type monthRow struct {
	Month     uint32 `bun:"month"`
	State     string `bun:"state"`
	Attempt   uint64 `bun:"attempt"`
	Version   uint64 `bun:"version"`
	Terms     uint64 `bun:"terms"`
	CutAt     int64  `bun:"cut_at"`
	DraftedBy []byte `bun:"drafted_by"`
	LockedBy  []byte `bun:"locked_by"`
	LockedAt  int64  `bun:"locked_at"`
	Body      []byte `bun:"body"`
	Failures  uint64 `bun:"failures"`
	RetryAt   int64  `bun:"retry_at"`
	Code      string `bun:"failure_code"`
	Failure   string `bun:"failure"`
}

func (r monthRow) month() settlement.MonthRow {
	return settlement.MonthRow{
		Month: settlement.Month(r.Month), State: clearing.State(r.State), Attempt: r.Attempt, Version: r.Version, Terms: r.Terms, CutAt: r.CutAt,
		DraftedBy: toID(r.DraftedBy), LockedBy: toID(r.LockedBy), LockedAt: r.LockedAt, Body: r.Body,
		Failure: settlement.Failure{Times: r.Failures, RetryAt: r.RetryAt, Code: problem.Code(r.Code), Detail: r.Failure},
	}
}

// SettlementMonth implements settlement.Store.
func (db *DB) SettlementMonth(ctx context.Context, m settlement.Month) (settlement.MonthRow, error) {
	return one(ctx, db, monthRow.month, "month", "SELECT "+monthColumns+" FROM settlement_months WHERE month = ?", uint32(m))
}

// SettlementMonths implements settlement.Store.
func (db *DB) SettlementMonths(ctx context.Context, before settlement.Month, limit int) ([]settlement.MonthRow, error) {
	return page(ctx, db, monthRow.month, "SELECT "+monthColumns+" FROM settlement_months WHERE ? = 0 OR month < ? ORDER BY month DESC LIMIT ?",
		uint32(before), uint32(before), limit)
}

// PutSettlementMonth implements settlement.Store.
func (db *DB) PutSettlementMonth(ctx context.Context, r settlement.MonthRow) error {
	if r.Body == nil {
		r.Body = []byte{}
	}
	return db.changed(ctx, "INSERT INTO settlement_months ("+monthColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (month) DO UPDATE SET "+
		"state = EXCLUDED.state, attempt = EXCLUDED.attempt, version = EXCLUDED.version, terms = EXCLUDED.terms, cut_at = EXCLUDED.cut_at, "+
		"drafted_by = EXCLUDED.drafted_by, locked_by = EXCLUDED.locked_by, locked_at = EXCLUDED.locked_at, body = EXCLUDED.body, "+
		"failures = EXCLUDED.failures, retry_at = EXCLUDED.retry_at, failure_code = EXCLUDED.failure_code, failure = EXCLUDED.failure "+
		"WHERE settlement_months.version = ? AND settlement_months.state <> 'locked'",
		uint32(r.Month), string(r.State), int64(r.Attempt), int64(r.Version), int64(r.Terms), r.CutAt, idBytes(r.DraftedBy), idBytes(r.LockedBy), r.LockedAt, r.Body,
		int64(r.Failure.Times), r.Failure.RetryAt, string(r.Failure.Code), r.Failure.Detail, int64(r.Version)-1)
}

const (
	lineColumns = "month, attempt, no, kind, fee, from_party, to_party, from_store, to_store, unit, day, points, debit_currency, debit_exact, debit, " +
		"credit_currency, credit_exact, credit, price, rate, rate_source, rate_from, of_month"
	// A spot's sums and, where they are compared, the lines stated of it, in one order. A
	// sum of points is in two parts, so that none is too large to be read.
	spotMoves = "SELECT 0 AS stated, CASE kind WHEN 1 THEN 'redeemed' ELSE 'repaid' END AS kind, '' AS fee, from_store, to_store, unit, day, from_day, to_day, " +
		"CAST(SUM(points / 1048576) AS BIGINT) AS high, CAST(SUM(points % 1048576) AS BIGINT) AS low, to_store AS from_party, to_store AS to_party, " +
		"'' AS debit_currency, 0 AS debit_exact, '' AS credit_currency, 0 AS credit_exact FROM settlement_moves " +
		"WHERE month = ? OR (month < ? AND day >= ?) GROUP BY kind, from_store, to_store, unit, day, from_day, to_day"
	spotLines = "SELECT 1 AS stated, l.kind, l.fee, l.from_store, l.to_store, l.unit, l.day, 0 AS from_day, 0 AS to_day, " +
		"CAST(0 AS BIGINT) AS high, CAST(SUM(l.points) AS BIGINT) AS low, l.from_party, l.to_party, l.debit_currency, CAST(SUM(l.debit_exact) AS BIGINT) AS debit_exact, " +
		"l.credit_currency, CAST(SUM(l.credit_exact) AS BIGINT) AS credit_exact FROM settlement_lines AS l " +
		"JOIN settlement_months AS m ON m.month = l.month AND m.attempt = l.attempt AND m.state = 'locked' WHERE l.month < ? AND l.day >= ? " +
		"GROUP BY l.kind, l.fee, l.from_store, l.to_store, l.unit, l.day, l.from_party, l.to_party, l.debit_currency, l.credit_currency"
	spotOrder = " ORDER BY from_store, to_store, unit, day, stated, kind, fee, from_day, to_day, from_party, to_party, debit_currency, credit_currency"
)

// spotScan reads rows of one spot after the other.
type spotScan struct {
	fn     func(clearing.Spot, []clearing.Sum, []settlement.Line) error
	at     clearing.Spot
	began  bool
	sums   []clearing.Sum
	stated []settlement.Line
}

// SettlementSpots implements settlement.Store. What is compared is read only when there is any.
func (db *DB) SettlementSpots(ctx context.Context, m settlement.Month, since entry.Date, fn func(clearing.Spot, []clearing.Sum, []settlement.Line) error) error {
	text, args := spotMoves, []any{uint32(m), uint32(m), uint32(since)}
	if since < m.First() {
		text, args = text+" UNION ALL "+spotLines, append(args, uint32(m), uint32(since))
	}
	rows, err := db.reader.QueryContext(ctx, text+spotOrder, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	s := spotScan{fn: fn}
	for rows.Next() {
		if err := s.take(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return s.flush()
}

func (s *spotScan) take(rows *sql.Rows) error {
	var stated int
	var kind, fee, unit, debit, credit string
	var fromStore, toStore, from, to []byte
	var day, fromDay, toDay uint32
	var high, low, debitExact, creditExact int64
	err := rows.Scan(&stated, &kind, &fee, &fromStore, &toStore, &unit, &day, &fromDay, &toDay, &high, &low, &from, &to, &debit, &debitExact, &credit, &creditExact)
	if err != nil {
		return err
	}
	at := clearing.Spot{FromStore: toID(fromStore), ToStore: toID(toStore), Unit: unit, Day: entry.Date(day)}
	if at != s.at || !s.began {
		if err := s.flush(); err != nil {
			return err
		}
		s.at, s.began = at, true
	}
	if stated == 1 {
		s.stated = append(s.stated, settlement.Line{
			Kind: clearing.Kind(kind), Fee: fee, From: toID(from), To: toID(to), FromStore: at.FromStore, ToStore: at.ToStore, Unit: unit, Day: at.Day, Points: low,
			Debit: settlement.Amount{Currency: debit, Exact: debitExact}, Credit: settlement.Amount{Currency: credit, Exact: creditExact},
		})
		return nil
	}
	sum := clearing.Sum{
		Kind: clearing.Kind(kind), Unit: unit, FromStore: at.FromStore, FromDay: entry.Date(fromDay), ToStore: at.ToStore, ToDay: entry.Date(toDay), Day: at.Day,
	}
	points := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(high), 20), big.NewInt(low))
	if sum.Points = points.Int64(); !points.IsInt64() {
		return problem.Newf(problem.AmountOverflow, "the points of %s on %s do not fit", unit, at.Day)
	}
	if sum.Points != 0 {
		s.sums = append(s.sums, sum)
	}
	return nil
}

func (s *spotScan) flush() error {
	sums, stated := s.sums, s.stated
	s.sums, s.stated = nil, nil
	if len(sums)+len(stated) == 0 {
		return nil
	}
	return s.fn(s.at, sums, stated)
}

// AddSettlementLines implements settlement.Store.
func (db *DB) AddSettlementLines(ctx context.Context, attempt uint64, lines []settlement.Line) error {
	return db.insert(ctx, "INSERT INTO settlement_lines (shard, "+lineColumns+")", convert(lines, func(l settlement.Line) row {
		return row{
			shard.Of(l.ToStore), uint32(l.Month), int64(attempt), l.No, string(l.Kind), l.Fee, idBytes(l.From), idBytes(l.To), idBytes(l.FromStore), idBytes(l.ToStore),
			l.Unit, uint32(l.Day), l.Points, l.Debit.Currency, l.Debit.Exact, l.Debit.Minor, l.Credit.Currency, l.Credit.Exact, l.Credit.Minor,
			l.PerThousand, l.Rate, l.RateSource, uint32(l.RateFrom), uint32(l.Of),
		}
	}), "")
}

type settlementLineRow struct {
	Month          uint32 `bun:"month"`
	Attempt        uint64 `bun:"attempt"`
	No             int64  `bun:"no"`
	Kind           string `bun:"kind"`
	Fee            string `bun:"fee"`
	From           []byte `bun:"from_party"`
	To             []byte `bun:"to_party"`
	FromStore      []byte `bun:"from_store"`
	ToStore        []byte `bun:"to_store"`
	Unit           string `bun:"unit"`
	Day            uint32 `bun:"day"`
	Points         int64  `bun:"points"`
	DebitCurrency  string `bun:"debit_currency"`
	DebitExact     int64  `bun:"debit_exact"`
	Debit          int64  `bun:"debit"`
	CreditCurrency string `bun:"credit_currency"`
	CreditExact    int64  `bun:"credit_exact"`
	Credit         int64  `bun:"credit"`
	Price          int64  `bun:"price"`
	Rate           int64  `bun:"rate"`
	RateSource     string `bun:"rate_source"`
	RateFrom       uint32 `bun:"rate_from"`
	Of             uint32 `bun:"of_month"`
}

func (r settlementLineRow) line() settlement.Line {
	return settlement.Line{
		Month: settlement.Month(r.Month), No: r.No, Kind: clearing.Kind(r.Kind), Fee: r.Fee, From: toID(r.From), To: toID(r.To),
		FromStore: toID(r.FromStore), ToStore: toID(r.ToStore), Unit: r.Unit, Day: entry.Date(r.Day), Points: r.Points,
		Debit:       settlement.Amount{Currency: r.DebitCurrency, Exact: r.DebitExact, Minor: r.Debit},
		Credit:      settlement.Amount{Currency: r.CreditCurrency, Exact: r.CreditExact, Minor: r.Credit},
		PerThousand: r.Price, Rate: r.Rate, RateSource: r.RateSource, RateFrom: entry.Date(r.RateFrom), Of: settlement.Month(r.Of),
	}
}

// SettlementLines implements settlement.Store. Those where a party owes and those where it is owed
// have an index each.
func (db *DB) SettlementLines(ctx context.Context, m settlement.Month, attempt uint64, party uuid.UUID, all bool, after int64, limit int) ([]settlement.Line, error) {
	const where = " FROM settlement_lines WHERE month = ? AND attempt = ? AND no > ?"
	if all {
		return page(ctx, db, settlementLineRow.line, "SELECT "+lineColumns+where+" ORDER BY no LIMIT ?", uint32(m), int64(attempt), after, limit)
	}
	one := "SELECT * FROM (SELECT " + lineColumns + where + " AND "
	return page(ctx, db, settlementLineRow.line, one+"from_party = ? ORDER BY no LIMIT ?) AS owes UNION ALL "+one+"to_party = ? ORDER BY no LIMIT ?) AS owed ORDER BY no LIMIT ?",
		uint32(m), int64(attempt), after, idBytes(party), limit, uint32(m), int64(attempt), after, idBytes(party), limit, limit)
}

// SettlementLine implements settlement.Store.
func (db *DB) SettlementLine(ctx context.Context, m settlement.Month, attempt uint64, no int64) (settlement.Line, error) {
	return one(ctx, db, settlementLineRow.line, "line", "SELECT "+lineColumns+" FROM settlement_lines WHERE month = ? AND attempt = ? AND no = ?", uint32(m), int64(attempt), no)
}

// DropAttempts implements settlement.Store.
func (db *DB) DropAttempts(ctx context.Context, m settlement.Month, keep uint64) error {
	for _, table := range []string{"settlement_lines", "settlement_statements"} {
		if _, err := db.exec(ctx, "DELETE FROM "+table+" WHERE month = ? AND attempt < ?", uint32(m), int64(keep)); err != nil {
			return err
		}
	}
	return nil
}

type statementRow struct {
	Party  []byte `bun:"party"`
	Month  uint32 `bun:"month"`
	Number string `bun:"number"`
	Body   []byte `bun:"body"`
}

func (r statementRow) statement() settlement.StatementRow {
	return settlement.StatementRow{Party: toID(r.Party), Month: settlement.Month(r.Month), Number: r.Number, Body: r.Body}
}

// AddSettlementStatements implements settlement.Store.
func (db *DB) AddSettlementStatements(ctx context.Context, attempt uint64, rows []settlement.StatementRow) error {
	return db.insert(ctx, "INSERT INTO settlement_statements (shard, party, month, attempt, number, body)", convert(rows, func(r settlement.StatementRow) row {
		return row{shard.Of(r.Party), idBytes(r.Party), uint32(r.Month), int64(attempt), r.Number, r.Body}
	}), "")
}

// NumberStatement implements settlement.Store.
func (db *DB) NumberStatement(ctx context.Context, attempt uint64, r settlement.StatementRow) error {
	return db.changed(ctx, "UPDATE settlement_statements SET number = ?, body = ? WHERE shard = ? AND party = ? AND month = ? AND attempt = ? AND number = ''",
		r.Number, r.Body, shard.Of(r.Party), idBytes(r.Party), uint32(r.Month), int64(attempt))
}

// SettlementStatement implements settlement.Store.
func (db *DB) SettlementStatement(ctx context.Context, m settlement.Month, attempt uint64, party uuid.UUID) (settlement.StatementRow, error) {
	return one(ctx, db, statementRow.statement, "statement", "SELECT party, month, number, body FROM settlement_statements WHERE shard = ? AND party = ? AND month = ? AND attempt = ?",
		shard.Of(party), idBytes(party), uint32(m), int64(attempt))
}

// SettlementStatements implements settlement.Store.
func (db *DB) SettlementStatements(ctx context.Context, m settlement.Month, attempt uint64, after uuid.UUID, first bool, limit int) ([]settlement.StatementRow, error) {
	above := "party > ?"
	if first {
		above = "party >= ?" // the programme has no bytes but zero
	}
	return page(ctx, db, statementRow.statement, "SELECT party, month, number, body FROM settlement_statements WHERE month = ? AND attempt = ? AND "+above+" ORDER BY party LIMIT ?",
		uint32(m), int64(attempt), idBytes(after), limit)
}

// NextNumbers implements settlement.Store. The row stays locked until the transaction
// ends: a number that was not used comes again.
func (db *DB) NextNumbers(ctx context.Context, of settlement.Series, n int) (uint64, error) {
	var rows []struct {
		Last uint64 `bun:"last"`
	}
	err := db.write(ctx).NewRaw("INSERT INTO settlement_series (shard, party, year, epoch, last) VALUES (?, ?, ?, ?, ?) "+
		"ON CONFLICT (shard, party, year, epoch) DO UPDATE SET last = settlement_series.last + EXCLUDED.last RETURNING last",
		shard.Of(of.Party), idBytes(of.Party), of.Year, int64(of.Epoch), n).Scan(ctx, &rows)
	if err != nil {
		return 0, err
	}
	return rows[0].Last - uint64(n) + 1, nil
}

type namesRow struct {
	Month uint32 `bun:"month"`
	Terms uint64 `bun:"terms"`
	Body  []byte `bun:"body"`
}

// PutSettlementNames implements settlement.Store.
func (db *DB) PutSettlementNames(ctx context.Context, n settlement.Names) error {
	return db.changed(ctx, "INSERT INTO settlement_names (month, terms, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", uint32(n.Month), int64(n.Terms), n.Body)
}

// SettlementNames implements settlement.Store.
func (db *DB) SettlementNames(ctx context.Context, m settlement.Month) (settlement.Names, error) {
	return one(ctx, db, func(r namesRow) settlement.Names {
		return settlement.Names{Month: settlement.Month(r.Month), Terms: r.Terms, Body: r.Body}
	}, "names", "SELECT month, terms, body FROM settlement_names WHERE month = ?", uint32(m))
}
