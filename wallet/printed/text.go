package printed

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// typeface is one of the fonts a card is set in: the Go fonts, which have all letters of
// Turkish and Polish. They lack ₺, so money is written with its code.
type typeface struct {
	name string
	ttf  []byte
	*sfnt.Font
}

type typefaces struct{ regular, bold, mono typeface }

var openTypefaces = sync.OnceValues(func() (typefaces, error) {
	var out typefaces
	for _, f := range []struct {
		into *typeface
		name string
		ttf  []byte
	}{{&out.regular, "regular", goregular.TTF}, {&out.bold, "bold", gobold.TTF}, {&out.mono, "mono", gomono.TTF}} {
		read, err := sfnt.Parse(f.ttf)
		if err != nil {
			return typefaces{}, fmt.Errorf("read font %s: %w", f.name, err)
		}
		*f.into = typeface{f.name, f.ttf, read}
	}
	return out, nil
})

// unitsPerEm is the scale at which text is measured.
const unitsPerEm = 1000

// width is how wide a text is at size 1.
func (f typeface) width(text string) (float64, error) {
	var buf sfnt.Buffer
	var sum fixed.Int26_6
	for _, r := range text {
		i, err := f.GlyphIndex(&buf, r)
		if err != nil {
			return 0, fmt.Errorf("measure text: %w", err)
		}
		advance, err := f.GlyphAdvance(&buf, i, fixed.I(unitsPerEm), font.HintingNone)
		if err != nil {
			return 0, fmt.Errorf("measure text: %w", err)
		}
		sum += advance
	}
	return float64(sum) / 64 / unitsPerEm, nil
}

// mostRunes is more than a card has room for at the smallest size.
const mostRunes = 200

// drawable is a text with only what the font has, in one line: signs it lacks, such as
// emoji, are left out. A text of which no letter or digit remains is empty: a name in a
// script the font lacks is better not there than as boxes.
func (f typeface) drawable(text string) (string, error) {
	var buf sfnt.Buffer
	var out strings.Builder
	said, runes := false, 0
	text = strings.ReplaceAll(text, "₺", "TRY ")
	for _, r := range norm.NFC.String(clipped(text)) {
		if unicode.IsSpace(r) {
			r = ' '
		}
		i, err := f.GlyphIndex(&buf, r)
		if err != nil {
			return "", fmt.Errorf("read text: %w", err)
		}
		if i == 0 || unicode.IsControl(r) {
			continue
		}
		said = said || unicode.IsLetter(r) || unicode.IsDigit(r)
		out.WriteRune(r)
		if runes++; runes == mostRunes {
			break
		}
	}
	if !said {
		return "", nil
	}
	return strings.Join(strings.Fields(out.String()), " "), nil
}

// clipped bounds the work that a text of any length makes.
func clipped(text string) string {
	const most = 16 * mostRunes
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// fitted makes a text fit into a width: smaller down to least, then cut with an ellipsis.
func (f typeface) fitted(text string, size, least, width float64) (string, float64, error) {
	w, err := f.width(text)
	if err != nil || w*size <= width {
		return text, size, err
	}
	if w*least <= width {
		return text, width / w, nil
	}
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		short := strings.TrimRight(string(runes[:n]), " ") + "…"
		if w, err = f.width(short); err != nil || w*least <= width {
			return short, least, err
		}
	}
	return "", least, nil
}
