package apns

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/wallet/apple/passtype"
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
	if passtype.InSubject(leaf) != topic && passtype.InExtension(leaf) != topic {
		return fmt.Errorf("push certificate: %q is not of pass type %s", leaf.Subject, topic)
	}
	return nil
}
