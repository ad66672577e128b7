package printed

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/tallystick/tallystick/internal/typeface"
	"github.com/tallystick/tallystick/wallet/face"
)

// SVG draws the card in millimetres. Letters are outlines, so that they look the same
// where the font is missing; what the card says stands in its title too.
func (s *Stock) SVG(f face.Face) (string, error) {
	l, err := s.layout(f)
	if err != nil {
		return "", err
	}
	var logo bytes.Buffer
	if err := png.Encode(&logo, l.logo); err != nil {
		return "", fmt.Errorf("print card: %w", err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s" role="img">`,
		mm(Width), mm(Height), mm(Width), mm(Height))
	out.WriteString("<title>" + escaped(l.said()) + "</title>")
	fmt.Fprintf(&out, `<path fill="%s" d="M0 0h%sv%sH0z"/>`, hex(l.ground), mm(Width), mm(Height))
	fmt.Fprintf(&out, `<image x="%s" y="%s" width="%s" height="%s" href="data:image/png;base64,%s"/>`,
		mm(l.logoAt.x), mm(l.logoAt.y), mm(l.logoAt.w), mm(l.logoAt.h), base64.StdEncoding.EncodeToString(logo.Bytes()))
	fmt.Fprintf(&out, `<path fill="#fff" d="M%s %sh%sv%sh-%sz"/>`, mm(l.code.x), mm(l.code.y), mm(l.code.w), mm(l.code.h), mm(l.code.w))
	out.WriteString(`<path shape-rendering="crispEdges" d="`)
	l.eachRun(func(b box) {
		fmt.Fprintf(&out, "M%s %sh%sv%sh-%sz", mm(b.x), mm(b.y), mm(b.w), mm(b.h), mm(b.w))
	})
	out.WriteString(`"/>`)
	for _, t := range l.lines {
		outlines, err := t.outlines()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, `<path fill="%s" d="%s"/>`, hex(t.ink), outlines)
	}
	return out.String() + "</svg>", nil
}

func (l *layout) said() string {
	said := make([]string, len(l.lines))
	for i, t := range l.lines {
		said[i] = t.text
	}
	return strings.Join(said, ", ")
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// mm writes a length with at most a thousandth.
func mm(v float64) string { return strconv.FormatFloat(float64(int64(v*1000+0.5))/1000, 'f', -1, 64) }

func escaped(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes all
	return out.String()
}

// outlines is the line as one path.
func (t line) outlines() (string, error) {
	var out strings.Builder
	var buf sfnt.Buffer
	x := t.x
	for _, r := range t.text {
		i, err := t.face.GlyphIndex(&buf, r)
		if err != nil {
			return "", fmt.Errorf("outline text: %w", err)
		}
		segments, err := t.face.LoadGlyph(&buf, i, fixed.I(typeface.UnitsPerEm), nil)
		if err != nil {
			return "", fmt.Errorf("outline text: %w", err)
		}
		at := func(p fixed.Point26_6) string {
			return fmt.Sprintf("%s %s", coordinate(x+float64(p.X)/64/typeface.UnitsPerEm*t.size), coordinate(t.y+float64(p.Y)/64/typeface.UnitsPerEm*t.size))
		}
		for _, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				out.WriteString("M" + at(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				out.WriteString("L" + at(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				out.WriteString("Q" + at(s.Args[0]) + " " + at(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				out.WriteString("C" + at(s.Args[0]) + " " + at(s.Args[1]) + " " + at(s.Args[2]))
			}
		}
		w, err := t.face.Width(string(r))
		if err != nil {
			return "", err
		}
		x += w * t.size
	}
	return out.String(), nil
}

// coordinate writes a place with a thousandth; unlike a length it may be negative.
func coordinate(v float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".")
}
