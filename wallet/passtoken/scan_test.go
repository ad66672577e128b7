package passtoken

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// damage is what a till received, written down from keyboard charts and not from
// the repair tables: the scanner presses Shift for letters and not for digits.
type damage struct {
	name string
	does func(string) string
	want Repair
}

func swap(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

func both(first, second func(string) string) func(string) string {
	return func(s string) string { return second(first(s)) }
}

var (
	azertyLetters = swap("A", "Q", "Q", "A", "W", "Z", "Z", "W", "M", "?")
	azertyDigits  = swap("1", "&", "2", "é", "3", `"`, "4", "'", "5", "(", "6", "-", "7", "è", "8", "_", "9", "ç", "0", "à")
	macDigits     = swap("1", "&", "2", "é", "3", `"`, "4", "'", "5", "(", "6", "§", "7", "è", "8", "!", "9", "ç", "0", "à")
	qwertzLetters = swap("Y", "Z", "Z", "Y")
	usShifted     = swap("1", "!", "2", "@", "3", "#", "4", "$", "5", "%", "6", "^", "7", "&", "8", "*", "9", "(", "0", ")")
)

var damages = []damage{
	{"nothing", func(s string) string { return s }, RepairNone},
	{"caps lock", strings.ToLower, RepairCase},
	{"shift lock", both(strings.ToLower, usShifted), RepairShift},
	{"shift held", usShifted, RepairShift},
	{"azerty", both(azertyLetters, azertyDigits), RepairAZERTY},
	{"azerty, caps lock on Windows", both(both(azertyLetters, strings.ToLower), swap("?", ",")), RepairAZERTY},
	{"azerty, caps lock on Linux", both(both(azertyLetters, strings.ToLower),
		swap("1", "&", "2", "É", "3", `"`, "4", "'", "5", "(", "6", "-", "7", "È", "8", "_", "9", "Ç", "0", "À")), RepairAZERTY},
	{"azerty with shifted digits", azertyLetters, RepairAZERTY},
	{"azerty on a Mac", both(azertyLetters, macDigits), RepairAZERTYMac},
	{"azerty scanner, US computer", both(both(azertyLetters, swap("?", ":")), usShifted), RepairAZERTYScan},
	{"qwertz", qwertzLetters, RepairQWERTZ},
	{"qwertz, caps lock", both(qwertzLetters, strings.ToLower), RepairQWERTZ},
	{"qwertz, shift held", both(qwertzLetters, swap("1", "!", "2", `"`, "3", "§", "4", "$", "5", "%",
		"6", "&", "7", "/", "8", "(", "9", ")", "0", "=")), RepairQWERTZ},
	{"czech", both(qwertzLetters, swap("1", "+", "2", "ě", "3", "š", "4", "č", "5", "ř",
		"6", "ž", "7", "ý", "8", "á", "9", "í", "0", "é")), RepairCzech},
	{"slovak", both(qwertzLetters, swap("1", "+", "2", "ľ", "3", "š", "4", "č", "5", "ť",
		"6", "ž", "7", "ý", "8", "á", "9", "í", "0", "é")), RepairSlovak},
	{"hungarian", both(qwertzLetters, swap("0", "ö")), RepairHungarian},
	{"turkish q, shift held", swap("1", "!", "2", "'", "3", "^", "4", "+", "5", "%",
		"6", "&", "7", "/", "8", "(", "9", ")", "0", "="), RepairTurkishQ},
}

// everyCharacter is a pass whose text holds all 32 characters, so that each damage
// really damages it and no two damages look alike.
func everyCharacter(t tester) Token {
	p := memberPass(t)
	for {
		token := issued(t, current, p)
		if allOf(token.Text(), alphabet) {
			return token
		}
		p.Issue++
	}
}

func allOf(text, set string) bool {
	for _, r := range set {
		if !strings.ContainsRune(text, r) {
			return false
		}
	}
	return true
}

func TestEveryDamageIsRepaired(t *testing.T) {
	token := everyCharacter(t)
	for _, text := range []string{token.Text(), RotatingText(token, testGroups()[0], noon)} {
		for _, d := range damages {
			raw := d.does(text)
			if d.want != RepairNone && raw == text {
				t.Fatalf("%s did no damage", d.name)
			}
			got, err := verify(raw, noon)
			if err != nil {
				t.Errorf("%s: %v\n%s", d.name, err, raw)
				continue
			}
			if got.Repair != d.want || got.Pass != token.Pass() {
				t.Errorf("%s: repair %q of %+v, want %q", d.name, got.Repair, got.Pass, d.want)
			}
		}
	}
}

// The flag of an AIM identifier sits on a key that every layout has differently.
func TestAIMPrefixIsCutOff(t *testing.T) {
	text := everyCharacter(t).Text()
	azerty := both(azertyLetters, azertyDigits)
	for raw, want := range map[string]Repair{
		"]Q1" + text:                   RepairNone,
		"]Q3" + text + "\r\n":          RepairNone,
		"]d2" + text:                   RepairNone,
		"]q1" + strings.ToLower(text):  RepairCase,
		"$" + azerty("Q1"+text) + "\r": RepairAZERTY,
		"+" + qwertzLetters("Q1"+text): RepairQWERTZ,
		"üQ1" + text:                   RepairNone, // Turkish Q, where nothing else moves
	} {
		if got, err := verify(raw, noon); err != nil || got.Repair != want {
			t.Errorf("%q: repair %q, %v, want %q", raw[:8], got.Repair, err, want)
		}
	}
	for _, raw := range []string{"Q1" + text, "]]Q1" + text, "]Q1]Q1" + text, "]Q" + text, "]--" + text, text + "]Q1"} {
		if _, err := verify(raw, noon); err == nil {
			t.Errorf("accepted with %q in front", raw[:8])
		}
	}
}

func TestWhiteSpaceIsDropped(t *testing.T) {
	text := everyCharacter(t).Text()
	raw := " \t" + text[:60] + "\r\n" + text[60:] + "\r\n\t "
	if got, err := verify(raw, noon); err != nil || got.Repair != RepairNone {
		t.Errorf("repair %q, %v", got.Repair, err)
	}
}

func TestInputIsBoundedBeforeAnyWork(t *testing.T) {
	text := everyCharacter(t).Text()
	if _, err := verify(text+strings.Repeat("\r", MaxRaw-len(text)), noon); err != nil {
		t.Errorf("%d bytes: %v", MaxRaw, err)
	}
	_, err := verify(text+strings.Repeat("\r", MaxRaw-len(text)+1), noon)
	wantCode(t, err, problem.CodeUnreadable)
	huge := strings.Repeat("TS1", 10<<20/3)
	if n := testing.AllocsPerRun(10, func() { _, err = Scan(huge) }); n > 10 {
		t.Errorf("10 MB took %v allocations", n)
	}
	wantCode(t, err, problem.CodeUnreadable)
}

func TestOnlyASCIIFolds(t *testing.T) {
	text := everyCharacter(t).Text()
	for name, raw := range map[string]string{
		"long s":      strings.Replace(text, "S", "ſ", 1),
		"kelvin sign": strings.Replace(text, "K", "\u212a", 1),
		"full width":  strings.Replace(text, "A", "Ａ", 1),
		"arabic one":  strings.Replace(text, "1", "١", 1),
		"latin-1":     strings.Replace(text, "1", "\xe9", 1),
		"nul":         text[:50] + "\x00" + text[50:],
	} {
		if _, err := verify(raw, noon); problem.CodeOf(err) != problem.CodeUnreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// With its digits whole a text can be read as it stands, as AZERTY when it has no
// M, and as QWERTZ; no more readings may reach the signature check.
func TestForgedCodeCostsFewVerifications(t *testing.T) {
	p, most := memberPass(t), 0
	for p.Issue = range 500 {
		found, err := Scan(issued(t, current, p).Text())
		if err != nil || found[0].Repair != RepairNone || found[0].Rotating {
			t.Fatalf("issue %d: %v, %+v", p.Issue, err, found)
		}
		most = max(most, len(found))
	}
	if most != 3 {
		t.Errorf("up to %d readings, want 3", most)
	}
}

func TestScanReadsTheRotatingPart(t *testing.T) {
	token := everyCharacter(t)
	found, err := Scan(RotatingText(token, testGroups()[0], noon))
	if err != nil {
		t.Fatal(err)
	}
	c := found[0]
	want := totp(testGroups()[0].TOTPKey(member), noon.Unix()/30)
	if c.Token != token || !c.Rotating || c.Unix != noon.Unix() || c.TOTP != want {
		t.Errorf("read %+v", c)
	}
}

// A layout with two keys for one character could not be undone; a short row would
// map the wrong keys.
func TestLayoutTablesAreSound(t *testing.T) {
	for _, l := range layouts {
		for _, k := range usKeys {
			if !slices.Contains(values(l.keyOf), byte(k)) {
				t.Errorf("%s has nothing on key %c", l.repair, k)
			}
		}
		for r, k := range l.keyOf {
			if r < utf8.RuneSelf && r >= 'A' && r <= 'Z' {
				if lower, ok := l.keyOf[r+'a'-'A']; ok && lower != k {
					t.Errorf("%s: %c and its lower case are on keys %c and %c", l.repair, r, k, lower)
				}
			}
		}
	}
}

func values(m map[rune]byte) []byte {
	out := make([]byte, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func TestRoundTripUnderDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genPass(t)
		token := issued(t, current, p)
		at := noon.Add(time.Duration(rapid.IntRange(0, 12*3600-1).Draw(t, "second")) * time.Second)
		rotating := rapid.Bool().Draw(t, "rotating")
		text, want := token.Text(), FreshnessStatic
		if rotating {
			text, want = RotatingText(token, testGroups()[0], at), FreshnessRotating
		}
		d := damages[rapid.IntRange(0, len(damages)-1).Draw(t, "damage")]
		raw := rapid.SampledFrom([]string{"", "]Q1", " "}).Draw(t, "front")
		if raw == "]Q1" {
			raw = "]" + d.does("Q1")
		}
		raw += d.does(text) + rapid.SampledFrom([]string{"", "\r", "\r\n", "\t", " "}).Draw(t, "end")
		got, err := verify(raw, at)
		if err != nil || got.Pass != p || got.Freshness != want {
			t.Fatalf("%s: %+v, %v", d.name, got, err)
		}
		if rotating && got.Step != at.Unix()/30 {
			t.Fatalf("step %d", got.Step)
		}
	})
}

func TestAnyChangeIsRefusedOrMeansTheSame(t *testing.T) {
	token := everyCharacter(t)
	group := testGroups()[0]
	rapid.Check(t, func(t *rapid.T) {
		text := token.Text()
		if rapid.Bool().Draw(t, "rotating") {
			text = RotatingText(token, group, noon)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "place")
		to := rapid.Rune().Draw(t, "character")
		got, err := verify(text[:at]+string(to)+text[at+1:], noon)
		if err == nil && (got.Pass != token.Pass() || at >= TextLen && !timeDigit(text, at, to, got)) {
			t.Fatalf("place %d became %q: %+v", at, to, got)
		}
	})
}

// timeDigit allows the two harmless changes: another second of the same step, and a digit as
// a scanner with another layout types it, which is read as the digit.
func timeDigit(text string, at int, to rune, got Verified) bool {
	typed := (to < '0' || to > '9') && got.Repair != RepairNone && got.Step == noon.Unix()/stepSeconds
	return rune(text[at]) == to || typed || at == TextLen+unixLen-1 && got.Step == noon.Unix()/stepSeconds ||
		at == TextLen+unixLen-2 && got.Step == noon.Unix()/stepSeconds
}

func TestEveryBitFlipIsRefused(t *testing.T) {
	token := everyCharacter(t)
	set := keys.Set{Keys: []keys.Public{current.Public}}
	for bit := range Size * 8 {
		bad := token
		bad[bit/8] ^= 1 << (bit % 8)
		if got, err := (Verifier{}).Verify(bad.Text(), noon, 0, set, nil); err == nil {
			t.Errorf("bit %d flipped: %+v", bit, got)
		}
	}
}
