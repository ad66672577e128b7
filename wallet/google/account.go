package google

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Account is a service account: it signs what we say to Google.
type Account struct {
	Email string
	KeyID string
	// TokenURL is where its word is exchanged for a bearer token.
	TokenURL string
	key      *rsa.PrivateKey
}

// ErrAccount means that a service account file is not usable.
var ErrAccount = errors.New("the service account file is not usable")

// maxAccountFile bounds a service account file, in bytes; Google's have 2,400.
const maxAccountFile = 64 << 10

// leastBits is the least size of a key; Google makes 2048.
const leastBits = 2048

// ReadAccount reads the JSON file that Google's console makes for a service account.
// An error never contains its key.
func ReadAccount(raw []byte) (Account, error) {
	var file struct {
		Type     string `json:"type"`
		Email    string `json:"client_email"`
		KeyID    string `json:"private_key_id"`
		Key      string `json:"private_key"`
		TokenURL string `json:"token_uri"`
	}
	if len(raw) > maxAccountFile {
		return Account{}, fmt.Errorf("%w: it has %d bytes", ErrAccount, len(raw))
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Account{}, fmt.Errorf("%w: it is not JSON", ErrAccount)
	}
	switch {
	case file.Type != "service_account":
		return Account{}, fmt.Errorf("%w: its type is %q and not service_account", ErrAccount, cut(file.Type, "", maxShort))
	case !strings.Contains(file.Email, "@"):
		return Account{}, fmt.Errorf("%w: it has no client_email", ErrAccount)
	case !strings.HasPrefix(file.TokenURL, "https://"):
		return Account{}, fmt.Errorf("%w: its token_uri is not https", ErrAccount)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(file.Key))
	switch {
	case err != nil:
		return Account{}, fmt.Errorf("%w: its private_key is not an RSA key in PEM", ErrAccount)
	case key.N.BitLen() < leastBits:
		return Account{}, fmt.Errorf("%w: its key has %d bits, at least %d are needed", ErrAccount, key.N.BitLen(), leastBits)
	}
	return Account{Email: file.Email, KeyID: file.KeyID, TokenURL: file.TokenURL, key: key}, nil
}

// String names the account without its key.
func (a Account) String() string { return a.Email }

// sign makes a JWT with RS256.
func (a Account) sign(claims jwt.MapClaims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	if a.KeyID != "" {
		t.Header["kid"] = a.KeyID
	}
	return t.SignedString(a.key)
}
