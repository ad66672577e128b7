package wire

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
)

// Reference is what a receipt says of its sale: where its entry stands, and its id.
type Reference struct {
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
	Sale     uuid.UUID
}

// SignedReference is a reference with its terminal's signature.
type SignedReference struct {
	Reference
	Signature [ed25519.SignatureSize]byte
}

// The text of a reference: the prefix, then terminal, epoch, seq, sale and signature in
// Crockford's base32 without padding, 177 characters, which a QR code of version 7 at level
// M holds. No pass token begins like it.
const (
	referencePrefix = "TSR1"
	referenceSize   = 16 + 4 + 8 + 16
	referenceDomain = "tallystick receipt v1"
)

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// ErrNoReference means that a text is no reference of a receipt.
var ErrNoReference = errors.New("the text is no reference of a receipt")

func (r Reference) bytes() []byte {
	b := append(make([]byte, 0, referenceSize+ed25519.SignatureSize), r.Terminal[:]...)
	b = binary.BigEndian.AppendUint32(b, r.Epoch)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	return append(b, r.Sale[:]...)
}

// SignReference signs a reference with the terminal's own key.
func SignReference(own keys.Signer, r Reference) SignedReference {
	out := SignedReference{Reference: r}
	copy(out.Signature[:], own.Sign(referenceDomain, r.bytes()))
	return out
}

// Text is the text of the QR code.
func (r SignedReference) Text() string {
	return referencePrefix + crockford.EncodeToString(append(r.bytes(), r.Signature[:]...))
}

// By reports whether a terminal's key signed the reference.
func (r SignedReference) By(key ed25519.PublicKey) bool {
	return keys.Verify(key, referenceDomain, r.bytes(), r.Signature[:]) == nil
}

// ReadReference reads a scan. What scanners put around a text, and small letters, are
// undone; anything else is ErrNoReference. It checks no signature.
func ReadReference(raw string) (SignedReference, error) {
	text := strings.ToUpper(strings.TrimPrefix(strings.TrimSpace(raw), "]Q1"))
	body, ok := strings.CutPrefix(text, referencePrefix)
	if !ok || len(body) != crockford.EncodedLen(referenceSize+ed25519.SignatureSize) {
		return SignedReference{}, ErrNoReference
	}
	b, err := crockford.DecodeString(body)
	if err != nil {
		return SignedReference{}, ErrNoReference
	}
	var out SignedReference
	copy(out.Terminal[:], b)
	out.Epoch, out.Seq = binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint64(b[20:])
	copy(out.Sale[:], b[28:])
	copy(out.Signature[:], b[referenceSize:])
	if out.Text() != text || out.Terminal == uuid.Nil || out.Sale == uuid.Nil || out.Seq == 0 {
		return SignedReference{}, ErrNoReference // several texts must not mean one reference
	}
	return out, nil
}
