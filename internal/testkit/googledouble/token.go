package googledouble

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	scope = "https://www.googleapis.com/auth/wallet_object.issuer"
)

// giveToken is the token endpoint (RFC 7523).
func (d *Double) giveToken(w http.ResponseWriter, r *http.Request) {
	if why := d.assertion(r); why != "" {
		d.refuse("token: " + why)
		write(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": why})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.issued++
	token := "double-" + strconv.Itoa(d.issued)
	d.tokens[token] = d.o.Now().Add(time.Hour)
	write(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3599})
}

// assertion says what is wrong with what an account says to get a token.
func (d *Double) assertion(r *http.Request) string {
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return "the request is not a form"
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != grant {
		return "the grant is not " + grant
	}
	claims := jwt.MapClaims{}
	if why := d.verify(r.PostForm.Get("assertion"), claims); why != "" {
		return why
	}
	issued, _ := claims.GetIssuedAt()
	expires, _ := claims.GetExpirationTime()
	now := d.o.Now()
	switch {
	case claims["aud"] != d.server.URL+"/token":
		return "aud is not the token endpoint"
	case claims["scope"] != scope:
		return "scope is not " + scope
	case issued == nil || expires == nil:
		return "iat or exp is missing"
	case issued.After(now.Add(5*time.Minute)) || !expires.After(now):
		return "iat or exp is not around now: check the clock"
	case expires.Sub(issued.Time) > time.Hour:
		return "exp is more than an hour after iat"
	}
	return ""
}

// verify checks a JWT of the account's: RS256, its key, its name.
func (d *Double) verify(text string, claims jwt.MapClaims) string {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	token, err := parser.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		return &key.PublicKey, nil
	})
	switch {
	case err != nil:
		return "the JWT is not signed by the account with RS256"
	case token.Header["kid"] != "double-1":
		return "kid is not that of the account's key"
	case claims["iss"] != Email:
		return "iss is not the account"
	}
	return ""
}

func (d *Double) refuse(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusals = append(d.refusals, why)
}

// write answers with JSON. A client that has gone away is not waited for.
func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Server", Name)
	w.WriteHeader(status)
	if json.NewEncoder(w).Encode(body) != nil {
		return
	}
}
