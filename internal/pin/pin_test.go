package pin_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/pin"
)

func TestOnlyTheSamePINMakesTheHash(t *testing.T) {
	h, err := pin.Make(rand.Reader, "0417")
	if err != nil {
		t.Fatal(err)
	}
	for digits, want := range map[string]bool{"0417": true, "0418": false, "417": false, "00417": false, "": false, "04 17": false} {
		if ok, err := h.Check(digits); err != nil || ok != want {
			t.Errorf("%q: %v, %v", digits, ok, err)
		}
	}
	other, err := pin.Make(rand.Reader, "0417")
	if err != nil || bytes.Equal(h.Key, other.Key) {
		t.Errorf("one PIN twice gives one hash: %v", err)
	}
	if bytes.Contains(h.Key, []byte("0417")) || bytes.Contains(h.Salt, []byte("0417")) {
		t.Error("the hash tells the PIN")
	}
}

func TestWhatIsNoPIN(t *testing.T) {
	for _, digits := range []string{"", "123", "123456789", "12a4", "１２３４", "-123", "12.4"} {
		if _, err := pin.Make(rand.Reader, digits); !errors.Is(err, pin.ErrShape) {
			t.Errorf("%q: %v", digits, err)
		}
	}
	if _, err := pin.Make(bytes.NewReader(nil), "1234"); err == nil || errors.Is(err, pin.ErrShape) {
		t.Errorf("without randomness: %v", err)
	}
}

// A record that was tampered with must not make a till work for hours.
func TestHashesOutOfBoundsCostNothing(t *testing.T) {
	good, err := pin.Make(rand.Reader, "12345678")
	if err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*pin.Hash){
		"memory": func(h *pin.Hash) { h.Memory = 1 << 30 }, "passes": func(h *pin.Hash) { h.Passes = 1 << 30 },
		"no passes": func(h *pin.Hash) { h.Passes = 0 }, "no key": func(h *pin.Hash) { h.Key = nil }, "no salt": func(h *pin.Hash) { h.Salt = nil },
		"long key": func(h *pin.Hash) { h.Key = make([]byte, 1<<20) },
	} {
		h := good
		bend(&h)
		if ok, err := h.Check("12345678"); ok || !errors.Is(err, pin.ErrHash) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	h, err := pin.Make(rand.Reader, "1234")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, err := h.Check("1234"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
