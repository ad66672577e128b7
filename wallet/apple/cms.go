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

// DER tags that a CMS SignedData needs (X.690 §8.1.2).
const (
	tagOctets   = 0x04
	tagUTCTime  = 0x17
	tagSequence = 0x30
	tagSet      = 0x31
	tagContext0 = 0xA0
)

// tlv puts a tag and a length before parts that are DER.
func tlv(tag byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	out := append(make([]byte, 0, size+5), tag)
	switch {
	case size < 1<<7:
		out = append(out, byte(size))
	case size < 1<<8:
		out = append(out, 0x81, byte(size))
	case size < 1<<16:
		out = append(out, 0x82, byte(size>>8), byte(size))
	default:
		out = append(out, 0x83, byte(size>>16), byte(size>>8), byte(size))
	}
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

// signer makes detached signatures. What is the same in all of them is encoded once.
type signer struct {
	key                                      crypto.Signer
	contentType, signingTime, messageDigest  []byte // the attribute's name; of the first, all
	signedData, data, before, who, algorithm []byte // parts of the message, in their order
}

func newSigner(key crypto.Signer, leaf, issuer *x509.Certificate) (*signer, error) {
	algorithm := pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}
	switch key.(type) {
	case *rsa.PrivateKey:
	case *ecdsa.PrivateKey:
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidECDSASHA256}
	default:
		return nil, fmt.Errorf("key of type %T cannot sign passes", key)
	}
	var failed error
	der := func(value any) []byte {
		out, err := asn1.Marshal(value)
		failed = errors.Join(failed, err)
		return out
	}
	s := &signer{key: key, signingTime: der(oidSigningTime), messageDigest: der(oidMessageDigest), signedData: der(oidSignedData), data: der(oidData), algorithm: der(algorithm)}
	s.contentType = tlv(tagSequence, der(oidContentType), tlv(tagSet, s.data))
	one, hash := der(1), der(pkix.AlgorithmIdentifier{Algorithm: oidSHA256})
	chain := [][]byte{leaf.Raw, issuer.Raw}
	slices.SortFunc(chain, bytes.Compare) // a SET OF in DER
	s.before = slices.Concat(one, tlv(tagSet, hash), tlv(tagSequence, s.data), tlv(tagContext0, chain...))
	s.who = slices.Concat(one, tlv(tagSequence, leaf.RawIssuer, der(leaf.SerialNumber)), hash)
	if failed != nil {
		return nil, fmt.Errorf("encode signature: %w", failed)
	}
	return s, nil
}

// sign returns the DER of a detached CMS signature over content, with that signing time
// (RFC 5652 §5: SignedData with one SignerInfo).
func (s *signer) sign(content []byte, at time.Time) ([]byte, error) {
	attributes := s.attributes(content, at)
	// The signature is over the attributes as a SET (RFC 5652 §5.4); they are stored as [0].
	digest := sha256.Sum256(tlv(tagSet, attributes))
	signature, err := s.key.Sign(nil, digest[:], crypto.SHA256) // both kinds of key need no randomness (RFC 6979)
	if err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	info := tlv(tagSequence, s.who, tlv(tagContext0, attributes), s.algorithm, tlv(tagOctets, signature))
	return tlv(tagSequence, s.signedData, tlv(tagContext0, tlv(tagSequence, s.before, tlv(tagSet, info)))), nil
}

// attributes returns the three signed attributes in the order of DER (by their bytes: the
// shortest first). Wallet refuses a signature without signing time.
func (s *signer) attributes(content []byte, at time.Time) []byte {
	digest := sha256.Sum256(content)
	moment := at.UTC().AppendFormat(nil, "060102150405Z") // until 2049 (RFC 5652 §11.3)
	return slices.Concat(s.contentType,
		tlv(tagSequence, s.signingTime, tlv(tagSet, tlv(tagUTCTime, moment))),
		tlv(tagSequence, s.messageDigest, tlv(tagSet, tlv(tagOctets, digest[:]))))
}
