package api

import (
	"encoding/binary"
	"math"

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

// readCursor is the place that a cursor of a list with a mark holds, in so many bytes;
// nothing at the beginning.
func readCursor(cursor *Cursor, mark byte, size int) ([]byte, error) {
	text := opaque(cursor)
	if text == "" {
		return nil, nil
	}
	raw, err := cursortext.Bytes(text)
	if err != nil || len(raw) != 1+size || raw[0] != mark {
		return nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return raw[1:], nil
}

func cursorOf(mark byte, place []byte) *string {
	text := cursortext.Of(append([]byte{mark}, place...))
	return &text
}

// idMark begins cursors of lists in the order of ids, which hold the last id shown.
const idMark = 'i'

func afterID(cursor *Cursor) (uuid.UUID, error) {
	raw, err := readCursor(cursor, idMark, len(uuid.UUID{}))
	if raw == nil {
		return uuid.Nil, err
	}
	return uuid.UUID(raw), nil
}

func idCursor(id uuid.UUID) *string { return cursorOf(idMark, id[:]) }

// numberMark begins cursors of lists in the order of numbers.
const numberMark = 'n'

func afterNumber(cursor *Cursor) (uint64, error) {
	raw, err := readCursor(cursor, numberMark, 8)
	if raw == nil {
		return 0, err
	}
	n := binary.BigEndian.Uint64(raw)
	if n > math.MaxInt64 {
		return 0, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return n, nil
}

func numberCursor(n uint64) *string {
	return cursorOf(numberMark, binary.BigEndian.AppendUint64(nil, n))
}

// paged reads a page of a list in the order of ids.
func paged[record, shown any](limit *Limit, cursor *Cursor, list func(after uuid.UUID, limit int) ([]record, error), id func(record) uuid.UUID, show func(record) shown) ([]shown, *string, error) {
	after, err := afterID(cursor)
	if err != nil {
		return nil, nil, err
	}
	return pageOf(limit, func(n int) ([]record, error) { return list(after, n) }, func(r record) *string { return idCursor(id(r)) }, show)
}

// numbered reads a page of a list in the order of numbers.
func numbered[record, shown any](limit *Limit, cursor *Cursor, list func(after uint64, limit int) ([]record, error), number func(record) uint64, show func(record) shown) ([]shown, *string, error) {
	after, err := afterNumber(cursor)
	if err != nil {
		return nil, nil, err
	}
	return pageOf(limit, func(n int) ([]record, error) { return list(after, n) }, func(r record) *string { return numberCursor(number(r)) }, show)
}

// pageOf asks for one more than the page holds, to know whether there is a next.
func pageOf[record, shown any](limit *Limit, list func(limit int) ([]record, error), cursor func(last record) *string, show func(record) shown) ([]shown, *string, error) {
	size, err := pageSize(limit)
	if err != nil {
		return nil, nil, err
	}
	records, err := list(size + 1)
	if err != nil {
		return nil, nil, err
	}
	var next *string
	if len(records) > size {
		records = records[:size]
		next = cursor(records[size-1])
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
