package apns

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Apple refuses provider tokens older than an hour, and answers
// TooManyProviderTokenUpdates when they change more often than every 20 minutes.
const (
	tokenLife  = 40 * time.Minute
	tokenPause = 20 * time.Minute
)

// idLength is how many characters key ids and team ids have.
const idLength = 10

// TokenKey is a .p8 key of Apple's "Keys" page, used instead of a certificate.
type TokenKey struct {
	Key    *ecdsa.PrivateKey // P-256
	KeyID  string            // 10 characters, on the page and in the file's name
	TeamID string            // 10 characters
}

// ParseTokenKey reads the PEM text of a .p8 file (PKCS #8, P-256).
func ParseTokenKey(text []byte, keyID, teamID string) (TokenKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return TokenKey{}, errors.New("parse push key: no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return TokenKey{}, fmt.Errorf("parse push key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return TokenKey{}, fmt.Errorf("parse push key: it is a %T, not an elliptic curve key", parsed)
	}
	k := TokenKey{Key: key, KeyID: keyID, TeamID: teamID}
	return k, k.check()
}

func (k TokenKey) check() error {
	switch {
	case k.Key == nil:
		return errors.New("push key: there is none")
	case k.Key.Curve != elliptic.P256():
		return fmt.Errorf("push key: its curve is %s, not P-256", k.Key.Curve.Params().Name)
	case len(k.KeyID) != idLength:
		return fmt.Errorf("push key: key id %q has not %d characters", k.KeyID, idLength)
	case len(k.TeamID) != idLength:
		return fmt.Errorf("push key: team id %q has not %d characters", k.TeamID, idLength)
	}
	return nil
}

// tokens makes provider tokens and keeps the one in use.
type tokens struct {
	key TokenKey

	mu    sync.Mutex
	text  string
	made  time.Time
	stale bool // Apple no longer takes it
}

// current returns the provider token to send at now.
func (t *tokens) current(now time.Time) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	age := now.Sub(t.made)
	// A clock that was set back makes the age negative: such a token may seem to
	// come from the future, so it is as good as none.
	if t.text != "" && age >= 0 && (age < tokenPause || age < tokenLife && !t.stale) {
		return t.text, nil
	}
	claims := jwt.MapClaims{"iss": t.key.TeamID, "iat": now.Unix()}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = t.key.KeyID
	delete(token.Header, "typ") // Apple asks for alg and kid only
	text, err := token.SignedString(t.key.Key)
	if err != nil {
		return "", fmt.Errorf("sign provider token: %w", err)
	}
	t.text, t.made, t.stale = text, now, false
	return text, nil
}

// refused notes that Apple did not take text.
func (t *tokens) refused(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == text {
		t.stale = true
	}
}
