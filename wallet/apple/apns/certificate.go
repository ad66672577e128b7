package apns

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Where a certificate names its pass type: the subject's UID (RFC 4519 §2.39), and
// an extension of Apple's.
var (
	oidUserID   = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidPassType = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}
)

// checkCertificate refuses a certificate without key or of another pass type, which
// Apple would answer with a refusal of every push.
func checkCertificate(c *tls.Certificate, topic string) error {
	if c.PrivateKey == nil || len(c.Certificate) == 0 {
		return errors.New("push certificate: it or its key is missing")
	}
	leaf := c.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return fmt.Errorf("push certificate: %w", err)
		}
	}
	if !ofPassType(leaf, topic) {
		return fmt.Errorf("push certificate: %q is not of pass type %s", leaf.Subject, topic)
	}
	return nil
}

// ofPassType says whether a certificate is of a pass type.
func ofPassType(leaf *x509.Certificate, topic string) bool {
	for _, name := range leaf.Subject.Names {
		if text, ok := name.Value.(string); ok && name.Type.Equal(oidUserID) && text == topic {
			return true
		}
	}
	for _, ext := range leaf.Extensions {
		if !ext.Id.Equal(oidPassType) {
			continue
		}
		var inner asn1.RawValue
		if _, err := asn1.Unmarshal(ext.Value, &inner); err == nil && bytes.Equal(inner.Bytes, []byte(topic)) {
			return true
		}
	}
	return false
}
