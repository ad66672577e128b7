package posbooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sheet reads a CSV file. Unlike encoding/csv it finds its feet behind a row whose quotes
// are not closed, and never holds more of a file than one row.
type sheet struct {
	lines     *lines
	separator string
	columns   map[Field]int
}

// newSheet finds the head of a file, its delimiter and its columns.
func newSheet(in io.Reader, rules Rules) (*sheet, []string, error) {
	s := &sheet{lines: newLines(in), separator: rules.Delimiter}
	for range rules.Skip {
		if _, err := s.lines.next(); err != nil {
			return nil, nil, ended(err, "the file ends before its head")
		}
	}
	first, err := s.lines.next()
	for err == nil && strings.TrimSpace(first.text) == "" {
		first, err = s.lines.next()
	}
	if err != nil {
		return nil, nil, ended(err, "the file is empty")
	}
	if s.separator == "" {
		s.separator = likely(first.text)
	}
	s.lines.putBack([]line{first})
	if rules.Headless {
		s.columns, err = numbered(rules.Columns)
		return s, nil, err
	}
	_, head, bad, err := s.next()
	if err != nil {
		return nil, nil, err
	}
	if bad != "" {
		return nil, nil, &Unreadable{first.no, "the head " + bad}
	}
	s.columns, err = named(head, rules.Columns)
	return s, head, err
}

func ended(err error, reason string) error {
	if errors.Is(err, io.EOF) {
		return &Unreadable{Reason: reason}
	}
	return err
}

// likely is the delimiter of which the head has the most.
func likely(head string) string {
	best, most := ",", 0
	for _, d := range []string{";", ",", "\t", "|"} {
		if n := strings.Count(head, d); n > most {
			best, most = d, n
		}
	}
	return best
}

func numbered(columns map[Field]string) (map[Field]int, error) {
	out := map[Field]int{}
	for f, name := range columns {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "#"))
		if err != nil {
			return nil, &Unreadable{Reason: fmt.Sprintf("the file has no head, and the mapping names the column %q", clip(name))}
		}
		out[f] = n - 1
	}
	return out, nil
}

// named finds the columns of a mapping in a head, whatever the case and spaces around.
func named(head []string, columns map[Field]string) (map[Field]int, error) {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	at := map[string]int{}
	for i, name := range head {
		if _, twice := at[fold(name)]; !twice {
			at[fold(name)] = i
		}
	}
	out := map[Field]int{}
	for f, name := range columns {
		if number, ok := strings.CutPrefix(name, "#"); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				return nil, &Unreadable{Reason: fmt.Sprintf("%q is no column", clip(name))}
			}
			out[f] = n - 1
			continue
		}
		i, ok := at[fold(name)]
		if !ok {
			return nil, &Unreadable{Reason: fmt.Sprintf("the head has no column %q", clip(name))}
		}
		out[f] = i
	}
	return out, nil
}

// next returns the next row that is not blank: its first line and its cells, or what is
// bad about it. Reading goes on behind the first line of a bad row.
func (s *sheet) next() (at line, cells []string, bad string, err error) {
	for {
		if at, err = s.lines.next(); err != nil {
			return at, nil, "", err
		}
		if strings.TrimSpace(at.text) != "" || at.long {
			break
		}
	}
	if bad = illFormed(at); bad != "" {
		return at, nil, bad, nil
	}
	cells, open, bad := split(at.text, s.separator)
	if !open {
		return at, cells, bad, nil
	}
	row, more := at.text, []line(nil)
	for open && len(more) < maxRowLines && len(row) <= maxLine {
		following, err := s.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return at, nil, "", err
		}
		more = append(more, following)
		if illFormed(following) != "" {
			break
		}
		row += "\n" + following.text
		if strings.Contains(following.text, `"`) {
			cells, open, bad = split(row, s.separator)
		}
	}
	if open {
		bad = "has quotes that are not closed"
	}
	if bad != "" {
		s.lines.putBack(more)
	}
	return at, cells, bad, nil
}

// illFormed says why a line is none of a table.
func illFormed(l line) string {
	switch {
	case l.long:
		return fmt.Sprintf("is longer than %d bytes", maxLine)
	case !utf8.ValidString(l.text):
		return "is not in the encoding of the file"
	case strings.ContainsRune(l.text, 0):
		return "has a NUL byte"
	}
	return ""
}

// split takes a row apart (RFC 4180). Open says that it ends inside quotes.
func split(text, separator string) (cells []string, open bool, bad string) {
	for {
		rest, quoted := strings.CutPrefix(text, `"`)
		if !quoted {
			cell, after, more := strings.Cut(text, separator)
			if cells = append(cells, cell); !more {
				return cells, false, tooMany(cells)
			}
			text = after
			continue
		}
		var cell strings.Builder
		for {
			i := strings.IndexByte(rest, '"')
			if i < 0 {
				return nil, true, ""
			}
			cell.WriteString(rest[:i])
			if rest = rest[i+1:]; !strings.HasPrefix(rest, `"`) {
				break
			}
			cell.WriteByte('"')
			rest = rest[1:]
		}
		cells = append(cells, cell.String())
		if strings.TrimSpace(rest) == "" && !strings.HasPrefix(rest, separator) {
			return cells, false, tooMany(cells)
		}
		after, ok := strings.CutPrefix(rest, separator)
		if !ok {
			return nil, false, "has text behind a quote that was closed"
		}
		text = after
	}
}

func tooMany(cells []string) string {
	if len(cells) > maxColumns {
		return fmt.Sprintf("has more than %d columns", maxColumns)
	}
	return ""
}

// cell returns the cell of a field; empty when the mapping has no such column.
func (s *sheet) cell(cells []string, f Field) (string, error) {
	i, known := s.columns[f]
	if !known {
		return "", nil
	}
	if i >= len(cells) {
		return "", fmt.Errorf("has %d columns, and the %s stands in column %d", len(cells), f, i+1)
	}
	return strings.TrimSpace(cells[i]), nil
}

// readCSV reads a CSV file.
func (r Reading) readCSV(ctx context.Context, in io.Reader, into Into) (Summary, error) {
	text, name, err := decoded(in, r.Rules.Encoding)
	if err != nil {
		return Summary{}, err
	}
	s, head, err := newSheet(text, r.Rules)
	sum := Summary{Encoding: name, Head: head}
	if err != nil {
		return sum, err
	}
	sum.Delimiter = s.separator
	t, err := newTable(r, s)
	if err != nil {
		return sum, err
	}
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return sum, ctx.Err()
		}
		at, cells, bad, err := s.next()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		if bad == "" {
			if t.isTotal(cells) {
				bad = t.checkTotal(cells)
				if sum.TotalLines++; bad == "" {
					continue
				}
				sum.TotalsWrong++
			} else if bad, err = t.take(at.no, cells, &sum, into); err != nil {
				return sum, err
			}
		}
		if bad != "" {
			if err := sum.bad(into, Bad{at.no, bad, at.text}); err != nil {
				return sum, err
			}
		}
	}
}
