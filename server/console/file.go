package console

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// Format is that of a file.
type Format string

// Formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// How many rows a file has at most.
const (
	MostCSV  = 1_000_000
	MostXLSX = 100_000
)

// What files are to a browser.
const (
	contentCSV  = "text/csv; charset=utf-8"
	contentXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// filePage is how many rows are read at once.
const filePage = 1000

// File is a list to be written. It is read page by page while it is written, so rows that
// change meanwhile are as they are when their page is read.
type File struct {
	Name        string
	ContentType string

	rows   Rows
	query  Query
	format Format
	marked bool
	given  func(ctx context.Context, do func(Row) error) error // instead of rows
}

// NewFile prepares rows that are no list of the console as a file: rows calls do for each,
// in order, with a cell for each of the columns.
func NewFile(name string, columns []Column, format Format, marked bool, rows func(ctx context.Context, do func(Row) error) error) (File, error) {
	f := File{Name: name + "." + string(format), query: Query{List: List{Name: "lines", Columns: columns}}, format: format, marked: marked, given: rows}
	switch format {
	case CSV:
		f.ContentType = contentCSV
	case XLSX:
		f.ContentType = contentXLSX
	default:
		return File{}, refuse("format", "must be csv or xlsx")
	}
	return f, nil
}

// File prepares a list as a file, with the filters and the order of a question. marked puts
// a byte order mark before CSV, which old spreadsheets need. With more rows than a file
// has at most it is problem.TooManyRows.
func (r *Reader) File(ctx context.Context, a Asked, format Format, marked bool) (File, error) {
	q, err := r.check(a)
	if err != nil {
		return File{}, err
	}
	most := MostCSV
	f := File{rows: r.rows, query: q, format: format, marked: marked, ContentType: contentCSV}
	switch format {
	case CSV:
	case XLSX:
		most, f.ContentType = MostXLSX, contentXLSX
	default:
		return File{}, refuse("format", "must be csv or xlsx")
	}
	n, err := r.rows.CountRows(ctx, q, most+1)
	if err != nil {
		return File{}, fmt.Errorf("count rows of %s: %w", q.List.Name, err)
	}
	if n > most {
		return File{}, problem.Newf(problem.TooManyRows, "a file of this kind has at most %d rows; narrow the list, by time for example", most)
	}
	f.Name = "tallystick-" + q.List.Name + "-" + q.Now.Format("20060102-150405") + "." + string(format)
	return f, nil
}

// Write writes the file.
func (f File) Write(ctx context.Context, w io.Writer) error {
	if f.format == XLSX {
		return f.writeSheet(ctx, w)
	}
	return f.writeText(ctx, w)
}

// each calls do for every row.
func (f File) each(ctx context.Context, do func(Row) error) error {
	if f.given != nil {
		return f.given(ctx, do)
	}
	q := f.query
	q.Limit = filePage
	for {
		found, err := f.rows.ListRows(ctx, q)
		if err != nil {
			return fmt.Errorf("read rows of %s: %w", q.List.Name, err)
		}
		for _, row := range found {
			if err := do(row.Row); err != nil {
				return err
			}
		}
		if len(found) < filePage {
			return nil
		}
		q.After = &found[len(found)-1].Place
	}
}

func (f File) writeText(ctx context.Context, w io.Writer) error {
	if f.marked {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	columns := f.query.List.Columns
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = c.Name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	err := f.each(ctx, func(r Row) error {
		for i, cell := range r {
			line[i] = textOf(cell)
		}
		return out.Write(line)
	})
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

// textOf is a cell as text that no spreadsheet takes for a formula.
func textOf(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(v)[0]) {
			return "'" + v
		}
		return v
	}
	return fmt.Sprint(cell)
}

// exact is up to where a number of a spreadsheet, which is binary floating point, is exact.
const exact = 1 << 53

func (f File) writeSheet(ctx context.Context, w io.Writer) (err error) {
	book := excelize.NewFile()
	defer func() {
		if cerr := book.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close sheet: %w", cerr)
		}
	}()
	if err := f.fill(ctx, book); err != nil {
		return err
	}
	if err := book.Write(w); err != nil {
		return fmt.Errorf("write sheet: %w", err)
	}
	return nil
}

func (f File) fill(ctx context.Context, book *excelize.File) error {
	name := f.query.List.Name
	if err := book.SetSheetName(book.GetSheetName(0), name); err != nil {
		return fmt.Errorf("name sheet: %w", err)
	}
	moments := "yyyy-mm-dd hh:mm:ss"
	style, err := book.NewStyle(&excelize.Style{CustomNumFmt: &moments})
	if err != nil {
		return fmt.Errorf("make style: %w", err)
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return fmt.Errorf("make style: %w", err)
	}
	// The stream keeps what is beyond 16 MiB in a temporary file.
	out, err := book.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("open sheet: %w", err)
	}
	columns := f.query.List.Columns
	line := make([]any, len(columns))
	for i, c := range columns {
		line[i] = excelize.Cell{StyleID: bold, Value: c.Name}
		if err := out.SetColWidth(i+1, i+1, widths[c.Kind]); err != nil {
			return fmt.Errorf("set width: %w", err)
		}
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("freeze head: %w", err)
	}
	if err := out.SetRow("A1", line); err != nil {
		return fmt.Errorf("write head: %w", err)
	}
	at := 1
	err = f.each(ctx, func(r Row) error {
		at++
		for i, cell := range r {
			line[i] = sheetCell(cell, style)
		}
		return out.SetRow("A"+strconv.Itoa(at), line)
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// widths of columns, in characters.
var widths = map[Kind]float64{Text: 24, Word: 18, ID: 38, Hash: 20, Number: 12, Flag: 8, Time: 20}

// sheetCell is a cell as a spreadsheet has it. Text is typed as text there, so that none of
// it is a formula.
func sheetCell(cell any, moment int) any {
	switch v := cell.(type) {
	case int64:
		if v > exact || v < -exact {
			return strconv.FormatInt(v, 10)
		}
	case time.Time:
		if y := v.Year(); y < 1900 || y > 9999 {
			return v.Format(time.RFC3339Nano)
		}
		return excelize.Cell{StyleID: moment, Value: v}
	}
	return cell
}
