package apnsdouble

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Apple's rules of provider tokens.
const (
	oldestToken = time.Hour
	newestClock = time.Minute // how far a token may come from the future
	tokenPause  = 20 * time.Minute
)

// provider is the token last seen of a key.
type provider struct {
	text string
	seen time.Time
}

// claims are all that a provider token says.
type claims struct {
	Issuer   string           `json:"iss"`
	IssuedAt *jwt.NumericDate `json:"iat"`
}

// The double checks the times itself, so these say nothing.
func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (c claims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return nil, nil }
func (c claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c claims) GetSubject() (string, error)                  { return "", nil }
func (c claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// checkToken checks an Authorization header.
func (d *Double) checkToken(header string) *complaint {
	text, ok := bearer(header)
	if !ok {
		return forbidden("MissingProviderToken", "Authorization is %q", header)
	}
	var c claims
	token, err := jwt.ParseWithClaims(text, &c, d.keyOf, jwt.WithValidMethods([]string{"ES256"}))
	if err != nil {
		return forbidden("InvalidProviderToken", "%v", err)
	}
	kid, _ := token.Header["kid"].(string)
	if names := slices.Sorted(maps.Keys(token.Header)); !slices.Equal(names, []string{"alg", "kid"}) {
		return forbidden("InvalidProviderToken", "its header has %v", names)
	}
	now := d.options.Now()
	switch key, _ := d.key(kid); {
	case c.Issuer != key.Team:
		return forbidden("InvalidProviderToken", "iss is %q, not %q", c.Issuer, key.Team)
	case c.IssuedAt == nil:
		return forbidden("InvalidProviderToken", "no iat")
	case c.IssuedAt.After(now.Add(newestClock)):
		return forbidden("InvalidProviderToken", "iat is in the future")
	case now.Sub(c.IssuedAt.Time) > oldestToken:
		return forbidden("ExpiredProviderToken", "it is %v old", now.Sub(c.IssuedAt.Time))
	}
	return d.checkPause(kid, text, now)
}

// checkPause holds that a key's tokens change no more often than every 20 minutes.
func (d *Double) checkPause(kid, text string, now time.Time) *complaint {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, seen := d.providers[kid]
	if seen && last.text == text {
		return nil
	}
	if pause := now.Sub(last.seen); seen && pause < tokenPause {
		return &complaint{http.StatusTooManyRequests, "TooManyProviderTokenUpdates", fmt.Sprintf("TooManyProviderTokenUpdates: after %v", pause)}
	}
	d.providers[kid] = provider{text: text, seen: now}
	return nil
}

func (d *Double) keyOf(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	if key, ok := d.key(kid); ok {
		return key.Public, nil
	}
	return nil, errors.New("unknown kid")
}

func (d *Double) key(id string) (Key, bool) {
	i := slices.IndexFunc(d.options.Keys, func(k Key) bool { return k.ID == id })
	if i < 0 {
		return Key{}, false
	}
	return d.options.Keys[i], true
}

func forbidden(reason, format string, args ...any) *complaint {
	c := bad(reason, format, args...)
	c.status = http.StatusForbidden
	return c
}
