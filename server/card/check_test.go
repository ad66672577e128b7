package card

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzFoldEmail(f *testing.F) {
	for _, seed := range []string{"ann@example.org", " Ann@Example.ORG ", "a@b", "\"a b\"@example.org", "ann@example.org\r\nBcc: x", "żaneta@przykład.pl", "a@[127.0.0.1]", "@", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folded, ok := foldEmail(text)
		if !ok {
			return
		}
		if strings.ContainsAny(folded, "\r\n<> \"") || len(folded) > 2*maxEmail || strings.Count(folded, "@") < 1 {
			t.Errorf("%q became %q", text, folded)
		}
		if again, ok := foldEmail(folded); utf8.ValidString(text) && (!ok || again != folded) {
			t.Errorf("%q became %q, and that %q, %t", text, folded, again, ok)
		}
	})
}

func FuzzFoldPhone(f *testing.F) {
	for _, seed := range []string{"+48 600 100 200", "0048600100200", "(+90) 532 000 00 00", "12", "+", "+1234567890123456", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		folded, ok := foldPhone(text)
		if ok && (folded[0] != '+' || len(folded) < minPhone || len(folded) > maxPhone || strings.Trim(folded[1:], "0123456789") != "") {
			t.Errorf("%q became %q", text, folded)
		}
	})
}

func TestEveryMailHasEveryLanguage(t *testing.T) {
	for _, l := range Locales() {
		for _, kind := range []mailKind{confirmMail, recoverMail} {
			subject, text, err := compose(l, kind, mailWords{Programme: "Żabka & Co", Link: "https://hq.example/card/#/open/x", Hours: 48})
			if err != nil || subject == "" || !strings.Contains(text, "https://hq.example/card/#/open/x") || !strings.Contains(text, "48") || !strings.Contains(subject, "Żabka & Co") {
				t.Errorf("%s %s: %q, %q, %v", kind, l, subject, text, err)
			}
		}
	}
}
