package apple

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Object identifiers of CMS (RFC 5652, RFC 5754).
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidECDSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

// The parts of a CMS SignedData as RFC 5652 §5 has them.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version          int
		DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
		Encapsulated     struct{ Type asn1.ObjectIdentifier }
		Certificates     asn1.RawValue
		SignerInfos      []signerInfo `asn1:"set"`
	}
	signerInfo struct {
		Version            int
		Signer             issuerAndSerial
		DigestAlgorithm    pkix.AlgorithmIdentifier
		SignedAttributes   asn1.RawValue
		SignatureAlgorithm pkix.AlgorithmIdentifier
		Signature          []byte
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
)

// signer makes detached signatures. What is the same in all of them is made once.
type signer struct {
	key          crypto.Signer
	algorithm    pkix.AlgorithmIdentifier
	certificates asn1.RawValue
	id           issuerAndSerial
	contentType  []byte // the encoded attribute
}

func newSigner(key crypto.Signer, leaf, issuer *x509.Certificate) (*signer, error) {
	s := &signer{key: key, id: issuerAndSerial{Issuer: asn1.RawValue{FullBytes: leaf.RawIssuer}, Serial: leaf.SerialNumber}}
	switch key.(type) {
	case *rsa.PrivateKey:
		s.algorithm = pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}
	case *ecdsa.PrivateKey:
		s.algorithm = pkix.AlgorithmIdentifier{Algorithm: oidECDSASHA256}
	default:
		return nil, fmt.Errorf("key of type %T cannot sign passes", key)
	}
	chain := [][]byte{leaf.Raw, issuer.Raw}
	slices.SortFunc(chain, bytes.Compare) // a SET OF in DER
	s.certificates = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: slices.Concat(chain...)}
	value, err := asn1.Marshal(oidData)
	if err != nil {
		return nil, fmt.Errorf("encode content type: %w", err)
	}
	s.contentType, err = encodeAttribute(oidContentType, value)
	return s, err
}

// sign returns the DER of a detached CMS signature over content, with that signing time.
func (s *signer) sign(content []byte, at time.Time) ([]byte, error) {
	attributes, err := s.attributes(content, at)
	if err != nil {
		return nil, err
	}
	// The signature is over the attributes as a SET (RFC 5652 §5.4); they are stored as [0].
	toSign, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: attributes})
	if err != nil {
		return nil, fmt.Errorf("encode signed attributes: %w", err)
	}
	digest := sha256.Sum256(toSign)
	signature, err := s.key.Sign(nil, digest[:], crypto.SHA256) // both kinds of key need no randomness (RFC 6979)
	if err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	hash := pkix.AlgorithmIdentifier{Algorithm: oidSHA256}
	info := contentInfo{Type: oidSignedData, Content: signedData{
		Version:          1,
		DigestAlgorithms: []pkix.AlgorithmIdentifier{hash},
		Certificates:     s.certificates,
		SignerInfos: []signerInfo{{
			Version: 1, Signer: s.id, DigestAlgorithm: hash,
			SignedAttributes:   asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: attributes},
			SignatureAlgorithm: s.algorithm, Signature: signature,
		}},
	}}
	info.Content.Encapsulated.Type = oidData
	der, err := asn1.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("encode signature: %w", err)
	}
	return der, nil
}

// attributes returns the three signed attributes, encoded and in the order of DER (by
// their bytes: the shortest first). Wallet refuses a signature without signing time.
func (s *signer) attributes(content []byte, at time.Time) ([]byte, error) {
	digest := sha256.Sum256(content)
	octets, errDigest := asn1.Marshal(digest[:])
	moment, errTime := asn1.Marshal(at.UTC().Truncate(time.Second))
	signingTime, errFirst := encodeAttribute(oidSigningTime, moment)
	messageDigest, errSecond := encodeAttribute(oidMessageDigest, octets)
	if err := errors.Join(errDigest, errTime, errFirst, errSecond); err != nil {
		return nil, fmt.Errorf("encode signed attributes: %w", err)
	}
	return slices.Concat(s.contentType, signingTime, messageDigest), nil
}

func encodeAttribute(of asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	der, err := asn1.Marshal(attribute{Type: of, Values: asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
	if err != nil {
		return nil, fmt.Errorf("encode attribute %s: %w", of, err)
	}
	return der, nil
}
