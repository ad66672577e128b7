package phones

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// The parts of RFC 5652 that a pass's signature uses.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      encapsulated
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
	}
	signerInfo struct {
		Version   int
		Signer    issuerAndSerial
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue `asn1:"tag:0"`
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
		Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial asn1.RawValue
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue `asn1:"set"`
	}
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidSignedData    = "1.2.840.113549.1.7.2"
	oidContentType   = "1.2.840.113549.1.9.3"
	oidMessageDigest = "1.2.840.113549.1.9.4"
	oidSigningTime   = "1.2.840.113549.1.9.5"
)

// hashes are the digests Wallet is known to take.
var hashes = map[string]crypto.Hash{"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256}

// signature is what a good signature says.
type signature struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate // what came with it, the leaf aside
	at    time.Time
}

// readSignature checks a detached signature over content (RFC 5652 §5.4 to §5.6), and
// returns who made it and when. Whether that certificate is trusted is asked elsewhere.
func readSignature(der, content []byte) (signature, error) {
	data, err := openSignedData(der)
	if err != nil {
		return signature{}, err
	}
	certificates, err := x509.ParseCertificates(data.Certificates.Bytes)
	if err != nil {
		return signature{}, fmt.Errorf("certificates: %w", err)
	}
	signer := data.Signers[0]
	var s signature
	for _, c := range certificates {
		var serial asn1.RawValue
		raw, err := asn1.Marshal(c.SerialNumber)
		if err != nil {
			return signature{}, err
		}
		if _, err := asn1.Unmarshal(raw, &serial); err != nil {
			return signature{}, err
		}
		if bytes.Equal(c.RawIssuer, signer.Signer.Issuer.FullBytes) && bytes.Equal(serial.Bytes, signer.Signer.Serial.Bytes) {
			s.leaf = c
			continue
		}
		s.chain = append(s.chain, c)
	}
	if s.leaf == nil {
		return signature{}, errors.New("the signer's certificate is not with it")
	}
	hash, ok := hashes[signer.Digest.Algorithm.String()]
	if !ok {
		return signature{}, fmt.Errorf("unknown digest %s", signer.Digest.Algorithm)
	}
	if s.at, err = readAttributes(signer.Signed.Bytes, digest(hash, content)); err != nil {
		return signature{}, err
	}
	// What is signed is the set as such, not as a tagged part (§5.4).
	set := append([]byte(nil), signer.Signed.FullBytes...)
	set[0] = 0x31
	return s, checkKey(s.leaf, hash, digest(hash, set), signer.Signature)
}

func openSignedData(der []byte) (signedData, error) {
	var info contentInfo
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) > 0 || info.Type.String() != oidSignedData {
		return signedData{}, errors.New("it is not CMS signed data")
	}
	var data signedData
	if rest, err = asn1.Unmarshal(info.Content.Bytes, &data); err != nil || len(rest) > 0 {
		return signedData{}, fmt.Errorf("it is not signed data: %w", err)
	}
	switch {
	case data.Content.Type.String() != oidData || len(data.Content.Content.FullBytes) > 0:
		return data, errors.New("it is not detached")
	case len(data.Signers) != 1:
		return data, fmt.Errorf("it has %d signers", len(data.Signers))
	case len(data.Certificates.Bytes) == 0:
		return data, errors.New("it has no certificates")
	}
	return data, nil
}

// readAttributes checks the signed attributes and returns the signing time, without
// which Wallet takes no pass.
func readAttributes(raw, want []byte) (at time.Time, err error) {
	seen := map[string]bool{}
	for len(raw) > 0 {
		var a attribute
		if raw, err = asn1.Unmarshal(raw, &a); err != nil {
			return at, fmt.Errorf("signed attributes: %w", err)
		}
		name := a.Type.String()
		if seen[name] {
			return at, fmt.Errorf("signed attribute %s is there twice", name)
		}
		seen[name] = true
		switch name {
		case oidContentType:
			var of asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(a.Values.Bytes, &of); err != nil || of.String() != oidData {
				return at, errors.New("its content type is not data")
			}
		case oidMessageDigest:
			var got []byte
			if _, err := asn1.Unmarshal(a.Values.Bytes, &got); err != nil || !bytes.Equal(got, want) {
				return at, errors.New("it is of another manifest")
			}
		case oidSigningTime:
			if _, err := asn1.Unmarshal(a.Values.Bytes, &at); err != nil {
				return at, fmt.Errorf("signing time: %w", err)
			}
		}
	}
	for _, name := range []string{oidContentType, oidMessageDigest, oidSigningTime} {
		if !seen[name] {
			return at, fmt.Errorf("signed attribute %s is missing", name)
		}
	}
	return at, nil
}

func checkKey(c *x509.Certificate, hash crypto.Hash, sum, signed []byte) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, hash, sum, signed); err != nil {
			return fmt.Errorf("signature: %w", err)
		}
		return nil
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, sum, signed) {
			return nil
		}
	}
	return errors.New("signature: it is not of this certificate")
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}
