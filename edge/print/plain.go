package print

import (
	"strings"
	"unicode/utf8"
)

// Widths in columns of Font A that printers have, and their limits here.
const (
	MinColumns     = 24
	MaxColumns     = 96
	DefaultColumns = 48
)

// Plain writes a document as text of so many columns. A QR code is its text.
func Plain(d Document, columns int) string {
	var out strings.Builder
	for _, row := range d.Rows {
		for _, line := range linesOf(row, columns) {
			out.WriteString(strings.TrimRight(line, " "))
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// linesOf gives a row its width.
func linesOf(row Row, columns int) []string {
	switch row.Kind {
	case RowRule:
		return []string{strings.Repeat("-", columns)}
	case RowFeed:
		return []string{""}
	case RowPair:
		return pairOf(row.Text, row.Right, columns)
	}
	lines := wrap(row.Text, columns)
	if row.Center {
		for i, line := range lines {
			lines[i] = strings.Repeat(" ", (columns-width(line))/2) + line
		}
	}
	return lines
}

// pairOf puts two texts at both ends, on two lines when they do not fit on one.
func pairOf(left, right string, columns int) []string {
	if gap := columns - width(left) - width(right); gap > 0 {
		return []string{left + strings.Repeat(" ", gap) + right}
	}
	lines := wrap(left, columns)
	for _, line := range wrap(right, columns) {
		lines = append(lines, strings.Repeat(" ", columns-width(line))+line)
	}
	return lines
}

// wrap breaks text at spaces, and a word that is too long anywhere. It gives at least one
// line.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && width(line)+1+width(word) <= columns {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for width(word) > columns {
			cut := 0
			for range columns {
				_, size := utf8.DecodeRuneInString(word[cut:])
				cut += size
			}
			lines, word = append(lines, word[:cut]), word[cut:]
		}
		line = word
	}
	return append(lines, line)
}

func width(text string) int { return utf8.RuneCountInString(text) }
