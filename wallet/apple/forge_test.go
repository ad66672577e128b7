package apple_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/wallet/apple"
)

// forged is a chain laid out as Apple's, made quickly, of which a test spoils one thing.
type forged struct {
	leaf, intermediate, root *x509.Certificate
	key                      crypto.Signer
}

type spoil struct {
	leaf, intermediate func(*x509.Certificate)
}

var (
	oidUserID   = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidPassType = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}
)

func forge(t testing.TB, s spoil) forged {
	t.Helper()
	rootKey, middleKey, leafKey := newKey(t), newKey(t), newKey(t)
	root := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Apple Root CA"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	f := forged{key: leafKey, root: sign(t, root, root, rootKey, rootKey)}
	middle := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Apple Worldwide Developer Relations Certification Authority", OrganizationalUnit: []string{"G4"}, Organization: []string{"Apple Inc."}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(4, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if s.intermediate != nil {
		s.intermediate(middle)
	}
	f.intermediate = sign(t, middle, f.root, middleKey, rootKey)
	leaf := &x509.Certificate{
		Subject: pkix.Name{
			CommonName: "Pass Type ID: " + passType, OrganizationalUnit: []string{team},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidUserID, Value: passType}},
		},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0), BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{extension(t, passType)},
	}
	if s.leaf != nil {
		s.leaf(leaf)
	}
	f.leaf = sign(t, leaf, f.intermediate, leafKey, middleKey)
	return f
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func extension(t testing.TB, text string) pkix.Extension {
	t.Helper()
	value, err := asn1.MarshalWithParams(text, "utf8")
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: oidPassType, Value: value}
}

func sign(t testing.TB, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	der, err := x509.CreateCertificate(random, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func certPEM(certificates ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// source is the chain as three files.
func (f forged) source(t testing.TB) apple.Source {
	t.Helper()
	return apple.Source{Files: []apple.File{{Name: "wwdr.pem", Data: certPEM(f.intermediate)}, {Name: "pass.pem", Data: certPEM(f.leaf)}, {Name: "key.pem", Data: keyPEM(t, f.key)}}}
}

// with returns the source with one file in the place of the one named so, or added.
func with(s apple.Source, name string, data []byte) apple.Source {
	s.Files = slices.Clone(s.Files)
	for n := range s.Files {
		if s.Files[n].Name == name {
			s.Files[n].Data = data
			return s
		}
	}
	s.Files = append(s.Files, apple.File{Name: name, Data: data})
	return s
}
