package passtoken

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
)

// The number of a member is printed on cards: it never changes.
func TestCardNumberIsFinal(t *testing.T) {
	for member, want := range map[string]string{
		"0190e7a0-0000-7000-8000-0000000000b1": "7259 8415 9804 1615",
		"00000000-0000-0000-0000-000000000000": "9897 4313 9180 5522",
	} {
		if got := CardNumberOf(uuid.MustParse(member)).String(); got != want {
			t.Errorf("%s: %s, want %s", member, got, want)
		}
	}
	// ISO/IEC 7064, MOD 11,10: the published example.
	if got := checkDigit("0794"); got != 5 {
		t.Errorf("check digit of 0794: %d", got)
	}
}

func TestReadCardNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		member := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "member"))
		n := CardNumberOf(member)
		digits := strconv.FormatUint(uint64(n), 10)
		for _, text := range []string{digits, n.String(), strings.ReplaceAll(n.String(), " ", "-"), " " + digits + " "} {
			if got, is, err := ReadCardNumber(text); got != n || !is || err != nil {
				t.Fatalf("%q: %d, %v, %v", text, got, is, err)
			}
		}
		// Every single wrong digit is found.
		at := rapid.IntRange(0, len(digits)-1).Draw(t, "at")
		wrong := []byte(digits)
		wrong[at] = '0' + (wrong[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if _, is, err := ReadCardNumber(string(wrong)); !is || problem.CodeOf(err) != problem.CardNumberInvalid {
			t.Fatalf("%s for %s: %v, %v", wrong, digits, is, err)
		}
		for _, short := range []string{digits[1:], digits + "0"} {
			if _, is, err := ReadCardNumber(short); !is || problem.CodeOf(err) != problem.CardNumberInvalid {
				t.Fatalf("%s: %v, %v", short, is, err)
			}
		}
	})
	for _, text := range []string{"", "4006381333931", "TS11234567890123", "12345678901234567890", "1234 5678 9012 345x", "１２３４５６７８９０１２３４５６"} {
		if _, is, err := ReadCardNumber(text); is || err != nil {
			t.Errorf("%q is taken for a card number: %v", text, err)
		}
	}
}

func FuzzReadCardNumber(f *testing.F) {
	f.Add("1234 5678 9012 3456")
	f.Add("0000000000000000")
	f.Add("9999-9999-9999-9999")
	f.Fuzz(func(t *testing.T, text string) {
		n, is, err := ReadCardNumber(text)
		if err != nil && (!is || problem.CodeOf(err) != problem.CardNumberInvalid) {
			t.Fatalf("%q: %v, %v", text, is, err)
		}
		if again, _, err := ReadCardNumber(n.String()); n != 0 && (again != n || err != nil) {
			t.Fatalf("%q: read as %s and that as %d, %v", text, n, again, err)
		}
	})
}
