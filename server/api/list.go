package api

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of a page, as the document states them.
const (
	defaultPage = 50
	maxPage     = 200
)

// pageSize reads the limit of a list request.
func pageSize(limit *Limit) (int, error) {
	if limit == nil {
		return defaultPage, nil
	}
	if *limit < 1 || *limit > maxPage {
		return 0, badParameter("limit", "must be 1 to 200")
	}
	return int(*limit), nil
}

// Cursors of lists in the order of ids are the last id shown.
const idCursorMark = "i"

func afterID(cursor *Cursor) (uuid.UUID, error) {
	if cursor == nil || *cursor == "" {
		return uuid.Nil, nil
	}
	raw, err := cursortext.Bytes(*cursor)
	if err != nil || len(raw) != 17 || string(raw[:1]) != idCursorMark {
		return uuid.Nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return uuid.UUID(raw[1:]), nil
}

func idCursor(id uuid.UUID) *string {
	text := cursortext.Of(append([]byte(idCursorMark), id[:]...))
	return &text
}

// paged asks for one more than the page holds, to know whether there is a next.
func paged[record, shown any](limit *Limit, cursor *Cursor, list func(after uuid.UUID, limit int) ([]record, error), id func(record) uuid.UUID, show func(record) shown) ([]shown, *string, error) {
	size, err := pageSize(limit)
	if err != nil {
		return nil, nil, err
	}
	after, err := afterID(cursor)
	if err != nil {
		return nil, nil, err
	}
	records, err := list(after, size+1)
	if err != nil {
		return nil, nil, err
	}
	var next *string
	if len(records) > size {
		records = records[:size]
		next = idCursor(id(records[size-1]))
	}
	return showAll(records, show), next, nil
}

func showAll[record, shown any](records []record, show func(record) shown) []shown {
	out := make([]shown, len(records))
	for i, r := range records {
		out[i] = show(r)
	}
	return out
}

func badParameter(name, reason string) error {
	return &problem.Error{
		Code: problem.InvalidField, Detail: "a parameter is not allowed so",
		Fields: map[string]string{name: reason},
	}
}

// opaque returns a cursor that another room makes and reads.
func opaque(cursor *Cursor) string {
	if cursor == nil {
		return ""
	}
	return *cursor
}

// unlessEmpty leaves out what has no value.
func unlessEmpty[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

func valueOf[T any](pointer *T) T {
	if pointer == nil {
		var none T
		return none
	}
	return *pointer
}
