package keys_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
)

var from = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func record() keys.Public {
	return keys.Public{ID: 1, Use: keys.UsePass, NotBefore: from, NotAfter: from.AddDate(1, 0, 0)}
}

func TestSignaturesBelongToOneDomain(t *testing.T) {
	s, err := keys.NewSigner(record(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sig := s.Sign("a v1", []byte("message"))
	if err := s.Public.Verify("a v1", []byte("message"), sig); err != nil {
		t.Error(err)
	}
	// The zero byte keeps domain and message apart.
	for _, other := range [][2]string{{"a v2", "message"}, {"a v1m", "essage"}, {"a v1", "massage"}} {
		if err := s.Public.Verify(other[0], []byte(other[1]), sig); !errors.Is(err, keys.ErrBadSignature) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if err := s.Public.Verify("a v1", []byte("message"), sig[:63]); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("short signature: %v", err)
	}
	if err := keys.Verify(nil, "a v1", []byte("message"), sig); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("no key: %v", err)
	}
}

func TestValidAt(t *testing.T) {
	revoked := record()
	revoked.RevokedAt = from
	tests := []struct {
		name string
		key  keys.Public
		at   time.Time
		want error
	}{
		{"first instant", record(), from, nil},
		{"before", record(), from.Add(-1), keys.ErrKeyNotYet},
		{"last instant", record(), record().NotAfter.Add(-1), nil},
		{"after", record(), record().NotAfter, keys.ErrKeyExpired},
		{"revoked, whatever the date", revoked, from.Add(-1), keys.ErrKeyRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.key.ValidAt(tt.at); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFindTellsUsesApart(t *testing.T) {
	set := keys.Set{Keys: []keys.Public{record()}}
	if _, err := set.Find(keys.UsePass, 1); err != nil {
		t.Error(err)
	}
	if _, err := set.Find(keys.UseStatement, 1); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("got %v", err)
	}
}

func TestSeeds(t *testing.T) {
	if _, err := keys.GenerateSeed(strings.NewReader("short")); err == nil {
		t.Error("a short read makes a seed")
	}
	seed, err := keys.GenerateSeed(bytes.NewReader(bytes.Repeat([]byte{3}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := keys.NewSigner(record(), seed)
	if err != nil || !bytes.Equal(s.Seed(), seed) {
		t.Errorf("seed %x, %v", s.Seed(), err)
	}
	if _, err := keys.NewSigner(record(), seed[:31]); err == nil {
		t.Error("a short seed makes a signer")
	}
}

// TestTOTPKey fixes the derivation: changing it would make every rotating code stale.
func TestTOTPKey(t *testing.T) {
	g := keys.GroupKey{Epoch: 1, Secret: bytes.Repeat([]byte{1}, 32)}
	got := hex.EncodeToString(g.TOTPKey([16]byte{15: 9}))
	// printf '0000…09' | xxd -r -p | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01
	if want := "136dd46b56e6a691d9b1d71c54785b98b1cb2368"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
