package print_test

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/print"
)

const (
	turkish = "çÇğĞıIiİöÖşŞüÜâÂ"
	polish  = "ąĄćĆęĘłŁńŃóÓśŚźŹżŻ"
)

func encoded(t failer, setting string, language print.Language, text string) string {
	t.Helper()
	page, err := print.PageOf(setting, language)
	if err != nil {
		t.Fatalf("%v", err)
	}
	decode := decoderOf(page)
	var out []rune
	for _, b := range page.Encode(text) {
		out = append(out, decode(b))
	}
	return string(out)
}

func TestLettersOfTheLanguagesAreInTheirPages(t *testing.T) {
	for _, tc := range []struct{ page, language, text, want string }{
		{"", "tr", turkish, turkish},
		{"pc857", "tr", turkish, turkish},
		{"wpc1254", "tr", turkish, turkish},
		{"", "pl", polish, polish},
		{"pc852", "pl", polish, polish},
		{"wpc1250", "pl", polish, polish},
		{"", "en", "Café £5 €5 naïve", "Café £5 €5 naïve"},
		{"wpc1252", "en", "€ œ “ok”", "€ œ “ok”"},
		// What a page lacks is written with others.
		{"pc437", "tr", turkish, "çÇgGiIiIöÖsSüÜâA"},
		{"pc437", "pl", polish, "aAcCeElLnNóOsSzZzZ"},
		{"pc857", "tr", "₺5 €5 ½ – “x” …", "TL5 EUR5 ½ - \"x\" ..."},
		{"pc852", "pl", "ﬁlm ① İstanbul", "film 1 Istanbul"},
		{"pc852", "pl", "e\u0328z\u0307", "ęż"}, // composed first
		{"pc437", "en", "日本 🙂 \x1b@\x00\x7f\u202e", "?? ? ?@???"},
		{"pc437", "en", "a\u00a0b\u2009c", "a\u00a0b c"},
	} {
		if got := encoded(t, tc.page, print.Language(tc.language), tc.text); got != tc.want {
			t.Errorf("%s %s: %q is printed as %q, want %q", tc.page, tc.language, tc.text, got, tc.want)
		}
	}
}

// Nothing is left out: every character that is no mark leaves something on the paper.
func TestNothingIsDropped(t *testing.T) {
	for _, name := range []string{"pc437", "pc850", "pc852", "pc857", "pc858", "wpc1250", "wpc1252", "wpc1254"} {
		rapid.Check(t, func(r *rapid.T) {
			c := rapid.Rune().Draw(r, "character")
			if got := encoded(r, name, print.English, string(c)); got == "" || !utf8.ValidString(got) {
				r.Fatalf("%s: %q (%U) is printed as %q", name, c, c, got)
			}
		})
	}
}

func TestSettingsOfCodePages(t *testing.T) {
	page, err := print.PageOf("PC857=61", print.Turkish)
	if err != nil || page.Number != 61 {
		t.Errorf("%d, %v", page.Number, err)
	}
	for _, bad := range []string{"pc999", "pc857=", "pc857=256", "pc857=-1", "=1"} {
		if _, err := print.PageOf(bad, print.Turkish); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
