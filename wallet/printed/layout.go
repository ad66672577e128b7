package printed

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"time"

	"github.com/tallystick/tallystick/internal/typeface"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Width and Height of a card, in millimetres: ISO/IEC 7810, ID-1, rounded to what printers
// cut.
const (
	Width  = 85.6
	Height = 54.0
)

// Stock is the card of a brand, on which the faces of passes are printed. It is safe for
// concurrent use.
type Stock struct {
	brand             brand.Brand
	ground, ink, soft color.NRGBA
	logo              *image.NRGBA // opaque, on the ground
	logoAt            box
	faces             typeface.Faces
}

// New makes the stock of a brand.
func New(b brand.Brand) (*Stock, error) {
	s := &Stock{brand: b}
	for _, c := range []struct {
		text string
		into *color.NRGBA
	}{{b.Background, &s.ground}, {b.Foreground, &s.ink}, {b.Label, &s.soft}} {
		read, err := brand.ParseColour(c.text)
		if err != nil {
			return nil, fmt.Errorf("print card: colour %w", err)
		}
		*c.into = read
	}
	drawn, err := brand.Draw(b, brand.DrawLogo, 0)
	if err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	logo, err := png.Decode(bytes.NewReader(drawn.PNG))
	if err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	s.logo = onGround(logo, s.ground)
	scale := min(logoWidth/float64(drawn.Width), logoHeight/float64(drawn.Height))
	s.logoAt = box{margin, margin, float64(drawn.Width) * scale, float64(drawn.Height) * scale}
	s.faces, err = typeface.Open()
	return s, err
}

// Measures of the layout, in millimetres.
const (
	margin     = 4.0
	moduleSide = 0.75 // a code of 41 modules has 30.75 mm, its white border 3 mm
	leastCode  = 25.0
	// quietModules is the white border that passtoken draws.
	quietModules = 4
	logoWidth    = 36.0
	logoHeight   = 11.0
)

// line is a text on the card; x and y are where its base line begins.
type line struct {
	text       string
	face       typeface.Face
	size, x, y float64
	ink        color.NRGBA
}

// layout is a card before it is written in one format. All is in millimetres.
type layout struct {
	*Stock
	modules [][]bool // with the white border
	code    box      // of the modules
	lines   []line
}

type box struct{ x, y, w, h float64 }

// words of the card that are not the brand's.
var words = map[string]struct{ number, through string }{
	"en": {"Card number", "Valid through"},
	"tr": {"Kart numarası", "Son geçerlilik"},
	"pl": {"Numer karty", "Ważna do"},
}

func (s *Stock) layout(f face.Face) (*layout, error) {
	l := &layout{Stock: s}
	var err error
	if l.modules, err = modulesOf(f.Code); err != nil {
		return nil, err
	}
	// A code with few modules is drawn larger.
	side := max(moduleSide, leastCode/float64(len(l.modules)-2*quietModules)) * float64(len(l.modules))
	l.code = box{Width - margin - side, margin, side, side}
	return l, l.setLines(f)
}

// modulesOf reads the code's modules off the picture that passtoken draws of it.
func modulesOf(code string) ([][]bool, error) {
	raw, err := passtoken.PNG(code, 1)
	if err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	drawn, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	out := make([][]bool, drawn.Bounds().Dy())
	for y := range out {
		out[y] = make([]bool, drawn.Bounds().Dx())
		for x := range out[y] {
			r, _, _, _ := drawn.At(x, y).RGBA()
			out[y][x] = r == 0
		}
	}
	return out, nil
}

// wish is a line before it is made to fit.
type wish struct {
	text                     string
	face                     typeface.Face
	size, least, x, y, width float64
	ink                      color.NRGBA
}

// wishes are the texts: who and which card on the left, until when and of whom under the
// code.
func (l *layout) wishes(f face.Face) []wish {
	say, ok := words[f.Locale]
	if !ok {
		say = words["en"]
	}
	name, label, until, host := f.Name, "", "", ""
	if f.Voucher != nil {
		name = f.Voucher.Name
	}
	if f.Number != "" {
		label = say.number
	}
	if !f.ExpiresOn.IsZero() {
		until = say.through + " " + f.ExpiresOn.Format(time.DateOnly)
	}
	if u, err := url.Parse(l.brand.Website); err == nil {
		host = u.Host
	}
	left, below := l.code.x-2*margin+1, l.code.y+l.code.h
	return []wish{
		{l.brand.Programme, l.faces.Bold, 4.4, 2.6, margin, 23, left, l.ink},
		{l.brand.TextsIn(f.Locale).Description, l.faces.Regular, 2.6, 2, margin, 27.2, left, l.soft},
		{name, l.faces.Regular, 3.6, 2.4, margin, 38, left, l.ink},
		{label, l.faces.Regular, 2.2, 2, margin, 43.6, left, l.soft},
		{f.Number, l.faces.Mono, 3.2, 2.4, margin, 47.8, left, l.ink},
		{until, l.faces.Regular, 2.3, 1.8, l.code.x, below + 4.2, l.code.w, l.soft},
		{host, l.faces.Regular, 2.3, 1.8, l.code.x, below + 7.8, l.code.w, l.soft},
	}
}

func (l *layout) setLines(f face.Face) error {
	for _, w := range l.wishes(f) {
		text, err := w.face.Drawable(w.text)
		if err != nil {
			return err
		}
		text, size, err := w.face.Fitted(text, w.size, w.least, w.width)
		if err != nil {
			return err
		}
		if text != "" {
			l.lines = append(l.lines, line{text, w.face, size, w.x, w.y, w.ink})
		}
	}
	return nil
}

// eachRun calls fn for each run of dark modules in a row, in millimetres.
func (l *layout) eachRun(fn func(b box)) {
	side := l.code.w / float64(len(l.modules))
	for y, row := range l.modules {
		for x := 0; x < len(row); x++ {
			start := x
			for x < len(row) && row[x] {
				x++
			}
			if x > start {
				fn(box{l.code.x + float64(start)*side, l.code.y + float64(y)*side, float64(x-start) * side, side})
			}
		}
	}
}
