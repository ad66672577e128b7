package apple

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/wallet/brand"
)

func TestCutKeepsCharactersWhole(t *testing.T) {
	family, flag, accent, thumb, syllable := "👩‍👩‍👧‍👦", "🇵🇱", "e\u0301", "👍🏽", "\u1112\u1161\u11AB"
	for _, tc := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"", 5, ""},
		{strings.Repeat(family, 3), 2, family + "…"},
		{strings.Repeat(flag, 3), 2, flag + "…"},
		{strings.Repeat(accent, 3), 2, accent + "…"},
		{strings.Repeat(thumb, 3), 2, thumb + "…"},
		{strings.Repeat(syllable, 3), 2, syllable + "…"},
		{"각가각가", 3, "각가…"},
		{"🏴󠁧󠁢󠁳󠁣󠁴󠁿x", 1, "…"},
		{"🏴󠁧󠁢󠁳󠁣󠁴󠁿", 1, "🏴󠁧󠁢󠁳󠁣󠁴󠁿"},
		{"שלום עולם", 5, "שלום…"},
		{strings.Repeat("ż", 10_000), 64, strings.Repeat("ż", 63) + "…"},
		{"a\x00b\x7f\u202Ec", 9, "abc"},
		{" a\r\nb\rc ", 9, "a\nb\nc"},
		{"\xff", 9, "\uFFFD"},
		{"Z" + strings.Repeat("\u0301", 200) + "!", 9, "Z" + strings.Repeat("\u0301", maxMarks) + "!"},
		{"Z" + strings.Repeat("\u0301", 5_000) + "!", 9, "Z" + strings.Repeat("\u0301", maxMarks) + ellipsis},
	} {
		if got := cut(tc.text, tc.limit); got != tc.want {
			t.Errorf("cut %q at %d is %q, want %q", tc.text, tc.limit, got, tc.want)
		}
	}
	if got := oneLine(" a\n b\tc ", 64); got != "a b c" {
		t.Errorf("one line is %q", got)
	}
}

// Any text comes out as valid UTF-8 within its limit, and cutting again changes nothing.
func TestCutOfAnyText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a\u0301👩\u200D🇵🇱각\u1112\u1161\u202E\n\"\\…")))).Draw(rt, "text")
		checkCut(t, text, rapid.IntRange(1, 20).Draw(rt, "limit"))
	})
}

func checkCut(t testing.TB, text string, limit int) {
	t.Helper()
	got := cut(text, limit)
	count := 0
	for rest := got; rest != ""; rest = rest[clusterLen(rest):] {
		count++
	}
	if !utf8.ValidString(got) || count > limit || strings.ContainsAny(got, "\x00\r\u202E\u2066\uFEFF") {
		t.Fatalf("%q has %d characters, limit %d", got, count, limit)
	}
	if again := cut(got, limit); again != got {
		t.Fatalf("cut again, %q becomes %q", got, again)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("a", byte(1))
	f.Fuzz(func(t *testing.T, text string, limit byte) { checkCut(t, text, max(1, int(limit))) })
}

// decodeStrings reads a strings file by the rules of Apple's String Programming Guide.
func decodeStrings(t testing.TB, data []byte) map[string]string {
	t.Helper()
	if len(data) < 2 || len(data)%2 != 0 || data[0] != 0xFF || data[1] != 0xFE {
		t.Fatalf("not UTF-16 with a mark: % x", data[:min(len(data), 8)])
	}
	units := make([]uint16, 0, len(data)/2)
	for n := 2; n < len(data); n += 2 {
		units = append(units, binary.LittleEndian.Uint16(data[n:]))
	}
	text := string(utf16.Decode(units))
	out := map[string]string{}
	for text != "" {
		key, rest := quoted(t, text)
		value, rest := quoted(t, strings.TrimPrefix(rest, " = "))
		if !strings.HasPrefix(rest, ";\n") {
			t.Fatalf("no end at %.40q", rest)
		}
		out[key], text = value, rest[2:]
	}
	return out
}

// quoted reads one quoted text and returns what stands behind it.
func quoted(t testing.TB, text string) (value, rest string) {
	t.Helper()
	if !strings.HasPrefix(text, `"`) {
		t.Fatalf("no quote at %.40q", text)
	}
	var out strings.Builder
	for n := 1; n < len(text); n++ {
		switch text[n] {
		case '"':
			return out.String(), text[n+1:]
		case '\n':
			t.Fatalf("a line end within quotes: %.40q", text)
		case '\\':
			n++
			out.WriteString(map[byte]string{'n': "\n", '"': `"`, '\\': `\`}[text[n]])
		default:
			out.WriteByte(text[n])
		}
	}
	t.Fatalf("no end of %.40q", text)
	return "", ""
}

func checkStrings(t testing.TB, english, turkish string) {
	t.Helper()
	p := phrase{en: cut(english, maxBack), tr: cut(turkish, maxBack)}
	var s said
	s.say(p)
	s.say(wordPoints)
	s.say(p)
	for _, language := range brand.Languages {
		got := decodeStrings(t, s.strings(language))
		if got["Points"] != wordPoints.in(language) || p.en != "" && p.en != "Points" && got[p.en] != p.in(language) {
			t.Errorf("%s of %q is %q", language, p, got)
		}
	}
}

func TestStringsFilesOfAnyText(t *testing.T) {
	checkStrings(t, `He said "no" = "yes";`+"\n\\n\\", "😀\u2028")
	rapid.Check(t, func(rt *rapid.T) {
		checkStrings(t, rapid.String().Draw(rt, "en"), rapid.String().Draw(rt, "tr"))
	})
}

func FuzzStrings(f *testing.F) {
	f.Add("a", "b")
	f.Fuzz(func(t *testing.T, english, turkish string) { checkStrings(t, english, turkish) })
}

// Every phrase is there in three languages, and a message of a change has its one place.
func TestPhrases(t *testing.T) {
	for _, p := range []phrase{
		wordCard, wordBalance, wordPoints, wordStamps, wordAsOf, wordVouchers, wordVoucher, wordNext, wordExpiring, wordExpiresOn, wordPending,
		wordMember, wordNumber, wordTerms, wordWebsite, wordLastChange, wordValidTo, wordUsesLeft, wordVoided, wordLateUpdates,
	} {
		if p.en == "" || p.tr == "" || p.pl == "" || strings.Contains(p.en+p.tr+p.pl, "%") {
			t.Errorf("phrase %q", p)
		}
	}
	for _, p := range []phrase{changedBalance, changedVouchers, changedExpiring, changedUses} {
		for _, language := range brand.Languages {
			if strings.Count(p.in(language), "%@") != 1 || strings.Count(p.in(language), "%") != 1 {
				t.Errorf("message %q", p)
			}
		}
	}
}
