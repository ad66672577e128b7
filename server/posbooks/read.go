package posbooks

import (
	"context"
	"io"
	"strings"

	"github.com/tallystick/tallystick/sync/entry"
)

// Summary is what was found in a file.
type Summary struct {
	Rows, Bad, Ignored int64
	// TotalLines are lines of sums, TotalsWrong those that are not what the rows come to.
	TotalLines, TotalsWrong int64
	First, Last             entry.Date // of the rows; zero when there are none
	Encoding, Delimiter     string     // of CSV, as found
	Head                    []string
}

func (s *Summary) row(into Into, row Row) error {
	s.Rows++
	if s.First == 0 || row.Day < s.First {
		s.First = row.Day
	}
	s.Last = max(s.Last, row.Day)
	return into.Row(row)
}

func (s *Summary) bad(into Into, b Bad) error {
	s.Bad++
	b.Reason, b.Text = printable(b.Reason), printable(b.Text) // a reason may quote the file
	return into.Bad(b)
}

// printable shortens a foreign text so that it can be stored and shown.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '␀'
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	if r := []rune(text); len(r) > maxBadText {
		return string(r[:maxBadText]) + "…"
	}
	return text
}

// Read reads a file to its end. Memory does not grow with the file. It is *Unreadable when
// the whole of it cannot be read.
func (r Reading) Read(ctx context.Context, in io.Reader, into Into) (Summary, error) {
	r.zone = r.zoneSaid()
	switch r.Rules.Format {
	case JSON:
		return r.readJSON(ctx, in, into)
	case POSLog:
		return r.readPOSLog(ctx, in, into)
	}
	return r.readCSV(ctx, in, into)
}
