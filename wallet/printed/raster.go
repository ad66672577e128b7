package printed

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/tallystick/tallystick/wallet/face"
)

// Resolutions of a PNG, in dots per inch.
const (
	LeastDPI   = 150
	DefaultDPI = 300
	MostDPI    = 600
)

const mmPerInch = 25.4

// PNG draws the card with so many dots per inch. Each module of the code is a whole number
// of dots, so the code is up to a tenth smaller than in the other formats.
func (s *Stock) PNG(f face.Face, dpi int) ([]byte, error) {
	if dpi < LeastDPI || dpi > MostDPI {
		return nil, fmt.Errorf("print card: %d dots per inch, want %d to %d", dpi, LeastDPI, MostDPI)
	}
	l, err := s.layout(f)
	if err != nil {
		return nil, err
	}
	scale := float64(dpi) / mmPerInch
	on := func(mm float64) int { return int(math.Round(mm * scale)) }
	img := image.NewNRGBA(image.Rect(0, 0, on(Width), on(Height)))
	fill(img, img.Bounds(), l.ground)
	at := l.logoAt
	draw.CatmullRom.Scale(img, image.Rect(on(at.x), on(at.y), on(at.x+at.w), on(at.y+at.h)), l.logo, l.logo.Bounds(), draw.Src, nil)
	n := len(l.modules)
	module := int(l.code.w * scale / float64(n))
	corner := image.Pt(on(l.code.x+l.code.w)-n*module, on(l.code.y))
	fill(img, image.Rectangle{corner, corner.Add(image.Pt(n*module, n*module))}, color.NRGBA{255, 255, 255, 255})
	for y, row := range l.modules {
		for x, dark := range row {
			if dark {
				m := corner.Add(image.Pt(x*module, y*module))
				fill(img, image.Rectangle{m, m.Add(image.Pt(module, module))}, color.NRGBA{A: 255})
			}
		}
	}
	for _, t := range l.lines {
		if err := setLine(img, t, scale); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("print card: %w", err)
	}
	return withResolution(out.Bytes(), dpi), nil
}

func fill(img *image.NRGBA, at image.Rectangle, ink color.NRGBA) {
	draw.Draw(img, at, image.NewUniform(ink), image.Point{}, draw.Src)
}

func setLine(img *image.NRGBA, t line, scale float64) error {
	set, err := opentype.NewFace(t.face.Font, &opentype.FaceOptions{Size: t.size * scale, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return fmt.Errorf("set text: %w", err)
	}
	d := font.Drawer{
		Dst: img, Src: image.NewUniform(t.ink), Face: set,
		Dot: fixed.Point26_6{X: fixed.Int26_6(t.x * scale * 64), Y: fixed.Int26_6(t.y * scale * 64)},
	}
	d.DrawString(t.text)
	return set.Close()
}

// onGround lays a picture over a colour.
func onGround(picture image.Image, ground color.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(picture.Bounds())
	fill(out, out.Bounds(), ground)
	draw.Draw(out, out.Bounds(), picture, picture.Bounds().Min, draw.Over)
	return out
}
