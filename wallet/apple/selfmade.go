package apple

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"github.com/tallystick/tallystick/wallet/apple/passtype"
)

// selfMadeName stands in every certificate that [SelfMade] makes.
const selfMadeName = "Tallystick self-made, not Apple"

// Authority is a self-made authority with a pass certificate, built like Apple's: a root,
// an intermediate, and the certificate with pass type and team. With it everything can be
// tried on one machine; no iPhone installs such a pass.
type Authority struct {
	root, intermediate, leaf *x509.Certificate
	rootKey, leafKey         *rsa.PrivateKey
	random                   io.Reader
}

// SelfMade makes an authority that lasts ten years, and a pass certificate for the pass
// type (pass.…) and the team that lasts one. Making its keys takes about a second.
func SelfMade(passType, team string, now time.Time, random io.Reader) (*Authority, error) {
	a := &Authority{random: random}
	rootKey, middleKey, leafKey, err := threeKeys(random)
	if err != nil {
		return nil, err
	}
	a.rootKey, a.leafKey = rootKey, leafKey
	root := authority("Tallystick self-made root, not Apple", now)
	if a.root, err = a.issue(root, root, &rootKey.PublicKey, rootKey); err != nil {
		return nil, err
	}
	middle := authority("Tallystick self-made developer relations, not Apple", now)
	middle.MaxPathLenZero = true
	if a.intermediate, err = a.issue(middle, a.root, &middleKey.PublicKey, rootKey); err != nil {
		return nil, err
	}
	leaf, err := passCertificate(passType, team, now)
	if err != nil {
		return nil, err
	}
	a.leaf, err = a.issue(leaf, a.intermediate, &leafKey.PublicKey, middleKey)
	return a, err
}

func threeKeys(random io.Reader) (root, middle, leaf *rsa.PrivateKey, err error) {
	for _, key := range []**rsa.PrivateKey{&root, &middle, &leaf} {
		if *key, err = rsa.GenerateKey(random, 2048); err != nil {
			return nil, nil, nil, fmt.Errorf("make key: %w", err)
		}
	}
	return root, middle, leaf, nil
}

func authority(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{selfMadeName}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// passCertificate is laid out as Apple's: the pass type in UID, name and extension, the
// team in OU.
func passCertificate(passType, team string, now time.Time) (*x509.Certificate, error) {
	extension, err := asn1.MarshalWithParams(passType, "utf8")
	if err != nil {
		return nil, fmt.Errorf("encode pass type: %w", err)
	}
	return &x509.Certificate{
		Subject: pkix.Name{
			CommonName: "Pass Type ID: " + passType + " (self-made)", OrganizationalUnit: []string{team}, Organization: []string{selfMadeName},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: passtype.UserID, Value: passType}},
		},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		ExtraExtensions: []pkix.Extension{{Id: passtype.Extension, Value: extension}},
	}, nil
}

func (a *Authority) issue(template, parent *x509.Certificate, public *rsa.PublicKey, by *rsa.PrivateKey) (*x509.Certificate, error) {
	serial := make([]byte, 15)
	if _, err := io.ReadFull(a.random, serial); err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	template.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(a.random, template, parent, public, by)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// PEM returns all that makes passes, with the private key, as one file that [Read] takes.
// It is a secret. The root's key is not in it, so the authority makes nothing more.
func (a *Authority) PEM() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(a.leafKey)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	out := []byte("# " + selfMadeName + ". For trying things only.\n")
	for _, c := range []*x509.Certificate{a.leaf, a.intermediate, a.root} {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}

// RootPEM returns the root's certificate, which who verifies passes must trust.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Credentials reads the authority's own certificate.
func (a *Authority) Credentials(now time.Time) (*Credentials, error) {
	text, err := a.PEM()
	if err != nil {
		return nil, err
	}
	return Read(Source{Files: []File{{Name: "self-made", Data: text}}}, now)
}

// Server issues a TLS certificate for a double of Apple's servers at these host names and
// addresses; [Authority.Roots] and [Credentials.Roots] trust it.
func (a *Authority) Server(now time.Time, hosts ...string) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(a.random, 2048)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Tallystick double of Apple's servers", Organization: []string{selfMadeName}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, host)
	}
	c, err := a.issue(template, a.root, &key.PublicKey, a.rootKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}, nil
}

// Roots returns a pool with the authority's root.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}
