package cursortext_test

import (
	"bytes"
	"testing"

	"github.com/tallystick/tallystick/internal/cursortext"
)

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"", "AA", "AB", "AA==", "A\nA", "AAA\r\n", "+/", "-_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := cursortext.Bytes(text)
		if err == nil && cursortext.Of(b) != text {
			t.Fatalf("%q was read and is written %q", text, cursortext.Of(b))
		}
	})
}

func TestBytes(t *testing.T) {
	for _, text := range []string{"AB", "AA==", "A\nA", "AA\n", "\rAA", "+/", "A"} {
		if b, err := cursortext.Bytes(text); err == nil {
			t.Errorf("%q was read as %x", text, b)
		}
	}
	if b, err := cursortext.Bytes(cursortext.Of([]byte{0, 255, 7})); err != nil || !bytes.Equal(b, []byte{0, 255, 7}) {
		t.Errorf("%x, %v", b, err)
	}
}
