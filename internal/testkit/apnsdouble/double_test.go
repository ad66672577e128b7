package apnsdouble_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
)

// push is a request that the double takes, to be spoilt by a test.
type push struct {
	method, path, body string
	header             http.Header
	claims             jwt.MapClaims
	kid                string
	more               map[string]any // further fields of the token's header
	by                 *ecdsa.PrivateKey
}

// The double answers every deviation with Apple's word and complains of it.
func TestDoubleIsStrict(t *testing.T) {
	key, stranger := p256(t), p256(t)
	double, err := apnsdouble.Start(apnsdouble.Options{Topic: "pass.x", Keys: []apnsdouble.Key{{ID: "K", Team: "T", Public: &key.PublicKey}}})
	if err != nil {
		t.Fatal(err)
	}
	defer double.Close()
	arrived, first := 0, ""
	double.Phone("ab", func() { arrived++ })
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: double.Roots}}}
	defer client.CloseIdleConnections()
	now := time.Now()
	for _, tc := range []struct {
		name   string
		spoil  func(*push)
		status int
		reason string
	}{
		{"in order", func(*push) {}, 200, ""},
		{"GET", func(p *push) { p.method = "GET" }, 405, "MethodNotAllowed"},
		{"path", func(p *push) { p.path = "/3/device/ab/" }, 404, "BadPath"},
		{"question", func(p *push) { p.path = "/3/device/ab?x" }, 404, "BadPath"},
		{"no body", func(p *push) { p.body = "" }, 400, "PayloadEmpty"},
		{"body with a space", func(p *push) { p.body = "{} " }, 400, "PayloadNotEmptyDictionary"},
		{"body with aps", func(p *push) { p.body = `{"aps":{}}` }, 400, "PayloadNotEmptyDictionary"},
		{"huge body", func(p *push) { p.body = strings.Repeat(" ", 5000) }, 413, "PayloadTooLarge"},
		{"no topic", func(p *push) { p.header.Del("apns-topic") }, 400, "MissingTopic"},
		{"another topic", func(p *push) { p.header.Set("apns-topic", "pass.y") }, 400, "TopicDisallowed"},
		{"two topics", func(p *push) { p.header.Add("apns-topic", "pass.x") }, 400, "DuplicateHeaders"},
		{"unknown header", func(p *push) { p.header.Set("apns-colour", "red") }, 400, "UnknownHeader"},
		{"no type", func(p *push) { p.header.Del("apns-push-type") }, 400, "InvalidPushType"},
		{"urgent background", func(p *push) { p.header.Set("apns-priority", "10") }, 400, "BadPriority"},
		{"priority", func(p *push) { p.header.Set("apns-priority", "7") }, 400, "BadPriority"},
		{"form", func(p *push) { p.header.Set("Content-Type", "text/plain") }, 400, "BadContentType"},
		{"id", func(p *push) { p.header.Set("apns-id", "1") }, 400, "BadMessageId"},
		{"expiry", func(p *push) { p.header.Set("apns-expiration", "soon") }, 400, "BadExpirationDate"},
		{"collapse id", func(p *push) { p.header.Set("apns-collapse-id", strings.Repeat("x", 65)) }, 400, "BadCollapseId"},
		{"unknown phone", func(p *push) { p.path = "/3/device/cd" }, 400, "BadDeviceToken"},
		{"no token", func(p *push) { p.header.Set("Authorization", "Basic eA==") }, 403, "MissingProviderToken"},
		{"not a token", func(p *push) { p.header.Set("Authorization", "bearer x") }, 403, "InvalidProviderToken"},
		{"stranger's key", func(p *push) { p.by = stranger }, 403, "InvalidProviderToken"},
		{"unknown key", func(p *push) { p.kid = "L" }, 403, "InvalidProviderToken"},
		{"another team", func(p *push) { p.claims["iss"] = "U" }, 403, "InvalidProviderToken"},
		{"no time", func(p *push) { delete(p.claims, "iat") }, 403, "InvalidProviderToken"},
		{"from the future", func(p *push) { p.claims["iat"] = now.Add(5 * time.Minute).Unix() }, 403, "InvalidProviderToken"},
		{"old", func(p *push) { p.claims["iat"] = now.Add(-61 * time.Minute).Unix() }, 403, "ExpiredProviderToken"},
		{"another field", func(p *push) { p.more = map[string]any{"typ": "JWT"} }, 403, "InvalidProviderToken"},
		{"a new one too soon", func(*push) {}, 429, "TooManyProviderTokenUpdates"},
	} {
		p := push{
			method: "POST", path: "/3/device/ab", body: "{}", kid: "K", by: key, claims: jwt.MapClaims{"iss": "T", "iat": now.Unix()},
			header: http.Header{"Apns-Topic": {"pass.x"}, "Apns-Push-Type": {"background"}, "Apns-Priority": {"5"}, "Content-Type": {"application/json"}},
		}
		if tc.reason == "BadDeviceToken" { // the token already seen, since only the phone is wrong
			p.header.Set("Authorization", first)
		}
		before := len(double.Complaints())
		tc.spoil(&p)
		p.authorize(t)
		if first == "" {
			first = p.header.Get("Authorization")
		}
		status, reason := send(t, client, double.URL, p)
		if status != tc.status || reason != tc.reason {
			t.Errorf("%s: %d %s, want %d %s", tc.name, status, reason, tc.status, tc.reason)
		}
		complaints := len(double.Complaints()) - before
		if wrong := tc.status != 200 && tc.reason != "BadDeviceToken"; wrong != (complaints == 1) {
			t.Errorf("%s: %d complaints", tc.name, complaints)
		}
	}
	if arrived != 1 || double.Stats().Delivered != 1 {
		t.Errorf("%d pushes arrived, %+v", arrived, double.Stats())
	}
}

// authorize signs a provider token, unless the test has its own Authorization.
func (p *push) authorize(t *testing.T) {
	t.Helper()
	if p.header.Get("Authorization") != "" {
		return
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, p.claims)
	delete(token.Header, "typ")
	token.Header["kid"] = p.kid
	for name, value := range p.more {
		token.Header[name] = value
	}
	text, err := token.SignedString(p.by)
	if err != nil {
		t.Fatal(err)
	}
	p.header.Set("Authorization", "bearer "+text)
}

func send(t *testing.T, client *http.Client, url string, p push) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), p.method, url+p.path, strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = p.header
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if !strings.Contains(resp.Header.Get("Server"), "not Apple") {
		t.Errorf("the double does not say what it is: %q", resp.Header.Get("Server"))
	}
	var said struct{ Reason string }
	if resp.StatusCode != 200 {
		if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode, said.Reason
}

func p256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
