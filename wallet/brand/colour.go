package brand

import (
	"errors"
	"image/color"
	"math"
	"strconv"
)

var errColour = errors.New("is no colour as #14594a")

// ParseColour reads #rrggbb. Nothing else is a colour here: names, short forms and
// transparency are not taken by both phone makers.
func ParseColour(text string) (color.NRGBA, error) {
	if len(text) != 7 || text[0] != '#' {
		return color.NRGBA{}, errColour
	}
	n, err := strconv.ParseUint(text[1:], 16, 24)
	if err != nil {
		return color.NRGBA{}, errColour
	}
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}, nil
}

// Contrast is the contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, "contrast
// ratio" and "relative luminance").
func Contrast(a, b color.NRGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// mixed is share of b over a, share from 0 to 1.
func mixed(a, b color.NRGBA, share float64) color.NRGBA {
	m := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-share) + float64(y)*share)) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 255}
}
