package store

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/tallystick/tallystick/sync/journal"
)

// row is the values of one row, or of its key, in the order of their columns.
type row []any

// How many rows one statement carries on PostgreSQL, where they travel as one array
// a column, and where they stand in the text.
const (
	arrayRows = 4096
	bulk      = 500
)

// boundValues is how many values a prepared statement of SQLite takes at most. The
// driver looks for each among all of them, so that many cost more than a few
// statements.
const boundValues = 120

// insert runs "<head> VALUES rows <tail>". The text does not depend on the values,
// so that an engine reads and plans it once for many rows.
func (db *DB) insert(ctx context.Context, head string, rows []row, tail string) error {
	return db.inserted(ctx, head, rows, tail, nil)
}

// inserted does what insert does and gives what the tail returns to into, a pointer
// to a slice of rows, one piece at a time.
func (db *DB) inserted(ctx context.Context, head string, rows []row, tail string, into func(q query) error) error {
	run := into
	if run == nil {
		run = func(q query) error { return q.exec(ctx) }
	}
	for len(rows) > 0 {
		q := query{db: db, on: db.write(ctx)}
		var n int
		switch {
		case db.sqlite:
			n = step(len(rows), len(rows[0]))
			q.text, q.args = orFail(head)+" VALUES "+marks(n, len(rows[0]))+" "+tail, flat(rows[:n])
		case db.nodes.Load() || !isArray(rows[0]):
			n = min(len(rows), bulk)
			q.text, q.args, q.formatted = head+" VALUES ? "+tail, []any{tuples(rows[:n])}, true
		default:
			n = min(len(rows), arrayRows)
			arrays, types := columns(rows[:n])
			q.text, q.args = head+" SELECT * FROM unnest("+numbered(types, 1)+") "+tail, arrays
		}
		if err := run(q); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// orFail has SQLite leave the rows before one that breaks a constraint: the transaction
// is rolled back anyway. Else it copies each page that a statement of several rows
// changes, to be able to undo the statement alone.
func orFail(head string) string {
	return strings.Replace(head, "INSERT INTO", "INSERT OR FAIL INTO", 1)
}

// selectKeys runs a query with one condition in it, written ?, which is that a row's
// key is one of several, and returns all rows. Each key begins with its shard.
func selectKeys[T any](ctx context.Context, db *DB, on bun.IDB, text, names string, keys []row) ([]T, error) {
	var out []T
	for len(keys) > 0 {
		q := query{db: db, on: on}
		var n int
		var condition string
		switch {
		case db.sqlite:
			n = step(len(keys), len(keys[0]))
			condition, q.args = "("+names+") IN (VALUES "+marks(n, len(keys[0]))+")", flat(keys[:n])
		case db.nodes.Load():
			n = min(len(keys), bulk)
			condition, q.args, q.formatted = "?", []any{keyList{names, keys[:n]}}, true
		default:
			n = min(len(keys), arrayRows)
			arrays, types := columns(keys[:n])
			types[0] = "smallint[]"
			condition, q.args = "("+names+") IN (SELECT * FROM unnest("+numbered(types, 1)+"))", arrays
		}
		q.text = strings.Replace(text, "?", condition, 1)
		var rows []T
		if err := q.scan(ctx, &rows); err != nil {
			return nil, err
		}
		out = append(out, rows...)
		keys = keys[n:]
	}
	return out, nil
}

// step is how many of so many rows the next statement of SQLite takes: one of three
// sizes, so that there are few texts and each is prepared once.
func step(rows, width int) int {
	most := max(1, boundValues/width)
	for _, n := range []int{most, most / 4} {
		if n > 0 && n <= rows {
			return n
		}
	}
	return 1
}

// marks writes (?, ?), (?, ?) for so many rows.
func marks(rows, width int) string {
	one := "(" + strings.Repeat("?, ", width-1) + "?)"
	return strings.Repeat(one+", ", rows-1) + one
}

func flat(rows []row) []any {
	out := make([]any, 0, len(rows)*len(rows[0]))
	for _, r := range rows {
		for _, v := range r {
			out = append(out, signed(v))
		}
	}
	return out
}

// signed is a value as a column of whole numbers takes it. A number over its range,
// which only a crafted entry says, is stored as the negative one of the same bits and
// read back as it was: a driver that refused it would stop all that come after.
func signed(v any) any {
	if n, ok := v.(uint64); ok {
		return int64(n)
	}
	return v
}

// numbered writes $1::type, $2::type from a number on.
func numbered(types []string, from int) string {
	var b strings.Builder
	for i, t := range types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(from+i) + "::" + t)
	}
	return b.String()
}

// isArray reports whether columns can turn the values of a row into arrays.
func isArray(r row) bool {
	return !slices.ContainsFunc(r, func(v any) bool {
		switch reflect.ValueOf(v).Kind() {
		case reflect.Slice, reflect.String, reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			return false
		default:
			return true
		}
	})
}

// columns turns rows into one array a column, and names the arrays' types. A column
// has values of one kind: bytes, text or whole numbers.
func columns(rows []row) (arrays []any, types []string) {
	arrays, types = make([]any, len(rows[0])), make([]string, len(rows[0]))
	for i, v := range rows[0] {
		switch v.(type) {
		case []byte:
			arrays[i], types[i] = column(rows, i, func(v any) []byte { return v.([]byte) }), "bytea[]"
		case string:
			arrays[i], types[i] = column(rows, i, func(v any) string { return v.(string) }), "text[]"
		default:
			arrays[i], types[i] = column(rows, i, number), "bigint[]"
		}
	}
	return arrays, types
}

func column[T any](rows []row, i int, value func(any) T) []T {
	return convert(rows, func(r row) T { return value(r[i]) })
}

// number is any whole number as the database has it.
func number(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case uint64:
		return int64(n)
	}
	if r := reflect.ValueOf(v); r.CanInt() {
		return r.Int()
	}
	return int64(reflect.ValueOf(v).Uint())
}

// tuples writes rows as (a, b), (c, d): what follows VALUES.
type tuples []row

// AppendQuery implements bun's schema.QueryAppender.
func (t tuples) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	for i, r := range t {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '(')
		for j, v := range r {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = gen.AppendValue(b, reflect.ValueOf(signed(v)))
		}
		b = append(b, ')')
	}
	return b, nil
}

// keyList is the condition that a row's key is one of several, with the keys in the
// text. When all are of one shard the statement says so, so that a database spread by
// shard sends it to one node.
type keyList struct {
	columns string // "shard, account, …", the shard first
	keys    []row
}

// AppendQuery implements bun's schema.QueryAppender.
func (k keyList) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if k.oneShard() {
		shard, _, _ := strings.Cut(k.columns, ",") // in a join it says of which table
		b = append(append(b, shard...), " = "...)
		b = append(gen.AppendValue(b, reflect.ValueOf(k.keys[0][0])), " AND "...)
	}
	b = append(b, '(')
	b = append(append(b, k.columns...), ") IN ("...)
	b, err := tuples(k.keys).AppendQuery(gen, b)
	return append(b, ')'), err
}

func (k keyList) oneShard() bool {
	for _, key := range k.keys {
		if key[0] != k.keys[0][0] {
			return false
		}
	}
	return true
}

// convert maps a slice.
func convert[A, B any](in []A, fn func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = fn(a)
	}
	return out
}

// idBytes and hashBytes are column values; toID (records.go) and toHash read them
// back. A stored value of a wrong length gives one that is found nowhere, which
// verification names.
func idBytes(id [16]byte) []byte { return id[:] }

func hashBytes(hash [32]byte) []byte { return hash[:] }

func toHash(raw []byte) (h journal.Hash) {
	copy(h[:], raw)
	return h
}
