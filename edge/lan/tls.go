package lan

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

// errStranger means that the other end holds no key of the roster.
var errStranger = errors.New("its key is not in the store's roster")

// certificate wraps the terminal's own key for TLS. Nobody looks at anything in it but
// the key, so its dates are far apart: a till's clock may be wrong by years.
func certificate(random io.Reader, private ed25519.PrivateKey, terminal uuid.UUID) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: terminal.String()},
		NotBefore: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(random, template, template, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make LAN certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, nil
}

// tlsConfig is the same at both ends: TLS 1.3, both show their key, and a key is good
// when the roster of this moment names it.
func (n *Node) tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert},
		ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, // names and authorities say nothing here; VerifyConnection pins the key
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := n.laneOf(&state)
			return err
		},
	}
}

// laneOf returns the lane at the other end, as the roster has it now.
func (n *Node) laneOf(state *tls.ConnectionState) (wire.Terminal, error) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return wire.Terminal{}, errStranger
	}
	key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return wire.Terminal{}, errStranger
	}
	for _, lane := range n.cfg.Terminal.Lanes() {
		if key.Equal(ed25519.PublicKey(lane.PublicKey)) && lane.State == laneEnrolled && lane.ID != n.self.ID {
			return lane, nil
		}
	}
	return wire.Terminal{}, errStranger
}

// laneEnrolled is the state of a lane that may be talked to.
const laneEnrolled = "enrolled"
