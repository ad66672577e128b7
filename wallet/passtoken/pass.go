package passtoken

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
)

// Version is the only format version this package writes and reads.
const Version = 1

// Size is the length of a token in bytes: signedSize facts and the signature.
const Size = signedSize + ed25519.SignatureSize

const (
	signedSize = 22
	// domain is what pass signatures are bound to; keys appends the zero byte.
	domain = "tallystick pass v1"
)

// Offsets of the facts. Byte 0 is version (high nibble) and kind (low nibble).
const (
	atKeyID   = 1
	atSubject = 2
	atIssue   = 18
	atExpiry  = 20
)

// Kind says what the subject UUID names.
type Kind uint8

// The kinds of version 1. The field has four bits.
const (
	KindMember       Kind = 0
	KindVoucher      Kind = 1
	KindReceiptClaim Kind = 2
)

func (k Kind) known() bool { return k <= KindReceiptClaim }

// String returns the kind's name as it stands in the vectors and in logs.
func (k Kind) String() string {
	switch k {
	case KindMember:
		return "member"
	case KindVoucher:
		return "voucher"
	case KindReceiptClaim:
		return "receipt_claim"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Freshness is what a code proves about the moment it was shown.
type Freshness string

// The three kinds of freshness. A keyed card number never passes through this
// package; the word is here so that there is one.
const (
	FreshnessStatic   Freshness = "static"
	FreshnessRotating Freshness = "rotating"
	FreshnessKeyed    Freshness = "keyed"
)

// Day is a UTC date as days since 2024-01-01. The last one is 2203-06-07.
type Day uint16

var dayZero = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

const oneDay = 24 * time.Hour

// DayOf returns the UTC date of t, or an error when it cannot be written in 16 bits.
func DayOf(t time.Time) (Day, error) {
	if t.Before(dayZero) {
		return 0, fmt.Errorf("day of %s: before 2024-01-01", t.UTC().Format(time.DateOnly))
	}
	days := t.Unix()/int64(oneDay/time.Second) - dayZero.Unix()/int64(oneDay/time.Second)
	if days > int64(^Day(0)) {
		return 0, fmt.Errorf("day of %s: after %s", t.UTC().Format(time.DateOnly), ^Day(0))
	}
	return Day(days), nil
}

// End returns the first instant after the day, in UTC.
func (d Day) End() time.Time { return dayZero.Add((time.Duration(d) + 1) * oneDay) }

// String returns the date as YYYY-MM-DD.
func (d Day) String() string { return dayZero.Add(time.Duration(d) * oneDay).Format(time.DateOnly) }

// Pass is the facts a token carries.
type Pass struct {
	// Version is 1. [Issue] also takes 0 and writes 1.
	Version uint8
	Kind    Kind
	// KeyID names the HQ key that signed. [Issue] takes it from the signer.
	KeyID uint8
	// Subject is the member's, voucher's or receipt's id.
	Subject uuid.UUID
	// Issue counts HQ's re-issues of this subject's pass.
	Issue uint16
	// ExpiresOn is the last day, in UTC, on which the pass is good.
	ExpiresOn Day
}

// Errors that [Issue] answers with. They are mistakes of the caller, at HQ.
var (
	ErrSigner      = errors.New("signer is empty or not for passes")
	ErrPass        = errors.New("pass has a field that cannot be issued")
	ErrOutlivesKey = errors.New("pass expires after the key that would sign it")
)

// Token is the signed bytes, in the order of docs/pass-token.md.
type Token [Size]byte

// Issue signs a pass. It refuses one that would outlive its key's record, since
// terminals would refuse that pass before the day printed on it.
func Issue(signer keys.Signer, p Pass) (Token, error) {
	if signer.Public.Use != keys.UsePass || signer.Public.ID == TerminalKeyID || len(signer.Private()) != ed25519.PrivateKeySize {
		return Token{}, fmt.Errorf("issue pass: %w", ErrSigner)
	}
	switch {
	case p.Version != 0 && p.Version != Version:
		return Token{}, fmt.Errorf("issue pass: %w: version %d", ErrPass, p.Version)
	case !p.Kind.known():
		return Token{}, fmt.Errorf("issue pass: %w: %s", ErrPass, p.Kind)
	case p.Subject == uuid.Nil:
		return Token{}, fmt.Errorf("issue pass: %w: subject is empty", ErrPass)
	case p.ExpiresOn.End().After(signer.Public.NotAfter):
		return Token{}, fmt.Errorf("issue pass: %w: last day %s, key %d ends %s",
			ErrOutlivesKey, p.ExpiresOn, signer.Public.ID, signer.Public.NotAfter.UTC().Format(time.RFC3339))
	}
	var t Token
	t[0] = Version<<4 | uint8(p.Kind)
	t[atKeyID] = signer.Public.ID
	copy(t[atSubject:], p.Subject[:])
	binary.BigEndian.PutUint16(t[atIssue:], p.Issue)
	binary.BigEndian.PutUint16(t[atExpiry:], uint16(p.ExpiresOn))
	copy(t[signedSize:], signer.Sign(domain, t[:signedSize]))
	return t, nil
}

// Pass reads the facts. They are only what the token says: nothing is verified.
func (t Token) Pass() Pass {
	return Pass{
		Version:   t[0] >> 4,
		Kind:      Kind(t[0] & 0x0f),
		KeyID:     t[atKeyID],
		Subject:   uuid.UUID(t[atSubject:atIssue]),
		Issue:     binary.BigEndian.Uint16(t[atIssue:]),
		ExpiresOn: Day(binary.BigEndian.Uint16(t[atExpiry:])),
	}
}
