package wire_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/wire"
)

func referenceSigner(t testing.TB, seed byte) keys.Signer {
	t.Helper()
	s, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UseStatement, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<40, 0),
	}, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var knownReference = wire.Reference{Terminal: uuid.UUID{1}, Epoch: 3, Seq: 4711, Sale: uuid.UUID{2}}

// The bytes of the first release.
const knownReferenceText = "TSR104000000000000000000000000000003000000000096E0G0000000000000000000000001ZN9FZYQEHTR8D824K1F1V12P4YMYR2ZA5S50V48EPTR8Z1AR1VBR5WJVPWR4Y6Y3KCJF4AA9Z33HVMV4ATMKXTJ4JQJ60J5D15HG6"

func TestAReferenceIsReadAsItWasSigned(t *testing.T) {
	own, other := referenceSigner(t, 1), referenceSigner(t, 2)
	signed := wire.SignReference(own, knownReference)
	text := signed.Text()
	if len(text) != 177 || text != knownReferenceText {
		t.Errorf("%d characters: %s", len(text), text)
	}
	for _, raw := range []string{text, strings.ToLower(text) + "\r\n", "]Q1" + text} {
		got, err := wire.ReadReference(raw)
		if err != nil || got != signed || !got.By(own.Public.Key) || got.By(other.Public.Key) {
			t.Errorf("%q: %+v, %v", raw, got, err)
		}
	}
	changed := signed
	if changed.Seq++; changed.By(own.Public.Key) {
		t.Error("another number has the same signature")
	}
	for name, raw := range map[string]string{
		"nothing": "", "a pass": "TS1" + text[4:], "cut": text[:176], "longer": text + "0", "other letters": text[:20] + "U" + text[21:],
		"bits at the end": text[:176] + "Z", "nobody's": wire.SignReference(own, wire.Reference{}).Text(),
	} {
		if got, err := wire.ReadReference(raw); err == nil {
			t.Errorf("%s was read as %+v", name, got)
		}
	}
}

func FuzzReference(f *testing.F) {
	text := wire.SignReference(referenceSigner(f, 1), knownReference).Text()
	for _, seed := range []string{text, strings.ToLower(text), "]Q1" + text + "\n", text[:100], "TSR1", "TS1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := wire.ReadReference(raw)
		if err != nil {
			return
		}
		if again, err := wire.ReadReference(got.Text()); err != nil || again != got {
			t.Fatalf("%q: %+v is read again as %+v, %v", raw, got, again, err)
		}
	})
}
