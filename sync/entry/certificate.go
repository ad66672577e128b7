package entry

import "github.com/google/uuid"

// KindHQCertificate notes that HQ has certified a day of a store.
const KindHQCertificate Kind = 97

// HQCertificate is the body of [KindHQCertificate]. Digest is the SHA-256 of the
// certificate's text, in hex.
type HQCertificate struct {
	Store  uuid.UUID `cbor:"1,keyasint"`
	Date   Date      `cbor:"2,keyasint"`
	Number uint64    `cbor:"3,keyasint"`
	Digest string    `cbor:"4,keyasint"`
}
