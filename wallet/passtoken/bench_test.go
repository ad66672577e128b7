package passtoken

import (
	"crypto/ed25519"
	"strings"
	"testing"
)

// BenchmarkEd25519 is the floor: the one signature check a scan cannot do without.
func BenchmarkEd25519(b *testing.B) {
	token := issued(b, current, memberPass(b))
	msg := append([]byte(domain+"\x00"), token[:signedSize]...)
	for b.Loop() {
		if !ed25519.Verify(current.Public.Key, msg, token[signedSize:]) {
			b.Fatal("does not verify")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	token := everyCharacter(b)
	rotating := RotatingText(token, testGroups()[0], noon)
	forged := strings.Replace(rotating[:TextLen], rotating[60:61], string(alphabet[indexOf(rotating[60])^1]), 1)
	set, groups := testSet(), testGroups()
	for _, c := range []struct {
		name, raw string
		good      bool
	}{
		{"static", token.Text(), true},
		{"rotating", rotating, true},
		{"caps_lock", strings.ToLower(rotating), true},
		{"azerty", both(azertyLetters, azertyDigits)(rotating), true},
		{"forged", forged, false},
		{"not_ours", "https://example.com/p/12345", false},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Verifier{}).Verify(c.raw, noon, 0, set, groups); (err == nil) != c.good {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIssue(b *testing.B) {
	p := memberPass(b)
	for b.Loop() {
		issued(b, current, p)
	}
}

func BenchmarkPNG(b *testing.B) {
	text := issued(b, current, memberPass(b)).Text()
	for b.Loop() {
		if _, err := PNG(text, 8); err != nil {
			b.Fatal(err)
		}
	}
}
