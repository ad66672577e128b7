package console

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Kind is what the cells of a column, or the values of a filter, are.
type Kind string

// Kinds. A cell that has no value is nil.
const (
	Text   Kind = "text"   // string
	Word   Kind = "word"   // string out of a few
	ID     Kind = "id"     // string, a UUID; nil is nobody
	Hash   Kind = "hash"   // string, hexadecimal
	Number Kind = "number" // int64
	Flag   Kind = "flag"   // bool
	Time   Kind = "time"   // time.Time in UTC; nil is never
)

// Column is one column of a list.
type Column struct {
	Name string
	Kind Kind
}

// Order is a column by which a list can be sorted. Down says that it begins with the
// greatest unless asked otherwise.
type Order struct {
	Column string
	Down   bool
}

// Filter is something a list can be narrowed by. A list with a Needed one says nothing
// without it.
type Filter struct {
	Name   string
	Kind   Kind
	Needed bool
	// Words are the values of a filter of kind Word; none are any.
	Words []string
}

// List is one list. Orders are by what it can be sorted, the first unless asked otherwise.
type List struct {
	Name    string
	Columns []Column
	Filters []Filter
	Orders  []Order
}

// Column returns a column and whether the list has it.
func (l List) Column(name string) (Column, bool) {
	i := slices.IndexFunc(l.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return l.Columns[i], true
}

// Find returns the list of a name.
func Find(name string) (List, bool) {
	i := slices.IndexFunc(Lists, func(l List) bool { return l.Name == name })
	if i < 0 {
		return List{}, false
	}
	return Lists[i], true
}

// Row is a row of a list, a cell for each column.
type Row []any

// Place is where a page ended: the cell by which the list is sorted, as it is stored, what
// rows with the same cell are sorted by, if anything, and the key of the row.
type Place struct {
	Number int64  `cbor:"1,keyasint,omitempty"`
	Text   string `cbor:"2,keyasint,omitempty"`
	Key    []byte `cbor:"3,keyasint"`
	Then   int64  `cbor:"4,keyasint,omitempty"`
}

// Query is a checked question to a list. Filters hold a value of their kind each: string,
// uuid.UUID, bool, int64 or time.Time.
type Query struct {
	List    List
	Order   Order
	Filters map[string]any
	After   *Place
	Limit   int
	// Now is what counts as now, OnlineSince since when a terminal that is online was
	// heard.
	Now         time.Time
	OnlineSince time.Time
	// HQ is whose own journal is listed.
	HQ uuid.UUID
}

// ID returns the value of a filter of kind ID, zero when it is not set.
func (q Query) ID(filter string) uuid.UUID {
	id, _ := q.Filters[filter].(uuid.UUID)
	return id
}

// Found is a row with its place.
type Found struct {
	Row   Row
	Place Place
}
