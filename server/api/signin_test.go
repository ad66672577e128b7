package api_test

import (
	"crypto/ed25519"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

func (r *rig) me(token string) answer {
	return r.do(call{method: "GET", path: "/api/v1/me", header: map[string]string{"Authorization": "Bearer " + token}})
}

func TestForgedTokensAreRefused(t *testing.T) {
	r := newRig(t)
	if a := r.me(r.token); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var good jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(r.token, &good)
	r.must(err)
	public := r.tokenKey.Public().(ed25519.PublicKey)
	_, stranger, err := ed25519.GenerateKey(nil)
	r.must(err)
	with := func(change func(*jwt.RegisteredClaims)) jwt.RegisteredClaims {
		c := good
		change(&c)
		return c
	}
	rows := map[string]struct {
		method jwt.SigningMethod
		key    any
		claims jwt.RegisteredClaims
	}{
		"none":                   {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good},
		"public key as a secret": {jwt.SigningMethodHS256, []byte(public), good},
		"another key":            {jwt.SigningMethodEdDSA, stranger, good},
		"another issuer":         {jwt.SigningMethodEdDSA, r.tokenKey, with(func(c *jwt.RegisteredClaims) { c.Issuer = "x" })},
		"another audience":       {jwt.SigningMethodEdDSA, r.tokenKey, with(func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"x"} })},
		"expired":                {jwt.SigningMethodEdDSA, r.tokenKey, with(func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(r.clock.Now()) })},
		"without an end":         {jwt.SigningMethodEdDSA, r.tokenKey, with(func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil })},
		"another session":        {jwt.SigningMethodEdDSA, r.tokenKey, with(func(c *jwt.RegisteredClaims) { c.ID = "00000000-0000-0000-0000-000000000001" })},
	}
	for name, row := range rows {
		forged, err := jwt.NewWithClaims(row.method, row.claims).SignedString(row.key)
		r.must(err)
		if a := r.me(forged); a.code() != problem.Unauthenticated {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	last := r.token[len(r.token)-10:]
	for name, broken := range map[string]string{
		"empty": "", "cut": strings.TrimSuffix(r.token, last), "too long": strings.Repeat("x", 5000), "no JWT": "a.b",
	} {
		if a := r.me(broken); a.code() != problem.Unauthenticated {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r.clock.Advance(12 * time.Hour)
	if a := r.me(r.token); a.code() != problem.Unauthenticated {
		t.Errorf("after twelve hours: %d %s", a.status, a.body)
	}
}

func TestASignedOutTokenIsWorthNothingAndOthersLiveOn(t *testing.T) {
	r := newRig(t)
	other := r.signIn(adminName, adminPassword)
	if a := r.do(call{method: "DELETE", path: "/api/v1/sessions/current", key: "-"}); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.me(r.token); a.code() != problem.Unauthenticated {
		t.Errorf("signed out: %d", a.status)
	}
	if a := r.me(other); a.status != http.StatusOK {
		t.Errorf("the other session: %d %s", a.status, a.body)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	r := newRig(t)
	try := func(name, password string) answer {
		return r.do(call{method: "POST", path: "/api/v1/sessions", key: "-", body: jsonOf(map[string]string{"name": name, "password": password})})
	}
	for range 5 {
		if a := try(adminName, "wrong"); a.code() != problem.SignInFailed {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := try(adminName, adminPassword); a.code() != problem.TooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("the sixth try: %d %s, Retry-After %q", a.status, a.body, a.header.Get("Retry-After"))
	}
	r.clock.Advance(2 * time.Second)
	if a := try("  ADMIN ", adminPassword); a.status != http.StatusCreated {
		t.Errorf("after the wait: %d %s", a.status, a.body)
	}
	known, unknown := try(adminName, "wrong"), try("nobody", "wrong")
	if known.status != unknown.status || string(known.body) != string(unknown.body) {
		t.Errorf("a name that exists answers %s, one that does not %s", known.body, unknown.body)
	}
}

func TestARoleMayWhatItMay(t *testing.T) {
	r := newRig(t)
	_, err := r.people.Add(t.Context(), "sue", people.Support, "a long enough one")
	r.must(err)
	r.token = r.signIn("sue", "a long enough one")
	for _, row := range []struct {
		call
		status int
	}{
		{call{method: "GET", path: "/api/v1/stores"}, 200},
		{call{method: "POST", path: "/api/v1/members", body: `{}`}, 201},
		{call{method: "POST", path: "/api/v1/stores", body: storeBody}, 403},
		{call{method: "PUT", path: "/api/v1/programme/policy", body: policyBody}, 403},
		{call{method: "POST", path: "/api/v1/rewards", body: rewardBody}, 403},
	} {
		if a := r.do(row.call); a.status != row.status {
			t.Errorf("%s %s: %d, want %d", row.method, row.path, a.status, row.status)
		}
	}
}
