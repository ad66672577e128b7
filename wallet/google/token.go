package google

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	scope = "https://www.googleapis.com/auth/wallet_object.issuer"
	// tokenLife is what Google gives, and the most it takes.
	tokenLife = time.Hour
	// tokenSpare is how long before its end a token is not used any more.
	tokenSpare = time.Minute
	maxAnswer  = 1 << 20
)

// tokens exchanges the account's signed word for a bearer token (RFC 7523) and keeps
// it until shortly before it ends. It is safe for concurrent use; one exchange runs at
// a time.
type tokens struct {
	account Account
	do      func(*http.Request) (*http.Response, error)
	now     func() time.Time

	mu    sync.Mutex
	token string
	until time.Time
}

// get returns a token that is good for a while.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && t.now().Before(t.until) {
		return t.token, nil
	}
	token, life, err := t.exchange(ctx)
	if err != nil {
		return "", err
	}
	t.token, t.until = token, t.now().Add(life-tokenSpare)
	return token, nil
}

// drop forgets a token that Google did not take; a newer one stays.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

func (t *tokens) exchange(ctx context.Context) (token string, life time.Duration, err error) {
	now := t.now()
	assertion, err := t.account.sign(jwt.MapClaims{
		"iss": t.account.Email, "scope": scope, "aud": t.account.TokenURL,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	})
	if err != nil {
		return "", 0, &Failure{Kind: Denied, cause: err}
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.account.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, &Failure{Kind: Denied, cause: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, header, body, err := answer(t.do, req)
	if err != nil {
		return "", 0, err
	}
	if status != http.StatusOK {
		f := failed(status, header, body)
		if f.Kind != Later { // 400 invalid_grant: the key was taken away, or our clock is off
			f.Kind = Denied
		}
		return "", 0, f
	}
	var got struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
		Life  int64  `json:"expires_in"`
	}
	if json.Unmarshal(body, &got) != nil || got.Token == "" || !strings.EqualFold(got.Type, "bearer") || got.Life <= 0 {
		return "", 0, &Failure{Kind: Later, Status: status, Reason: "the token endpoint's answer is not a bearer token"}
	}
	return got.Token, min(time.Duration(min(got.Life, 1<<20))*time.Second, tokenLife), nil
}
