package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

var _ console.Rows = (*DB)(nil)

// source is where the rows of a list come from. Columns has an expression for each column
// that is never NULL, Key one of bytes that no two rows share.
type source struct {
	from    func(q console.Query) (string, []any)
	columns map[string]string
	key     string
	then    string            // a number that sorts rows before the key does; as an index may need it
	orders  map[string]string // what to sort by instead of a column, so that an index does it
	always  string            // a condition on all rows
	narrow  func(q *bun.SelectQuery, filter string, value any) *bun.SelectQuery
	word    map[string]func(console.Query, int64) string // columns that are numbers here and words there
}

// as gives a fixed FROM clause.
func as(from string) func(console.Query) (string, []any) {
	return func(console.Query) (string, []any) { return from, nil }
}

// ListRows implements console.Rows.
func (db *DB) ListRows(ctx context.Context, q console.Query) ([]console.Found, error) {
	if q.List.Name == rewardList {
		return db.rewardRows(ctx, q)
	}
	if q.List.Name == console.AgeingList {
		return db.ageingRows(ctx, q)
	}
	src, err := sourceOf(q)
	if err != nil {
		return nil, err
	}
	s := db.narrowed(src, q)
	for _, c := range q.List.Columns {
		s = s.ColumnExpr(src.columns[c.Name])
	}
	by, then := src.columns[q.Order.Column], src.then
	if other := src.orders[q.Order.Column]; other != "" {
		by = other
	}
	if then == "" {
		then = "0"
	}
	s = s.ColumnExpr(by).ColumnExpr(src.key).ColumnExpr(then)
	direction, compare := " ASC", ">"
	if q.Order.Down {
		direction, compare = " DESC", "<"
	}
	s = s.OrderExpr(by + direction)
	switch {
	case q.After != nil && src.then != "":
		s = s.Where(by+" "+compare+"= ?", src.at(q)).Where("("+by+", "+then+", "+src.key+") "+compare+" (?, ?, ?)", src.at(q), q.After.Then, q.After.Key)
	case q.After != nil:
		s = s.Where(by+" "+compare+"= ?", src.at(q)).Where("("+by+", "+src.key+") "+compare+" (?, ?)", src.at(q), q.After.Key)
	}
	if src.then != "" {
		s = s.OrderExpr(then + direction)
	}
	rows, err := s.OrderExpr(src.key + direction).Limit(int64(q.Limit)).Rows(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []console.Found
	cells := make([]any, len(q.List.Columns)+3)
	into := make([]any, len(cells))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		found, err := src.found(q, cells)
		if err != nil {
			return nil, err
		}
		out = append(out, found)
	}
	return out, rows.Err()
}

// CountRows implements console.Rows.
func (db *DB) CountRows(ctx context.Context, q console.Query, limit int) (int, error) {
	if q.List.Name == rewardList {
		q.Limit, q.After = limit, nil
		found, err := db.rewardRows(ctx, q)
		return len(found), err
	}
	if q.List.Name == console.AgeingList {
		q.Limit, q.After = limit, nil
		found, err := db.ageingRows(ctx, q)
		return len(found), err
	}
	src, err := sourceOf(q)
	if err != nil {
		return 0, err
	}
	var n int
	inner := db.narrowed(src, q).ColumnExpr("1 AS one").Limit(int64(limit))
	err = db.read(ctx).NewSelect().TableExpr("(?) AS counted_rows", inner).ColumnExpr("COUNT(*)").Scan(ctx, &n)
	return n, err
}

func sourceOf(q console.Query) (source, error) {
	src, ok := sources[q.List.Name]
	if !ok {
		src, ok = passSources[q.List.Name]
	}
	if !ok {
		src, ok = posSources[q.List.Name]
	}
	if !ok {
		return source{}, fmt.Errorf("no rows for the list %s", q.List.Name)
	}
	return src, nil
}

func (db *DB) narrowed(src source, q console.Query) *bun.SelectQuery {
	from, args := src.from(q)
	s := db.reader.NewSelect().TableExpr(from, args...)
	if src.always != "" {
		s = s.Where(src.always)
	}
	for name, value := range q.Filters {
		s = src.narrow(s, name, value)
	}
	return s
}

// at is the cell where the last page ended, of the order's kind.
func (src source) at(q console.Query) any {
	if c, _ := q.List.Column(q.Order.Column); numeric(c.Kind) || src.word[c.Name] != nil && src.orders[c.Name] == "" {
		return q.After.Number
	}
	return q.After.Text
}

func numeric(k console.Kind) bool {
	return k == console.Number || k == console.Time || k == console.Flag
}

// found turns cells as read into a row.
func (src source) found(q console.Query, cells []any) (console.Found, error) {
	n := len(q.List.Columns)
	out := console.Found{Row: make(console.Row, n)}
	for i, c := range q.List.Columns {
		cell := cells[i]
		if word := src.word[c.Name]; word != nil {
			number, ok := cell.(int64)
			if !ok {
				return out, fmt.Errorf("read column %s: %T", c.Name, cell)
			}
			out.Row[i] = word(q, number)
			continue
		}
		var err error
		if out.Row[i], err = cellOf(c.Kind, cell); err != nil {
			return out, fmt.Errorf("read column %s: %w", c.Name, err)
		}
	}
	switch by := cells[n].(type) {
	case int64:
		out.Place.Number = by
	case string:
		out.Place.Text = by
	default:
		return out, fmt.Errorf("read column %s: %T", q.Order.Column, by)
	}
	key, ok := cells[n+1].([]byte)
	if !ok {
		return out, fmt.Errorf("read key of %s: %T", q.List.Name, cells[n+1])
	}
	out.Place.Key = append([]byte(nil), key...)
	if out.Place.Then, ok = cells[n+2].(int64); !ok {
		return out, fmt.Errorf("read place in %s: %T", q.List.Name, cells[n+2])
	}
	return out, nil
}

// cellOf turns a value of a database into one of a list.
func cellOf(kind console.Kind, cell any) (any, error) {
	switch v := cell.(type) {
	case int64:
		switch kind {
		case console.Number:
			return v, nil
		case console.Flag:
			return v != 0, nil
		case console.Time:
			if v == 0 {
				return nil, nil
			}
			return entry.Moment(v), nil
		}
	case string:
		if kind == console.Text || kind == console.Word {
			return v, nil
		}
	case []byte:
		switch kind {
		case console.ID:
			if id := toID(v); id != uuid.Nil {
				return id.String(), nil
			}
			return nil, nil
		case console.Hash:
			return hex.EncodeToString(v), nil
		}
	}
	return nil, fmt.Errorf("a %s is %T", kind, cell)
}

// value is what a filter is compared with in a column.
func value(v any) any {
	switch v := v.(type) {
	case uuid.UUID:
		return idBytes(v)
	case time.Time:
		return v.UnixMilli()
	case bool:
		return bit(v)
	}
	return v
}

// starting is the pattern of LIKE for texts that begin with one, whatever the case.
func starting(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text)) + "%"
}

// containing is the pattern of LIKE for texts that have one in them.
func containing(text string) string { return "%" + starting(text) }

// by narrows by columns that hold a filter's value, and by a column's time.
func by(columns map[string]string, moment string, rest func(q *bun.SelectQuery, filter string, value any) *bun.SelectQuery) func(*bun.SelectQuery, string, any) *bun.SelectQuery {
	return func(q *bun.SelectQuery, filter string, v any) *bun.SelectQuery {
		column, simple := columns[filter]
		switch {
		case simple:
			return q.Where(column+" = ?", value(v))
		case filter == "from":
			return q.Where(moment+" >= ?", value(v))
		case filter == "to":
			return q.Where(moment+" < ?", value(v))
		}
		return rest(q, filter, v)
	}
}

// nothing is the condition of a filter that no row meets.
const nothing = "1 = 0"

func bookWord(_ console.Query, n int64) string { return loyalty.Book(n).String() }

func kindWord(_ console.Query, n int64) string { return entry.Kind(n).String() }

// ownWriter is the writer of HQ's chain of a shard.
func ownWriter(q console.Query, n int64) string {
	return hqjournal.WriterOf(q.HQ, int(n), 0).ID.String()
}
