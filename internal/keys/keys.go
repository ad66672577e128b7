package keys

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"
)

// Use says what a key may sign.
type Use string

const (
	// UsePass signs pass tokens (the code on a shopper's pass).
	UsePass Use = "pass"
	// UseStatement signs what HQ says to terminals and the world: receipts, feed
	// pages, policy, time.
	UseStatement Use = "statement"
)

// Errors a key set answers with. Callers match them with errors.Is.
var (
	ErrUnknownKey   = errors.New("key is not in the key set")
	ErrKeyNotYet    = errors.New("key is not valid yet")
	ErrKeyExpired   = errors.New("key is past its last day")
	ErrKeyRevoked   = errors.New("key has been revoked")
	ErrBadSignature = errors.New("signature does not verify")
)

// Public is one public key and the dates between which signatures by it count.
// NotBefore is inclusive, NotAfter exclusive. A zero RevokedAt means not revoked;
// a revoked key verifies nothing, whatever the date.
type Public struct {
	ID        uint8             `json:"id" cbor:"1,keyasint"`
	Use       Use               `json:"use" cbor:"2,keyasint"`
	Key       ed25519.PublicKey `json:"key" cbor:"3,keyasint"`
	NotBefore time.Time         `json:"not_before" cbor:"4,keyasint"`
	NotAfter  time.Time         `json:"not_after" cbor:"5,keyasint"`
	RevokedAt time.Time         `json:"revoked_at,omitzero" cbor:"6,keyasint,omitzero"`
}

// ValidAt returns nil when signatures by the key count at t, or the reason why not.
func (p Public) ValidAt(t time.Time) error {
	switch {
	case !p.RevokedAt.IsZero():
		return fmt.Errorf("key %d: %w", p.ID, ErrKeyRevoked)
	case t.Before(p.NotBefore):
		return fmt.Errorf("key %d: %w", p.ID, ErrKeyNotYet)
	case !t.Before(p.NotAfter):
		return fmt.Errorf("key %d: %w", p.ID, ErrKeyExpired)
	}
	return nil
}

// Verify checks sig over domain, a zero byte and msg. It does not look at dates.
func (p Public) Verify(domain string, msg, sig []byte) error {
	return Verify(p.Key, domain, msg, sig)
}

// Set is a versioned set of public keys: the current, the next and the retired
// ones. A reader MUST refuse a set whose Version is lower than one it has held.
type Set struct {
	Version uint64   `json:"version" cbor:"1,keyasint"`
	Keys    []Public `json:"keys" cbor:"2,keyasint"`
}

// Find returns the key with this use and id, or ErrUnknownKey.
func (s Set) Find(use Use, id uint8) (Public, error) {
	for _, k := range s.Keys {
		if k.Use == use && k.ID == id {
			return k, nil
		}
	}
	return Public{}, fmt.Errorf("%s key %d: %w", use, id, ErrUnknownKey)
}

// Signer is a private key with its public record. The zero Signer cannot sign.
type Signer struct {
	Public  Public
	private ed25519.PrivateKey
}

// NewSigner makes a signer from a 32-byte seed. The record's Key is filled in.
func NewSigner(record Public, seed []byte) (Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return Signer{}, fmt.Errorf("make signer: seed has %d bytes, want %d", len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	record.Key = private.Public().(ed25519.PublicKey)
	return Signer{Public: record, private: private}, nil
}

// GenerateSeed reads a fresh 32-byte seed from random.
func GenerateSeed(random io.Reader) ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("read key seed: %w", err)
	}
	return seed, nil
}

// Sign returns the 64-byte signature over domain, a zero byte and msg.
func (s Signer) Sign(domain string, msg []byte) []byte {
	return ed25519.Sign(s.private, message(domain, msg))
}

// Seed returns the 32 bytes the key was made from, for storage by its owner only.
func (s Signer) Seed() []byte { return s.private.Seed() }

// Private returns the raw private key, for libraries that sign themselves (JWT).
func (s Signer) Private() ed25519.PrivateKey { return s.private }

// Verify checks an Ed25519 signature over domain, a zero byte and msg. Under a key of
// small order one signature fits many messages, so such a key verifies nothing.
func Verify(key ed25519.PublicKey, domain string, msg, sig []byte) error {
	if len(key) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize || smallOrder(key) ||
		!ed25519.Verify(key, message(domain, msg), sig) {
		return ErrBadSignature
	}
	return nil
}

func message(domain string, msg []byte) []byte {
	out := make([]byte, 0, len(domain)+1+len(msg))
	out = append(out, domain...)
	out = append(out, 0)
	return append(out, msg...)
}

// GroupKey is the symmetric secret of one freshness epoch. Every terminal of the
// programme holds it, so it proves freshness of a code, never membership.
type GroupKey struct {
	Epoch     uint32    `json:"epoch" cbor:"1,keyasint"`
	Secret    []byte    `json:"secret" cbor:"2,keyasint"`
	NotBefore time.Time `json:"not_before" cbor:"3,keyasint"`
	NotAfter  time.Time `json:"not_after" cbor:"4,keyasint"`
}

// TOTPKey derives the RFC 6238 key of one subject: HMAC-SHA256(secret, subject)[:20].
func (g GroupKey) TOTPKey(subject [16]byte) []byte {
	mac := hmac.New(sha256.New, g.Secret)
	mac.Write(subject[:])
	return mac.Sum(nil)[:20]
}
