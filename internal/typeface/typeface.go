package typeface

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// Face is one of the fonts that paper is set in. Its methods are safe for concurrent use.
type Face struct {
	Name string
	*sfnt.Font

	ttf []byte
}

// TTF is the font's file, a copy for each who asks: makers of PDF write into what they are
// given.
func (f Face) TTF() []byte { return bytes.Clone(f.ttf) }

// Faces are the fonts there are.
type Faces struct{ Regular, Bold, Mono Face }

// Open reads the fonts, once.
var Open = sync.OnceValues(func() (Faces, error) {
	var out Faces
	for _, f := range []struct {
		into *Face
		name string
		ttf  []byte
	}{{&out.Regular, "regular", goregular.TTF}, {&out.Bold, "bold", gobold.TTF}, {&out.Mono, "mono", gomono.TTF}} {
		read, err := sfnt.Parse(f.ttf)
		if err != nil {
			return Faces{}, fmt.Errorf("read font %s: %w", f.name, err)
		}
		*f.into = Face{f.name, read, f.ttf}
	}
	return out, nil
})

// UnitsPerEm is the scale at which text is measured.
const UnitsPerEm = 1000

// Width is how wide a text is at size 1.
func (f Face) Width(text string) (float64, error) {
	var buf sfnt.Buffer
	var sum fixed.Int26_6
	for _, r := range text {
		i, err := f.GlyphIndex(&buf, r)
		if err != nil {
			return 0, fmt.Errorf("measure text: %w", err)
		}
		advance, err := f.GlyphAdvance(&buf, i, fixed.I(UnitsPerEm), font.HintingNone)
		if err != nil {
			return 0, fmt.Errorf("measure text: %w", err)
		}
		sum += advance
	}
	return float64(sum) / 64 / UnitsPerEm, nil
}

// mostRunes is more than a line of paper has room for.
const mostRunes = 200

// Drawable is a text with only what the font has, in one line: signs it lacks, such as
// emoji, are left out. A text of which no letter or digit remains is empty: a name in a
// script the font lacks is better not there than as boxes.
func (f Face) Drawable(text string) (string, error) {
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

// Fitted makes a text fit into a width: smaller down to least, then cut with an ellipsis.
func (f Face) Fitted(text string, size, least, width float64) (string, float64, error) {
	w, err := f.Width(text)
	if err != nil || w*size <= width {
		return text, size, err
	}
	if w*least <= width {
		return text, width / w, nil
	}
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		short := strings.TrimRight(string(runes[:n]), " ") + "…"
		if w, err = f.Width(short); err != nil || w*least <= width {
			return short, least, err
		}
	}
	return "", least, nil
}

// Wrapped breaks a text into lines of a width at a size: between words, and within one that
// is wider than a line. An empty text is one empty line.
func (f Face) Wrapped(text string, size, width float64) ([]string, error) {
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) { // and not at a fixed space
		for {
			wished := strings.TrimLeft(line+" "+word, " ")
			w, err := f.Width(wished)
			if err != nil {
				return nil, err
			}
			if w*size <= width {
				line = wished
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
				continue
			}
			n, err := f.fits(word, size, width)
			if err != nil {
				return nil, err
			}
			if n == len(word) {
				line = word
				break
			}
			lines, word = append(lines, word[:n]), word[n:]
		}
	}
	return append(lines, line), nil
}

// fits is how many bytes of a word fit in a width: one letter at least.
func (f Face) fits(word string, size, width float64) (int, error) {
	fit := 0
	for at, r := range word {
		end := at + utf8.RuneLen(r)
		w, err := f.Width(word[:end])
		if err != nil {
			return 0, err
		}
		if w*size > width && fit > 0 {
			return fit, nil
		}
		fit = end
	}
	return fit, nil
}
