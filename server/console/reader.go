package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// Limits of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
	maxFilter   = 100 // characters of a text to look for
)

// Rows reads rows of lists.
type Rows interface {
	ListRows(ctx context.Context, q Query) ([]Found, error)
	// CountRows counts the rows of a query, up to a limit.
	CountRows(ctx context.Context, q Query, limit int) (int, error)
}

// Reader answers questions to lists. It is safe for concurrent use.
type Reader struct {
	rows   Rows
	clock  clock.Clock
	online time.Duration
	hq     uuid.UUID
}

// NewReader returns a reader for an HQ. A terminal counts as online that was heard
// within a time.
func NewReader(rows Rows, c clock.Clock, online time.Duration, hq uuid.UUID) *Reader {
	return &Reader{rows: rows, clock: c, online: online, hq: hq}
}

// Asked is a question as it came: the name of a list, and text. Empty fields take what is
// usual; Order is a column, with a hyphen before it to begin with the greatest and a plus
// to begin with the least.
type Asked struct {
	List    string
	Order   string
	Filters map[string]string
	Cursor  string
	Limit   int // 0 is DefaultPage
}

// Page is one page of a list. Next is empty at the end.
type Page struct {
	Columns []Column
	Rows    []Row
	Next    string
}

// Page answers one page. A list that is not there is problem.NotFound; what cannot be
// asked of it is problem.InvalidField and names the parameter.
func (r *Reader) Page(ctx context.Context, a Asked) (Page, error) {
	if a.Limit == 0 {
		a.Limit = DefaultPage
	}
	if a.Limit < 1 || a.Limit > MaxPage {
		return Page{}, refuse("limit", "must be 1 to 200")
	}
	q, err := r.check(a)
	if err != nil {
		return Page{}, err
	}
	if q.After, err = readCursor(q, a.Cursor); err != nil {
		return Page{}, err
	}
	q.Limit = a.Limit + 1
	found, err := r.rows.ListRows(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("list %s: %w", q.List.Name, err)
	}
	out := Page{Columns: q.List.Columns, Rows: []Row{}}
	if len(found) > a.Limit {
		found = found[:a.Limit]
		if out.Next, err = writeCursor(q, found[a.Limit-1].Place); err != nil {
			return Page{}, err
		}
	}
	for _, f := range found {
		out.Rows = append(out.Rows, f.Row)
	}
	return out, nil
}

// check makes a query of a question.
func (r *Reader) check(a Asked) (Query, error) {
	list, ok := Find(a.List)
	if !ok {
		return Query{}, problem.Newf(problem.NotFound, "there is no list of this name")
	}
	now := r.clock.Now().UTC()
	q := Query{List: list, Order: list.Orders[0], Filters: map[string]any{}, Now: now, OnlineSince: now.Add(-r.online), HQ: r.hq}
	if a.Order != "" {
		name := strings.TrimLeft(a.Order, "+-")
		i := slices.IndexFunc(list.Orders, func(o Order) bool { return o.Column == name })
		if i < 0 || len(a.Order)-len(name) > 1 {
			return Query{}, refuse("order", "is none the list can be sorted by")
		}
		q.Order = list.Orders[i]
		if a.Order[0] == '-' || a.Order[0] == '+' {
			q.Order.Down = a.Order[0] == '-'
		}
	}
	for name, text := range a.Filters {
		i := slices.IndexFunc(list.Filters, func(f Filter) bool { return f.Name == name })
		if i < 0 {
			return Query{}, refuse(name, "is none the list can be narrowed by")
		}
		value, err := readFilter(list.Filters[i], text)
		if err != nil {
			return Query{}, err
		}
		q.Filters[name] = value
	}
	for _, f := range list.Filters {
		if _, given := q.Filters[f.Name]; f.Needed && !given {
			return Query{}, refuse(f.Name, "is needed for this list")
		}
	}
	return q, nil
}

func readFilter(f Filter, text string) (any, error) {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxFilter || strings.ContainsRune(text, 0) {
		return nil, refuse(f.Name, "has too many characters, or some that cannot be")
	}
	switch f.Kind {
	case ID:
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, refuse(f.Name, "is no UUID")
		}
		return id, nil
	case Flag:
		if text != "true" && text != "false" {
			return nil, refuse(f.Name, "must be true or false")
		}
		return text == "true", nil
	case Time:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, refuse(f.Name, "is no time of RFC 3339")
		}
		return at, nil
	case Word:
		if len(f.Words) > 0 && !slices.Contains(f.Words, text) {
			return nil, refuse(f.Name, "must be one of "+strings.Join(f.Words, ", "))
		}
	}
	return text, nil
}

// mark ties a cursor to a list and its order.
type mark struct {
	List  string `cbor:"1,keyasint"`
	Order Order  `cbor:"2,keyasint"`
	Place Place  `cbor:"3,keyasint"`
}

func writeCursor(q Query, p Place) (string, error) {
	raw, err := wire.Marshal(mark{q.List.Name, q.Order, p})
	return cursortext.Of(raw), err
}

// maxCursor bounds a cursor in characters; the longest text that lists are sorted by has
// 256 of up to four bytes.
const maxCursor = 2048

func readCursor(q Query, cursor string) (*Place, error) {
	if cursor == "" {
		return nil, nil
	}
	wrong := problem.New(problem.CursorInvalid, "the cursor is not one of this list in this order")
	raw, err := cursortext.Bytes(cursor)
	if err != nil || len(cursor) > maxCursor {
		return nil, wrong
	}
	m, err := wire.Unmarshal[mark](raw)
	if err != nil || m.List != q.List.Name || m.Order != q.Order || len(m.Place.Key) > 64 || len(m.Place.Key) == 0 {
		return nil, wrong
	}
	return &m.Place, nil
}

func refuse(parameter, reason string) error {
	return &problem.Error{
		Code: problem.InvalidField, Detail: "the list cannot be asked so", Fields: map[string]string{parameter: reason},
	}
}
