package keys

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// JWKID is the name under which a key is published.
func (p Public) JWKID() string { return fmt.Sprintf("%s-%d", p.Use, p.ID) }

// jwk is an Ed25519 key as RFC 8037 writes it.
type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// JWKS writes the keys of one use as a JSON Web Key Set (RFC 7517). A revoked one is left
// out, so that it verifies nothing.
func (s Set) JWKS(use Use) ([]byte, error) {
	set := jwkSet{Keys: []jwk{}}
	for _, k := range s.Keys {
		if k.Use == use && k.RevokedAt.IsZero() {
			set.Keys = append(set.Keys, jwk{
				Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(k.Key), ID: k.JWKID(), Use: "sig", Algorithm: "EdDSA",
			})
		}
	}
	return json.Marshal(set)
}

// ParseJWKS reads the Ed25519 keys of a JSON Web Key Set by their names; others are passed
// over.
func ParseJWKS(raw []byte) (map[string]ed25519.PublicKey, error) {
	var set jwkSet
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("read key set: %w", err)
	}
	known := map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		key, err := base64.RawURLEncoding.Strict().DecodeString(k.X)
		if k.Type == "OKP" && k.Curve == "Ed25519" && err == nil && len(key) == ed25519.PublicKeySize {
			known[k.ID] = key
		}
	}
	if len(known) == 0 {
		return nil, errors.New("read key set: there is no Ed25519 key in it")
	}
	return known, nil
}
