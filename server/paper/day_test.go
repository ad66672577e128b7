package paper

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/typeface"
	"github.com/tallystick/tallystick/server/storeday"
)

var update = flag.Bool("update", false, "write the golden files")

func id(b byte) uuid.UUID { return uuid.UUID{0: b, 6: 0x70, 8: 0x80, 15: b} }

// sample is a certificate with everything that one can have.
func sample() Day {
	c := storeday.Certificate{
		HQ: id(1), Store: id(2), HQEpoch: 2, Number: 41, Date: "2026-03-29", Previous: strings.Repeat("ab", 32), CutAt: 1774828800123,
		Journals: []storeday.Journal{
			{Terminal: id(3), Name: "Kasa ĞÜŞİÖÇ", Epoch: 1, First: 12, Last: 1840, Head: strings.Repeat("0123", 16)},
			{Terminal: id(4), Name: "Żółw", Epoch: 2, First: 7, Last: 6, Over: storeday.OverLost, Gap: &storeday.Gap{
				Declaration: id(9), After: 6, Said: 11, Bound: []storeday.Bound{{Unit: "points", Rights: 4000, StandIn: 1500}, {Rights: 2}},
			}},
			{
				Terminal: id(5), Name: "🛒", Epoch: 1, First: 1, Last: 3, Head: strings.Repeat("4567", 16), Over: storeday.OverRevoked, Rejected: []uint64{2, 3},
				Forks: []storeday.Fork{{Branch: 1, First: 3, Last: 5, Head: strings.Repeat("89ab", 16)}},
			},
		},
		Day: storeday.Figures{
			Date: "2026-03-29", Entries: 1832,
			Kinds:   []storeday.Kind{{Kind: "sale", Count: 1830}, {Kind: "day_close", Count: 1}, {Kind: "kind_99", Count: 1}},
			Money:   []storeday.Money{{Kind: "sale", Currency: "TRY", Count: 1830, Total: 123456789, Discount: 4200}, {Kind: "return", Currency: "JPY", Count: 2, Total: 1500}},
			Amounts: []storeday.Amount{{Kind: "sale", Flow: "earned", Unit: "points", Count: 1830, Amount: 1234567}, {Kind: "sale", Flow: "redeemed", Basis: "stand_in", Count: 1, Amount: 1}},
		},
		Late:        []storeday.Figures{{Date: "2026-03-27", Entries: 1, Kinds: []storeday.Kind{{Kind: "sale", Count: 1}}}},
		Exceptions:  []storeday.Exceptions{{Kind: "overdraw", Open: 1, Settled: 2, Amount: 350}},
		Differences: 3,
	}
	return Day{Certificate: c, Text: "aaa.bbb.ccc", Code: "S-1", Name: "Köşe Çay ₺ i Łódź", Address: "https://loyalty.example.org"}
}

func made(t *testing.T, d Day, locale Locale) string {
	t.Helper()
	raw, err := d.PDF(locale)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), string(locale)+".pdf")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// tool finds a program of poppler-utils or zbar-tools: readers that share no code with us.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("SKIPPED ALOUD: " + name + " is missing: apt-get install poppler-utils zbar-tools")
	}
	return path
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
	return out
}

// closer is a text with what the layout spaces out brought together.
func closer(text []byte) []byte {
	text = regexp.MustCompile(`[ ]+`).ReplaceAll(text, []byte(" "))
	return regexp.MustCompile(`\n\s*\n`).ReplaceAll(text, []byte("\n"))
}

func TestThePaperSaysWhatTheCertificateSays(t *testing.T) {
	for _, locale := range []Locale{English, Turkish, Polish} {
		t.Run(string(locale), func(t *testing.T) {
			got := closer(run(t, tool(t, "pdftotext"), "-layout", made(t, sample(), locale), "-"))
			golden := filepath.Join("testdata", "day."+string(locale)+".txt")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the paper says\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The code is read from a picture of the paper as a printer of 150 dots an inch makes it.
func TestTheCodeOpensThePageThatVerifies(t *testing.T) {
	draw, zbar := tool(t, "pdftoppm"), tool(t, "zbarimg")
	d := sample()
	file := made(t, d, English)
	run(t, draw, "-r", "150", "-f", "1", "-l", "1", "-png", "-singlefile", file, strings.TrimSuffix(file, ".pdf"))
	got := strings.TrimSpace(string(run(t, zbar, "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", strings.TrimSuffix(file, "pdf")+"png")))
	if got != d.Link() {
		t.Fatalf("the code reads %q, want %q", got, d.Link())
	}
	rest, _ := strings.CutPrefix(got, d.Address+Path)
	if asked, ok := ReadLink(rest); !ok || asked != (Asked{d.Store, d.Date, storeday.Digest(d.Text)}) {
		t.Errorf("it asks for %+v, %v", asked, ok)
	}
}

func TestTheSignedTextIsAttached(t *testing.T) {
	detach := tool(t, "pdfdetach")
	file := made(t, sample(), English)
	run(t, detach, "-saveall", "-o", filepath.Dir(file), file)
	if got, err := os.ReadFile(filepath.Join(filepath.Dir(file), "certificate-S-1-2026-03-29.jwt")); err != nil || string(got) != "aaa.bbb.ccc\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTheSameCertificateIsTheSameBytes(t *testing.T) {
	for _, locale := range []Locale{English, Turkish, Polish} {
		one, err := sample().PDF(locale)
		two, err2 := sample().PDF(locale)
		if err != nil || err2 != nil || !bytes.Equal(one, two) || len(one) < 1000 {
			t.Errorf("%s: %d and %d bytes, %v, %v", locale, len(one), len(two), err, err2)
		}
	}
}

// A store of 300 lanes has more pages, each with its head and number.
func TestALongPaperHasPages(t *testing.T) {
	text, d := tool(t, "pdftotext"), sample()
	for range 300 {
		d.Journals = append(d.Journals, d.Journals[0])
	}
	d.Journals[2].Rejected = make([]uint64, 20000)
	pages := bytes.Split(run(t, text, "-layout", made(t, d, English), "-"), []byte("\f"))
	pages = pages[:len(pages)-1]
	if len(pages) < 20 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, page := range pages[1:8] {
		if !bytes.Contains(page, []byte(put(english.page, numbers([]uint64{uint64(i + 2)}), numbers([]uint64{uint64(len(pages))})))) ||
			!bytes.Contains(page, []byte(english.head)) {
			t.Fatalf("page %d: %.400s", i+2, page)
		}
	}
}

func TestLinksThatAreNotOursAskForNothing(t *testing.T) {
	good, _ := strings.CutPrefix(sample().Link(), "https://loyalty.example.org"+Path)
	if _, ok := ReadLink(good); !ok {
		t.Fatal(good)
	}
	for _, bad := range []string{
		"", "/", "//", good + "/", good[1:], strings.Replace(good, "2026-03-29", "2026-02-30", 1), strings.Replace(good, "2026", "0000", 1), good[:len(good)-1] + "!",
		good[:len(good)-1], good + "A", strings.Replace(good, "-", "", 1), "x" + good[1:],
	} {
		if a, ok := ReadLink(bad); ok {
			t.Errorf("%q asks for %+v", bad, a)
		}
	}
}

func FuzzReadLink(f *testing.F) {
	good, _ := strings.CutPrefix(sample().Link(), "https://loyalty.example.org"+Path)
	f.Add(good)
	f.Add("a/b/c")
	f.Fuzz(func(t *testing.T, rest string) {
		a, ok := ReadLink(rest)
		if ok && (len(a.Digest) != 64 || len(a.Date) != 10) {
			t.Errorf("%q asks for %+v", rest, a)
		}
	})
}

// A phrase that the font cannot draw, or that is missing in one language, would be a hole.
func TestEveryPhraseIsThereAndCanBeDrawn(t *testing.T) {
	faces, err := typeface.Open()
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string][2]any{
		"en": {english, english}, "tr": {turkish, english}, "pl": {polish, english}, "statements en": {settleIn[English], settleIn[English]},
		"statements tr": {settleIn[Turkish], settleIn[English]}, "statements pl": {settleIn[Polish], settleIn[English]},
	} {
		v, want := reflect.ValueOf(of[0]), reflect.ValueOf(of[1])
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			var texts []string
			switch f := v.Field(i); f.Kind() {
			case reflect.String:
				texts = []string{f.String()}
				if f.Len() == 0 || strings.Count(f.String(), "{") != strings.Count(want.Field(i).String(), "{") {
					t.Errorf("%s.%s: %q", name, field, f)
				}
			default:
				if f.Len() != want.Field(i).Len() {
					t.Errorf("%s.%s has %d words, English %d", name, field, f.Len(), want.Field(i).Len())
				}
				for _, key := range want.Field(i).MapKeys() {
					text := f.MapIndex(key)
					if !text.IsValid() || text.Len() == 0 {
						t.Errorf("%s.%s has none for %s", name, field, key)
						continue
					}
					texts = append(texts, text.String())
				}
			}
			for _, text := range texts {
				for _, r := range text {
					if g, err := faces.Regular.GlyphIndex(nil, r); (err != nil || g == 0) && !unicode.IsSpace(r) {
						t.Errorf("%s.%s: %q cannot be drawn", name, field, r)
					}
				}
			}
		}
	}
}

// What terminals call their money is theirs: the paper is made whatever it is.
func TestMoneyOfAnyNameCanBeDrawn(t *testing.T) {
	for name, code := range map[string]string{
		"emoji": "😀", "a new line": "E\nUR", "no letters at all": "\x00\xff", "another script": "元", "long": strings.Repeat("W", 3000), "none": "",
	} {
		d := sample()
		d.Day.Money[0].Currency = code
		pages, err := d.PDF(English)
		if err != nil || len(pages) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Page(English); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
