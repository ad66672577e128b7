package printed

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/tallystick/tallystick/internal/typeface"
	"github.com/tallystick/tallystick/wallet/face"
)

// The sheet: A4, two cards across, five down.
const (
	sheetWidth, sheetHeight = 210.0, 297.0
	across, down            = 2, 5
	gap                     = 3.0
	cutMark                 = 3.0
)

// MaxSheet is how many cards one document may have.
const MaxSheet = 100

// PDF is the card of a face as a page of its size.
func (s *Stock) PDF(f face.Face) ([]byte, error) {
	p, err := s.paper(Width, Height)
	if err != nil {
		return nil, err
	}
	p.AddPage()
	if err := p.card(f, 0, 0); err != nil {
		return nil, err
	}
	return p.bytes()
}

// Sheet is A4 pages with ten cards each and marks to cut along.
func (s *Stock) Sheet(cards []face.Face) ([]byte, error) {
	if len(cards) == 0 || len(cards) > MaxSheet {
		return nil, fmt.Errorf("print sheet: %d cards, want 1 to %d", len(cards), MaxSheet)
	}
	p, err := s.paper(sheetWidth, sheetHeight)
	if err != nil {
		return nil, err
	}
	left := (sheetWidth - across*Width - (across-1)*gap) / 2
	top := (sheetHeight - down*Height - (down-1)*gap) / 2
	for i, f := range cards {
		at := i % (across * down)
		if at == 0 {
			p.AddPage()
		}
		x, y := left+float64(at%across)*(Width+gap), top+float64(at/across)*(Height+gap)
		if err := p.card(f, x, y); err != nil {
			return nil, fmt.Errorf("card %d: %w", i, err)
		}
		p.marks(x, y)
	}
	return p.bytes()
}

type paper struct {
	*fpdf.Fpdf
	stock *Stock
}

// logoName is under what a document holds the logo, once.
const logoName = "logo"

func (s *Stock) paper(w, h float64) (*paper, error) {
	p := &paper{fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: w, Ht: h}, OrientationStr: "P"}), s}
	// One date for all, so that the same cards are the same bytes.
	made := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetCatalogSort(true)
	p.SetMargins(0, 0, 0)
	p.SetAutoPageBreak(false, 0)
	for _, f := range []typeface.Face{s.faces.Regular, s.faces.Bold, s.faces.Mono} {
		p.AddUTF8FontFromBytes(f.Name, "", f.TTF())
	}
	var raw bytes.Buffer
	if err := png.Encode(&raw, s.logo); err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	p.RegisterImageOptionsReader(logoName, fpdf.ImageOptions{ImageType: "PNG"}, &raw)
	return p, p.failed()
}

// card draws a card with its corner at x, y.
func (p *paper) card(f face.Face, x, y float64) error {
	l, err := p.stock.layout(f)
	if err != nil {
		return err
	}
	p.fillWith(l.ground)
	p.Rect(x, y, Width, Height, "F")
	at := l.logoAt
	p.ImageOptions(logoName, x+at.x, y+at.y, at.w, at.h, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	p.fillWith(color.NRGBA{255, 255, 255, 255})
	p.Rect(x+l.code.x, y+l.code.y, l.code.w, l.code.h, "F")
	p.fillWith(color.NRGBA{A: 255})
	l.eachRun(func(b box) { p.Rect(x+b.x, y+b.y, b.w, b.h, "F") })
	for _, t := range l.lines {
		p.SetFont(t.face.Name, "", 0)
		p.SetFontUnitSize(t.size)
		p.SetTextColor(int(t.ink.R), int(t.ink.G), int(t.ink.B))
		p.Text(x+t.x, y+t.y, t.text)
	}
	return p.failed()
}

// marks draws where to cut, outside the card.
func (p *paper) marks(x, y float64) {
	p.SetDrawColor(120, 120, 120)
	p.SetLineWidth(0.1)
	for _, cx := range []float64{x, x + Width} {
		p.Line(cx, y-cutMark/2, cx, y)
		p.Line(cx, y+Height, cx, y+Height+cutMark/2)
	}
	for _, cy := range []float64{y, y + Height} {
		p.Line(x-cutMark/2, cy, x, cy)
		p.Line(x+Width, cy, x+Width+cutMark/2, cy)
	}
}

func (p *paper) fillWith(c color.NRGBA) { p.SetFillColor(int(c.R), int(c.G), int(c.B)) }

func (p *paper) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write pdf: %w", err)
	}
	return out.Bytes(), nil
}

func (p *paper) failed() error {
	if err := p.Error(); err != nil {
		return fmt.Errorf("write pdf: %w", err)
	}
	return nil
}
