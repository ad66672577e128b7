package apple

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// Limits of what is read as a certificate or key. Apple's own files are below 8 KiB.
const (
	maxFile       = 1 << 20
	maxIterations = 10_000_000 // of a password's hash in PKCS#12: some seconds
)

// File is one file of credentials as its reader found it: PEM with any number of blocks,
// a DER certificate as Apple offers it for download (.cer), or PKCS#12 (.p12).
type File struct {
	Name string // for words about it
	Data []byte
}

// material is what was found in files.
type material struct {
	certificates []*x509.Certificate
	keys         []crypto.Signer
}

func (m *material) read(f File, password string) error {
	switch {
	case len(f.Data) == 0:
		return errors.New("is empty")
	case len(f.Data) > maxFile:
		return fmt.Errorf("has %d bytes; a certificate or key has less than %d", len(f.Data), maxFile)
	case bytes.Contains(f.Data, []byte("-----BEGIN ")):
		return m.readPEM(f.Data)
	}
	if c, err := x509.ParseCertificate(f.Data); err == nil {
		m.certificates = append(m.certificates, c)
		return nil
	}
	if key, err := parseKey(f.Data); err == nil {
		m.keys = append(m.keys, key)
		return nil
	}
	return m.readPKCS12(f.Data, password)
}

func (m *material) readPEM(data []byte) error {
	found := false
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		found = true
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return fmt.Errorf("has a certificate that cannot be read: %w", err)
			}
			m.certificates = append(m.certificates, c)
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return errEncryptedKey
			}
			key, err := parseKey(block.Bytes)
			if err != nil {
				return err
			}
			m.keys = append(m.keys, key)
		case "ENCRYPTED PRIVATE KEY":
			return errEncryptedKey
		default:
			return fmt.Errorf("has a PEM block %q, which is neither a certificate nor a key", block.Type)
		}
	}
	if !found {
		return errors.New("has a PEM block that is cut off or damaged")
	}
	return nil
}

var errEncryptedKey = errors.New("has a key with a password: give it as PKCS#12 (.p12), " +
	"or write it without one (openssl pkey -in key.pem -out plain.pem) and keep that file to its owner")

func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, is := key.(crypto.Signer)
		if !is {
			return nil, fmt.Errorf("has a key of type %T, which cannot sign", key)
		}
		return signer, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("has a private key that cannot be read")
}

func (m *material) readPKCS12(data []byte, password string) error {
	if err := checkIterations(data, 0); err != nil {
		return err
	}
	key, certificate, others, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return errors.New("does not open with the password given")
	case err != nil:
		return fmt.Errorf("is neither PEM, nor a certificate, nor PKCS#12 with one key and its certificate: %w", err)
	}
	signer, is := key.(crypto.Signer)
	if !is {
		return fmt.Errorf("has a key of type %T, which cannot sign", key)
	}
	m.keys = append(m.keys, signer)
	m.certificates = append(append(m.certificates, certificate), others...)
	return nil
}

// maxDepth is how deep DER is looked into; PKCS#12 needs about twelve.
const maxDepth = 32

// checkIterations refuses a file that asks for so many rounds of its password's hash that
// reading it would not end. Such a number stands behind a salt: SEQUENCE { OCTET STRING,
// INTEGER, … } (RFC 7292 §4 and appendix C, RFC 8018 A.2). What is not DER all through,
// as ciphertext, is passed over.
func checkIterations(der []byte, depth int) error {
	values, is := derValues(der)
	if !is || depth == maxDepth {
		return nil
	}
	salted := false
	for _, v := range values {
		var n int
		switch {
		case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger:
			if _, err := asn1.Unmarshal(v.FullBytes, &n); salted && (err != nil || n > maxIterations) {
				return fmt.Errorf("asks for more than %d rounds of its password's hash", maxIterations)
			}
		case v.IsCompound || v.Tag == asn1.TagOctetString:
			salted = salted || v.Tag == asn1.TagOctetString
			if err := checkIterations(v.Bytes, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// derValues splits bytes that are DER values, one after the other.
func derValues(der []byte) (values []asn1.RawValue, is bool) {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return nil, false
		}
		values, der = append(values, v), rest
	}
	return values, true
}
