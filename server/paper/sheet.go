package paper

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-pdf/fpdf"
	"github.com/skip2/go-qrcode"

	"github.com/tallystick/tallystick/internal/typeface"
)

// A4, in millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 16.0
	textWidth             = pageWidth - 2*margin
	bottom                = pageHeight - 20
)

// Sizes of letters, in millimetres, and how far lines are apart of that.
const (
	sizeTitle = 6.2
	sizeHead  = 4.2
	sizeText  = 3.2
	sizeSmall = 2.7
	leading   = 1.4
)

// sheets are the pages of one document. The first thing that goes wrong stays in err, and
// all that follows does nothing.
type sheets struct {
	pdf   *fpdf.Fpdf
	faces typeface.Faces
	say   words
	foot  string
	y     float64
	err   error
}

func newSheets(title, foot string, locale Locale) *sheets {
	s := &sheets{pdf: fpdf.New("P", "mm", "A4", ""), say: locale.words(), foot: foot}
	s.faces, s.err = typeface.Open()
	// One date for all, so that the same paper is the same bytes.
	made := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	s.pdf.SetCreationDate(made)
	s.pdf.SetModificationDate(made)
	s.pdf.SetCatalogSort(true)
	s.pdf.SetTitle(title, true)
	s.pdf.SetLang(string(locale))
	s.pdf.SetMargins(0, 0, 0)
	s.pdf.SetAutoPageBreak(false, 0)
	for _, f := range []typeface.Face{s.faces.Regular, s.faces.Bold, s.faces.Mono} {
		s.pdf.AddUTF8FontFromBytes(f.Name, "", f.TTF())
	}
	s.nextPage()
	return s
}

func (s *sheets) nextPage() {
	s.pdf.AddPage()
	s.y = margin
}

// need begins a page unless so much is left of this one.
func (s *sheets) need(height float64) {
	if s.y+height > bottom {
		s.nextPage()
	}
}

// lines breaks a text that is ours.
func (s *sheets) lines(text string, f typeface.Face, size, width float64) []string {
	out, err := f.Wrapped(text, size, width)
	s.fail(err)
	return out
}

// clean is a text of others with what the font has; another when nothing of it remains.
func (s *sheets) clean(text, instead string) string {
	got, err := s.faces.Regular.Drawable(text)
	s.fail(err)
	if got == "" {
		return instead
	}
	return got
}

func (s *sheets) fail(err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

// set writes one line with its base line at y.
func (s *sheets) set(text string, f typeface.Face, size, x, y float64) {
	if s.err != nil || text == "" {
		return
	}
	s.pdf.SetFont(f.Name, "", 0)
	s.pdf.SetFontUnitSize(size)
	s.pdf.Text(x, y, text)
}

// setRight writes one line that ends at x.
func (s *sheets) setRight(text string, f typeface.Face, size, x, y float64) {
	w, err := f.Width(text)
	s.fail(err)
	s.set(text, f, size, x-w*size, y)
}

// block writes a text in lines of a width, and goes on below it.
func (s *sheets) block(text string, f typeface.Face, size, x, width float64) {
	for _, line := range s.lines(text, f, size, width) {
		s.need(size * leading)
		s.set(line, f, size, x, s.y+size)
		s.y += size * leading
	}
}

func (s *sheets) para(text string) { s.block(text, s.faces.Regular, sizeText, margin, textWidth) }

func (s *sheets) small(text string) { s.block(text, s.faces.Regular, sizeSmall, margin, textWidth) }

// head begins a part, with room for some of what it is about.
func (s *sheets) head(text string) {
	s.need(24)
	s.y += 4
	s.block(text, s.faces.Bold, sizeHead, margin, textWidth)
	s.y++
}

// pair writes what something is called and what it is.
func (s *sheets) pair(label, value string, f typeface.Face, size, width float64) {
	const labels = 42
	lines := s.lines(value, f, size, width-labels)
	s.need(float64(len(lines)) * size * leading)
	s.set(label, s.faces.Regular, sizeSmall, margin, s.y+sizeText)
	for _, line := range lines {
		s.set(line, f, size, margin+labels, s.y+sizeText)
		s.y += size * leading
	}
	s.y += 0.6
}

// column is one of a table. Its width is a part of what all columns have together.
type column struct {
	title string
	part  float64
	right bool
	mono  bool
}

// table writes rows under their heads, which stand on every page again.
func (s *sheets) table(columns []column, rows [][]string) {
	all := 0.0
	for _, c := range columns {
		all += c.part
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	heads := func() { s.row(columns, titles, all, true) }
	s.need(4 * sizeText * leading)
	heads()
	for _, row := range rows {
		page := s.pdf.PageNo()
		if s.need(s.tall(columns, row, all)); s.pdf.PageNo() != page {
			heads()
		}
		s.row(columns, row, all, false)
	}
	s.y += 2
}

// gutter is between columns.
const gutter = 2.0

func (s *sheets) cell(c column, text string, all float64, head bool) (lines []string, f typeface.Face, size float64) {
	f, size = s.faces.Regular, sizeText
	switch {
	case head:
		f, size = s.faces.Bold, sizeSmall
	case c.mono:
		f, size = s.faces.Mono, sizeSmall
	}
	return s.lines(text, f, size, c.part/all*textWidth-gutter), f, size
}

func (s *sheets) tall(columns []column, row []string, all float64) float64 {
	most := 1
	for i, c := range columns {
		lines, _, _ := s.cell(c, row[i], all, false)
		most = max(most, len(lines))
	}
	return float64(most)*sizeText*leading + 1
}

func (s *sheets) row(columns []column, row []string, all float64, head bool) {
	x, most := margin, 1
	for i, c := range columns {
		lines, f, size := s.cell(c, row[i], all, head)
		width := c.part / all * textWidth
		for n, line := range lines {
			y := s.y + sizeText + float64(n)*sizeText*leading
			if c.right {
				s.setRight(line, f, size, x+width-gutter, y)
			} else {
				s.set(line, f, size, x, y)
			}
		}
		most, x = max(most, len(lines)), x+width
	}
	s.y += float64(most)*sizeText*leading + 0.5
	s.rule(head)
}

// rule draws a line across.
func (s *sheets) rule(dark bool) {
	grey, width := 205, 0.1
	if dark {
		grey, width = 60, 0.25
	}
	s.pdf.SetDrawColor(grey, grey, grey)
	s.pdf.SetLineWidth(width)
	s.pdf.Line(margin, s.y, margin+textWidth, s.y)
	s.y += 0.5
}

// code draws a QR symbol (ISO/IEC 18004, level M) with its white border, its right corner at
// the right margin.
func (s *sheets) code(text string, side, y float64) {
	symbol, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		s.fail(fmt.Errorf("make code: %w", err))
		return
	}
	modules := symbol.Bitmap()
	module, x := side/float64(len(modules)), pageWidth-margin-side
	s.pdf.SetFillColor(0, 0, 0)
	for row, dark := range modules {
		for from := 0; from < len(dark); from++ {
			to := from
			for to < len(dark) && dark[to] {
				to++
			}
			if to > from {
				s.pdf.Rect(x+float64(from)*module, y+float64(row)*module, float64(to-from)*module, module, "F")
				from = to
			}
		}
	}
}

// bytes ends the document: what stands below each page, and the page's number.
func (s *sheets) bytes() ([]byte, error) {
	count := s.pdf.PageCount()
	for page := 1; page <= count; page++ {
		s.pdf.SetPage(page)
		// A font that was set on another page would not be set on this one.
		s.set(" ", s.faces.Mono, sizeText, margin, pageHeight-10)
		s.set(s.foot, s.faces.Regular, sizeSmall, margin, pageHeight-10)
		s.setRight(put(s.say.page, fmt.Sprint(page), fmt.Sprint(count)), s.faces.Regular, sizeSmall, pageWidth-margin, pageHeight-10)
	}
	if s.err != nil {
		return nil, fmt.Errorf("make paper: %w", s.err)
	}
	var out bytes.Buffer
	if err := s.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("write pdf: %w", err)
	}
	return out.Bytes(), nil
}
