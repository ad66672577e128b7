package typeface_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/typeface"
)

func faces(t testing.TB) typeface.Faces {
	t.Helper()
	f, err := typeface.Open()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Who is given a font may write into it, and harms nobody.
func TestEveryoneHasAFontOfTheirOwn(t *testing.T) {
	f := faces(t).Mono
	clear(f.TTF())
	if f.TTF()[1] == 0 && f.TTF()[0] == 0 {
		t.Error("the font is gone")
	}
}

func TestTextsAreWrappedBetweenWords(t *testing.T) {
	f := faces(t).Regular
	lines, err := f.Wrapped("  one two\u00a0three  four ", 3, 16)
	if err != nil || strings.Join(lines, "|") != "one|two\u00a0three|four" {
		t.Errorf("%q, %v", lines, err)
	}
	if lines, err = f.Wrapped("", 3, 20); err != nil || len(lines) != 1 || lines[0] != "" {
		t.Errorf("%q, %v", lines, err)
	}
}

// No line is wider than it may be unless it is one letter, and no letter is lost.
func TestWrappedTextsFit(t *testing.T) {
	f := faces(t).Regular
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("abcĞİŁżW. -–\u00a0"))).Draw(t, "text")
		width := rapid.Float64Range(0.1, 60).Draw(t, "width")
		lines, err := f.Wrapped(text, 3, width)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if w, err := f.Width(line); err != nil || w*3 > width+1e-9 && utf8.RuneCountInString(line) > 1 {
				t.Errorf("%q has %f of %f, %v", line, w*3, width, err)
			}
		}
		plain := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if plain(strings.Join(lines, "")) != plain(text) {
			t.Errorf("%q became %q", text, lines)
		}
	})
}
