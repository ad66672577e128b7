package passtype

import (
	"crypto/x509"
	"encoding/asn1"
)

// Where a certificate names its pass type: the subject's UID (RFC 4519 §2.39), and an
// extension of Apple's.
var (
	UserID    = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	Extension = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}
)

// InSubject returns the pass type in the subject; empty when there is none.
func InSubject(c *x509.Certificate) string {
	for _, name := range c.Subject.Names {
		if name.Type.Equal(UserID) {
			text, _ := name.Value.(string)
			return text
		}
	}
	return ""
}

// InExtension returns the pass type in the extension, which Apple writes as a DER string;
// empty when there is none.
func InExtension(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		if !e.Id.Equal(Extension) {
			continue
		}
		var text string
		if rest, err := asn1.Unmarshal(e.Value, &text); err == nil && len(rest) == 0 {
			return text
		}
		return string(e.Value)
	}
	return ""
}
