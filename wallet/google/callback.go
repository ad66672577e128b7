package google

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	// sender is who signs callbacks, and protocol how: ECDSA on P-256 with SHA-256 from
	// a root key over an intermediate one (Google's ECv2, signing only).
	sender   = "GooglePayPasses"
	protocol = "ECv2SigningOnly"
	// MaxCallback bounds a callback, in bytes; Google's have about 900.
	MaxCallback = 16 << 10
	// maxNonce bounds what has to be remembered of a callback.
	maxNonce = 128
	// maxSignatures bounds how many signatures of an intermediate key are tried.
	maxSignatures = 8
)

// Why a callback is not believed. ErrCallback is in all of them.
var (
	ErrCallback  = errors.New("the callback is not believed")
	ErrMalformed = fmt.Errorf("%w: it is malformed", ErrCallback)
	ErrSignature = fmt.Errorf("%w: its signature is not Google's", ErrCallback)
	ErrExpired   = fmt.Errorf("%w: it or its key has expired", ErrCallback)
	ErrRecipient = fmt.Errorf("%w: it is of another issuer", ErrCallback)
)

// EventType says what a shopper did.
type EventType string

// What a shopper can do with a pass.
const (
	Saved   EventType = "save"
	Deleted EventType = "del"
)

// Event is what a callback says. Google may say it more than once: whoever counts
// remembers the nonce until Expires.
type Event struct {
	Type    EventType
	Serial  string // of the pass
	Object  string
	Nonce   string
	Expires time.Time
}

// RootKey is one of Google's keys.
type RootKey struct {
	Key     *ecdsa.PublicKey
	Expires time.Time // zero when it does not
}

// callback is the outer JSON. What Google adds later is passed over.
type callback struct {
	Signature    string `json:"signature"`
	Intermediate struct {
		SignedKey  string   `json:"signedKey"`
		Signatures []string `json:"signatures"`
	} `json:"intermediateSigningKey"`
	Protocol string `json:"protocolVersion"`
	Message  string `json:"signedMessage"`
}

// Believe checks a callback against Google's root keys and reads it: form, intermediate
// key, its end, message, its end, recipient. Only then is anything in it looked at. The
// recipient is the issuer; the object must be one of its passes. Whether the nonce is
// new is the caller's to know.
func (i Issuer) Believe(raw []byte, roots []RootKey, now time.Time) (Event, error) {
	c, err := readCallback(raw)
	if err != nil {
		return Event{}, err
	}
	key, err := c.intermediate(roots, now)
	if err != nil {
		return Event{}, err
	}
	if !verify(key, c.Signature, sender, i.ID, protocol, c.Message) {
		return Event{}, ErrSignature
	}
	return i.event(c.Message, now)
}

func readCallback(raw []byte) (callback, error) {
	var c callback
	switch {
	case len(raw) > MaxCallback:
		return callback{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(raw))
	case !utf8.Valid(raw) || readOne(raw, &c) != nil:
		return callback{}, fmt.Errorf("%w: it is not JSON of that form", ErrMalformed)
	case c.Protocol != protocol:
		return callback{}, fmt.Errorf("%w: its protocol is not %s", ErrMalformed, protocol)
	}
	return c, nil
}

// intermediate returns the key that signed the message, when a root key signed it.
func (c callback) intermediate(roots []RootKey, now time.Time) (*ecdsa.PublicKey, error) {
	signed := false
	for _, signature := range c.Intermediate.Signatures[:min(len(c.Intermediate.Signatures), maxSignatures)] {
		for _, root := range roots {
			if root.Expires.IsZero() || now.Before(root.Expires) {
				signed = signed || verify(root.Key, signature, sender, protocol, c.Intermediate.SignedKey)
			}
		}
	}
	if !signed {
		return nil, ErrSignature
	}
	var of struct {
		Value   string `json:"keyValue"`
		Expires string `json:"keyExpiration"`
	}
	if readOne([]byte(c.Intermediate.SignedKey), &of) != nil {
		return nil, fmt.Errorf("%w: its key is not JSON", ErrMalformed)
	}
	expires, err := millis(of.Expires)
	if err != nil {
		return nil, err
	}
	if !now.Before(expires) {
		return nil, ErrExpired
	}
	return publicKey(of.Value)
}

// event reads a message whose signature is good.
func (i Issuer) event(message string, now time.Time) (Event, error) {
	var of struct {
		Object  string      `json:"objectId"`
		Expires json.Number `json:"expTimeMillis"`
		Type    EventType   `json:"eventType"`
		Nonce   string      `json:"nonce"`
	}
	if readOne([]byte(message), &of) != nil {
		return Event{}, fmt.Errorf("%w: its message is not JSON of that form", ErrMalformed)
	}
	expires, err := millis(of.Expires.String())
	if err != nil {
		return Event{}, err
	}
	serial, ours := i.SerialOf(of.Object)
	switch {
	case !now.Before(expires):
		return Event{}, ErrExpired
	case of.Nonce == "" || len(of.Nonce) > maxNonce:
		return Event{}, fmt.Errorf("%w: its nonce has %d bytes", ErrMalformed, len(of.Nonce))
	case of.Type != Saved && of.Type != Deleted:
		return Event{}, fmt.Errorf("%w: its event is not known", ErrMalformed)
	case !ours:
		return Event{}, ErrRecipient
	}
	return Event{Type: of.Type, Serial: serial, Object: of.Object, Nonce: of.Nonce, Expires: expires}, nil
}

// ReadRootKeys reads what Google publishes: {"keys":[{"keyValue","protocolVersion",
// "keyExpiration"}]}. Keys of other protocols are passed over.
func ReadRootKeys(raw []byte) ([]RootKey, error) {
	var of struct {
		Keys []struct {
			Value    string `json:"keyValue"`
			Protocol string `json:"protocolVersion"`
			Expires  string `json:"keyExpiration"`
		} `json:"keys"`
	}
	if readOne(raw, &of) != nil {
		return nil, fmt.Errorf("%w: root keys are not JSON", ErrMalformed)
	}
	var out []RootKey
	for _, k := range of.Keys {
		if k.Protocol != protocol {
			continue
		}
		root := RootKey{}
		var err error
		if root.Key, err = publicKey(k.Value); err != nil {
			return nil, err
		}
		if k.Expires != "" {
			if root.Expires, err = millis(k.Expires); err != nil {
				return nil, err
			}
		}
		out = append(out, root)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: there is no root key for %s", ErrMalformed, protocol)
	}
	return out, nil
}

// readOne reads JSON with nothing behind it.
func readOne(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return ErrMalformed
	}
	return nil
}

func millis(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, fmt.Errorf("%w: a time in it is not in milliseconds", ErrMalformed)
	}
	return time.UnixMilli(n).UTC(), nil
}

// publicKey reads a P-256 key: base64 of SubjectPublicKeyInfo in DER.
func publicKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: a key is not base64", ErrMalformed)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, isEC := parsed.(*ecdsa.PublicKey)
	if err != nil || !isEC || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: a key is not on P-256", ErrMalformed)
	}
	return key, nil
}

// verify checks a signature over parts, each after its length in four bytes, the lowest
// first.
func verify(key *ecdsa.PublicKey, signature string, parts ...string) bool {
	der, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(framed(parts...))
	return ecdsa.VerifyASN1(key, sum[:], der)
}

// framed is what is signed: each part after its length in four bytes, the lowest first.
func framed(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
