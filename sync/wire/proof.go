package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Headers of a proven request and of its answer (RFC 9449 §4.1, §8).
const (
	HeaderProof = "DPoP"
	HeaderNonce = "DPoP-Nonce"
)

// maxProof bounds the header before anything is parsed. The proven path holds the
// feed's cursor, up to 4 KiB for 256 shards, which base64 makes a third longer.
const maxProof = 8 << 10

// Proof is what a terminal claims about one request: a DPoP JWT (RFC 9449) signed
// with its own key. The address is the path and query alone, so that the proof
// survives proxies and relays; the HQ it is meant for stands in the audience, and
// the body's SHA-256 in "ath_body".
type Proof struct {
	HQ       uuid.UUID
	Terminal uuid.UUID
	Epoch    uint32
	Method   string
	Path     string // with the query, as sent
	Nonce    string
	ID       string // jti
	IssuedAt time.Time
	Body     []byte
}

type proofClaims struct {
	jwt.RegisteredClaims
	Method string `json:"htm"`
	Path   string `json:"htu"`
	Nonce  string `json:"nonce,omitempty"`
	Digest string `json:"ath_body"`
	Epoch  uint32 `json:"epoch"`
}

// Prove signs a proof with the terminal's private key. One too long for HQ is
// problem.ProofInvalid.
func Prove(private ed25519.PrivateKey, p Proof) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, proofClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:  p.Terminal.String(),
			Audience: jwt.ClaimStrings{p.HQ.String()},
			ID:       p.ID,
			IssuedAt: jwt.NewNumericDate(p.IssuedAt),
		},
		Method: p.Method, Path: p.Path, Nonce: p.Nonce, Digest: digest(p.Body), Epoch: p.Epoch,
	})
	token.Header["typ"] = "dpop+jwt"
	token.Header["jwk"] = publicJWK(private.Public().(ed25519.PublicKey))
	text, err := token.SignedString(private)
	if err != nil {
		return "", fmt.Errorf("sign proof: %w", err)
	}
	if len(text) > maxProof {
		return "", problem.Newf(problem.ProofInvalid, "the proof has %d bytes, at most %d", len(text), maxProof)
	}
	return text, nil
}

// ProofOf reads who a proof claims to be from, without believing it: HQ looks up
// the terminal's key with it and then calls [VerifyProof].
func ProofOf(token string) (terminal uuid.UUID, epoch uint32, err error) {
	if len(token) == 0 || len(token) > maxProof {
		return uuid.Nil, 0, problem.Newf(problem.ProofInvalid, "the %s header is missing or too long", HeaderProof)
	}
	var claims proofClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		return uuid.Nil, 0, problem.Wrap(problem.ProofInvalid, err, "the proof is no JWT")
	}
	terminal, err = uuid.Parse(claims.Subject)
	if err != nil {
		return uuid.Nil, 0, problem.New(problem.ProofInvalid, "the proof names no terminal")
	}
	return terminal, claims.Epoch, nil
}

// VerifyProof checks a proof against the key HQ holds for the terminal and against
// the request as it arrived. want.IssuedAt, want.ID and want.Nonce are ignored;
// fresh says whether a nonce is one of HQ's recent ones. A missing or old nonce is
// problem.ProofNonce (send again with the new one), all else problem.ProofInvalid.
// The till's clock plays no part: a wrong clock cannot lock a terminal out.
func VerifyProof(token string, key ed25519.PublicKey, want Proof, fresh func(nonce string) bool) error {
	return verifyProof(token, key, want, fresh, digest(want.Body))
}

// VerifyProofHead is VerifyProof before the body has arrived: it says who sends, not
// what.
func VerifyProofHead(token string, key ed25519.PublicKey, want Proof, fresh func(nonce string) bool) error {
	return verifyProof(token, key, want, fresh, "")
}

// verifyProof checks the body's digest unless it is empty.
func verifyProof(token string, key ed25519.PublicKey, want Proof, fresh func(nonce string) bool, body string) error {
	if len(token) > maxProof {
		return problem.New(problem.ProofInvalid, "the proof is too long")
	}
	var claims proofClaims
	parsed, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithoutClaimsValidation(),
	).ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key, nil })
	if err != nil {
		return problem.Wrap(problem.ProofInvalid, err, "the proof's signature does not verify")
	}
	if reason := mismatch(parsed, claims, key, want, body); reason != nil {
		return problem.Wrap(problem.ProofInvalid, reason, reason.Error())
	}
	if claims.Nonce == "" || !fresh(claims.Nonce) {
		return problem.New(problem.ProofNonce, "send again with the nonce of this answer")
	}
	return nil
}

func mismatch(parsed *jwt.Token, claims proofClaims, key ed25519.PublicKey, want Proof, body string) error {
	jwk, _ := parsed.Header["jwk"].(map[string]any)
	switch {
	case parsed.Header["typ"] != "dpop+jwt":
		return errors.New("the proof is of another type")
	case jwk["x"] != publicJWK(key)["x"]:
		return errors.New("the proof shows another key")
	case claims.Subject != want.Terminal.String() || claims.Epoch != want.Epoch:
		return errors.New("the proof is of another terminal or epoch")
	case len(claims.Audience) != 1 || claims.Audience[0] != want.HQ.String():
		return errors.New("the proof is meant for another HQ")
	case claims.Method != want.Method || claims.Path != want.Path:
		return errors.New("the proof is for another request")
	case body != "" && subtle.ConstantTimeCompare([]byte(claims.Digest), []byte(body)) != 1:
		return errors.New("the proof is for another body")
	case claims.ID == "":
		return errors.New("the proof has no id")
	}
	return nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// publicJWK is the key as RFC 8037 OKP parameters.
func publicJWK(key ed25519.PublicKey) map[string]any {
	return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(key)}
}
