package store

import (
	"context"
	"reflect"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/tallystick/tallystick/sync/journal"
)

// bulk is how many rows one statement carries.
const bulk = 500

// row is the values of one row, or of its key, in the order of their columns.
type row []any

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
			b = gen.AppendValue(b, reflect.ValueOf(v))
		}
		b = append(b, ')')
	}
	return b, nil
}

// keyList is the condition that a row's key is one of several; each key begins
// with its shard. When all are of one shard the statement says so, so that a
// database spread by shard sends it to one node.
type keyList struct {
	columns string // "shard, account, …"
	keys    []row
	sqlite  bool
}

// AppendQuery implements bun's schema.QueryAppender.
func (k keyList) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if k.oneShard() {
		b = append(b, "shard = "...)
		b = append(gen.AppendValue(b, reflect.ValueOf(k.keys[0][0])), " AND "...)
	}
	b = append(b, '(')
	b = append(append(b, k.columns...), ") IN ("...)
	if k.sqlite { // SQLite takes rows from a table only, PostgreSQL types only a list
		b = append(b, "VALUES "...)
	}
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

// insert runs "<head> VALUES rows <tail>" in bulks.
func (db *DB) insert(ctx context.Context, head string, rows []row, tail string) error {
	for part := range slices.Chunk(rows, bulk) {
		if _, err := db.write(ctx).NewRaw(head+" VALUES ? "+tail, tuples(part)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// selectKeys runs a query whose only argument is a condition on keys, in bulks,
// and returns all rows.
func selectKeys[T any](ctx context.Context, db *DB, on bun.IDB, query, columns string, keys []row) ([]T, error) {
	var out []T
	for part := range slices.Chunk(keys, bulk) {
		var rows []T
		err := on.NewRaw(query, keyList{columns, part, db.sqlite}).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
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
