package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/server/shard"
)

// derivation is what of a table must come out the same.
type derivation struct{ table, text string }

// derived are the tables that come out of the journals: every column, but for the
// versions of accounts, which count how often a row was locked, and the time when a
// return was last tried. Who answers for a loss is a setting. Whether an exception still awaits or has been open for too
// long is a question of the clock. Exceptions of journals are raised when a batch
// arrives, not by a fact.
var derived = []derivation{
	{"sources", "SELECT account, source, writer, epoch, seq, kind, subject, effective_at, recorded_at FROM sources WHERE shard = ?"},
	{"accounts", "SELECT account, marks, place, next_due, broken_until FROM accounts WHERE shard = ?"},
	{"holdings", "SELECT account, unit, free, allowance, pending, overdraft FROM holdings WHERE shard = ?"},
	{"lots", "SELECT account, unit, lot, source, amount, remaining, spent, covered, gone, back, owed, lapsed, pending, voided, " +
		"is_open, earned_at, vests_at, expires_at, roll_days FROM lots WHERE shard = ?"},
	{"gone_lots", "SELECT account, unit, lot, earned_at, expires_at, roll_days FROM gone_lots WHERE shard = ?"},
	{"postings", "SELECT " + postingColumns + " FROM postings WHERE shard = ?"},
	{"books", "SELECT book, owner, unit, balance FROM books WHERE shard = ?"},
	{"exceptions", "SELECT id, kind, CASE WHEN state = 'awaiting' THEN 'open' ELSE state END AS state, CASE WHEN attribution <> '' THEN '' ELSE liable END AS liable, cause, source, terminal, " +
		"epoch, seq, store, account, member, unit, amount, currency, money, occurred_at, recorded_at, explained_by, attribution FROM exceptions " +
		"WHERE shard = ? AND kind NOT IN ('fork', 'fact_set_aside') AND source IN (SELECT source FROM sources WHERE shard = ?)"},
	{"awaited_returns", "SELECT terminal, epoch, seq, source FROM awaited_returns WHERE shard = ?"},
	{"rights", "SELECT " + rightColumns + ", is_open FROM rights WHERE shard = ?"},
}

// sums are what is compared where the order of some facts was not recorded: in how
// many steps an amount got where it is depends on it, and so do exceptions.
var sums = []derivation{
	whole("sources"),
	{"holdings", whole("holdings").text + " AND (free <> 0 OR allowance <> 0 OR pending <> 0 OR overdraft <> 0)"},
	whole("lots"),
	{"books", whole("books").text + " AND balance <> 0"},
	{"postings", "SELECT account, unit, lot, store, book, CAST(SUM(amount) AS BIGINT) AS amount FROM (" +
		"SELECT account, unit, lot, store, from_book AS book, -amount AS amount FROM postings WHERE shard = ? UNION ALL " +
		"SELECT account, unit, lot, store, to_book AS book, amount FROM postings WHERE shard = ?) AS legs " +
		"GROUP BY account, unit, lot, store, book HAVING SUM(amount) <> 0"},
}

// whole is the derivation of a table, every column of it.
func whole(table string) derivation {
	return derived[slices.IndexFunc(derived, func(d derivation) bool { return d.table == table })]
}

// notCopied are the tables that a rebuild makes anew or has no need of.
var notCopied = []string{
	versionTable, "accounts", "awaited_returns", "exceptions", "feed", "feed_heads", "pass_feed", "leases", "sessions", "answers",
	"set_aside", "snapshots", "sources", "holdings", "lots", "rights", "books", "postings", "applied_heads", "applied_sets",
	"gone_lots", "liability_days", "liability_cursors", "settlement_cursors", "settlement_moves",
}

// Difference is a row that only one of two ledgers has.
type Difference struct {
	Table string
	Shard int
	Row   string
	Extra bool // only the rebuilt ledger has it
}

// CopyLog copies into an empty migrated database everything that cannot be
// computed: journals and records.
func (db *DB) CopyLog(ctx context.Context, to *DB) error {
	names, err := to.tableNames(ctx)
	if err != nil {
		return fmt.Errorf("copy log: %w", err)
	}
	for _, name := range names {
		if slices.Contains(notCopied, name) {
			continue
		}
		if err := db.copyTable(ctx, to, name, "SELECT * FROM "+name); err != nil {
			return fmt.Errorf("copy log: table %s: %w", name, err)
		}
	}
	return nil
}

// tableNames lists the tables of the schema.
func (db *DB) tableNames(ctx context.Context) ([]string, error) {
	query := "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relname"
	if db.sqlite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	}
	var names []string
	err := db.read(ctx).NewRaw(query).Scan(ctx, &names)
	return names, err
}

// copyTable writes what a query of db gives into a table of another database.
func (db *DB) copyTable(ctx context.Context, to *DB, name, query string, args ...any) error {
	found, err := db.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return err
	}
	head := "INSERT INTO " + name + " (" + strings.Join(columns, ", ") + ")"
	var rows []row
	for found.Next() {
		r, into := scanRow(len(columns))
		if err := found.Scan(into...); err != nil {
			return err
		}
		for i, v := range r {
			if b, ok := v.([]byte); ok && b == nil {
				r[i] = []byte{} // no bytes are not no value
			}
		}
		if rows = append(rows, r); len(rows) == bulk {
			if err := to.insert(ctx, head, rows, ""); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return errors.Join(found.Err(), to.insert(ctx, head, rows, ""))
}

// scanRow returns a row and what to scan into it.
func scanRow(columns int) (row, []any) {
	r, into := make(row, columns), make([]any, columns)
	for i := range r {
		into[i] = &r[i]
	}
	return r, into
}

// Compare holds a rebuilt ledger against this one, row for row, and gives each
// difference to tell, table by table and shard by shard. Without an order only sums
// are compared. It returns how many rows are the same.
func (db *DB) Compare(ctx context.Context, rebuilt *DB, ordered bool, tell func(Difference) error) (int64, error) {
	var same int64
	queries := derived
	if !ordered {
		queries = sums
	}
	for _, d := range queries {
		for in := range shard.Count {
			n, err := db.compareShard(ctx, rebuilt, d.table, d.text, in, tell)
			if err != nil {
				return same, fmt.Errorf("compare %s of shard %d: %w", d.table, in, err)
			}
			same += n
		}
	}
	return same, nil
}

func (db *DB) compareShard(ctx context.Context, rebuilt *DB, table, query string, in int, tell func(Difference) error) (int64, error) {
	args := slices.Repeat([]any{in}, strings.Count(query, "?"))
	live, err := db.texts(ctx, query, args)
	if err != nil {
		return 0, err
	}
	again, err := rebuilt.texts(ctx, query, args)
	if err != nil {
		return 0, err
	}
	var same int64
	for _, text := range slices.Sorted(maps.Keys(live)) {
		if again[text] {
			same++
			continue
		}
		if err := tell(Difference{Table: table, Shard: in, Row: text}); err != nil {
			return same, err
		}
	}
	for _, text := range slices.Sorted(maps.Keys(again)) {
		if !live[text] {
			if err := tell(Difference{Table: table, Shard: in, Row: text, Extra: true}); err != nil {
				return same, err
			}
		}
	}
	return same, nil
}

// texts reads rows as texts that are equal when the rows are.
func (db *DB) texts(ctx context.Context, query string, args []any) (map[string]bool, error) {
	found, err := db.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for found.Next() {
		r, into := scanRow(len(columns))
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		out[rowText(columns, r)] = true
	}
	return out, found.Err()
}

func rowText(columns []string, r row) string {
	var b bytes.Buffer
	for i, v := range r {
		if i > 0 {
			b.WriteByte(' ')
		}
		if raw, ok := v.([]byte); ok {
			fmt.Fprintf(&b, "%s=%x", columns[i], raw)
			continue
		}
		fmt.Fprintf(&b, "%s=%v", columns[i], v)
	}
	return b.String()
}
