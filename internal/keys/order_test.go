package keys_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/internal/keys"
)

// Under the identity as public key one signature fits every message of every domain.
// Whoever enrols such a key can later say of anything that somebody else signed it.
func TestG6_KeysOfSmallOrderVerifyNothing(t *testing.T) {
	identity := make(ed25519.PublicKey, ed25519.PublicKeySize)
	identity[0] = 1
	always := make([]byte, ed25519.SignatureSize)
	always[0] = 1
	for _, domain := range []string{"tallystick enrol v1", "tallystick receipt v1"} {
		if err := keys.Verify(identity, domain, []byte("anything"), always); !errors.Is(err, keys.ErrBadSignature) {
			t.Errorf("%s: %v", domain, err)
		}
	}
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // both signs of x
			for s := range byte(64) {
				if err := keys.Verify(key, "d", []byte{s}, always); err == nil {
					t.Errorf("%x verifies message %d", key, s)
				}
			}
			key[31] ^= 0x80
		}
	}
	honest, err := keys.NewSigner(keys.Public{}, bytes.Repeat([]byte{5}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Verify(honest.Public.Key, "d", nil, honest.Sign("d", nil)); err != nil {
		t.Errorf("an honest key: %v", err)
	}
}
