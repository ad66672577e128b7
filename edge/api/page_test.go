package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/web"
)

// pageRig is a rig with a till page and a clock that tests move.
func pageRig(t *testing.T) (*rig, *clock.Fake) {
	t.Helper()
	site, err := web.From(fstest.MapFS{
		"dist/till/index.html":      {Data: []byte("<!doctype html>the page")},
		"dist/till/assets/app-1.js": {Data: []byte("page()")},
	}, web.Till)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(moment)
	return newRigWith(t, func(cfg *api.Config) { cfg.Page, cfg.Clock = site, now }), now
}

// browse makes a call as a browser without the token would.
func (r *rig) browse(method, path, body string, header map[string]string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.(*testing.T).Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", "key-1")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := r.client.Transport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(raw)
}

func (r *rig) session() string {
	r.t.Helper()
	resp, body := r.browse(http.MethodGet, "/till/", "", nil)
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, "the page") || len(cookies) != 1 {
		r.t.Fatalf("%d %v %s", resp.StatusCode, cookies, body)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || !strings.HasSuffix(c.Name, r.base[strings.LastIndex(r.base, ":")+1:]) {
		r.t.Fatalf("%+v", c)
	}
	return c.Name + "=" + c.Value
}

func TestPageIsServed(t *testing.T) {
	r, _ := pageRig(t)
	if resp, _ := r.browse(http.MethodGet, "/till", "", nil); resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "/till/" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	resp, body := r.browse(http.MethodGet, "/till/assets/app-1.js", "", nil)
	if resp.StatusCode != http.StatusOK || body != "page()" || len(resp.Cookies()) != 0 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Fatalf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
		t.Fatalf("policy %q", policy)
	}
	if resp, _ := r.browse(http.MethodGet, "/till/", "", map[string]string{"Host": "x", "Origin": "https://evil.example"}); resp.StatusCode != http.StatusForbidden {
		t.Fatalf("a foreign page gets the page: %d", resp.StatusCode)
	}
	if resp, _ := r.browse(http.MethodPost, "/till/", "{}", nil); resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
		t.Fatalf("%d", resp.StatusCode)
	}
}

func TestPageThatWasNotBuilt(t *testing.T) {
	r := newRig(t)
	resp, body := r.browse(http.MethodGet, "/till/", "", nil)
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "make web") || len(resp.Cookies()) != 0 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
}

func TestPageSession(t *testing.T) {
	r, now := pageRig(t)
	cookie := r.session()
	own := map[string]string{"Cookie": cookie, "Origin": r.base, "Sec-Fetch-Site": "same-origin"}
	with := func(changes map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range []map[string]string{own, changes} {
			for k, v := range m {
				out[k] = v
			}
		}
		for k, v := range out {
			if v == "" {
				delete(out, k)
			}
		}
		return out
	}
	scan := func(h map[string]string) (string, string, map[string]string) { return "/v1/scan", `{"code":"x"}`, h }
	status := func(h map[string]string) (string, string, map[string]string) { return "/v1/status", "", h }
	flipped := strings.Replace(cookie, "=1", "=2", 1)
	for name, tc := range map[string]struct {
		call   func(map[string]string) (string, string, map[string]string)
		header map[string]string
		want   int
	}{
		"the page reads":                             {status, with(map[string]string{"Origin": ""}), 200},
		"the page acts":                              {scan, own, 200},
		"acting without an Origin":                   {scan, with(map[string]string{"Origin": ""}), 401},
		"acting from a foreign page":                 {scan, with(map[string]string{"Origin": "https://evil.example"}), 403},
		"acting from another port":                   {scan, with(map[string]string{"Origin": "http://127.0.0.1:1"}), 403},
		"acting from a frame without an origin":      {scan, with(map[string]string{"Origin": "null"}), 403},
		"reading for a foreign page":                 {status, with(map[string]string{"Origin": "", "Sec-Fetch-Site": "cross-site"}), 403},
		"no session":                                 {status, with(map[string]string{"Cookie": ""}), 401},
		"a session with a later end":                 {status, with(map[string]string{"Cookie": flipped}), 401},
		"a session cut short":                        {status, with(map[string]string{"Cookie": cookie[:len(cookie)-1]}), 401},
		"a session of an agent on another port":      {status, with(map[string]string{"Cookie": strings.Replace(cookie, "tallystick_till_", "tallystick_till_1", 1)}), 401},
		"a session beside a wrong token":             {status, with(map[string]string{"Authorization": "Bearer x"}), 401},
		"a session does not help a malformed cookie": {status, with(map[string]string{"Cookie": "tallystick_till=."}), 401},
	} {
		t.Run(name, func(t *testing.T) {
			path, body, header := tc.call(tc.header)
			method := http.MethodGet
			if body != "" {
				method = http.MethodPost
			}
			if resp, got := r.browse(method, path, body, header); resp.StatusCode != tc.want {
				t.Fatalf("%d %s, want %d", resp.StatusCode, got, tc.want)
			}
		})
	}
	now.Advance(13 * time.Hour)
	resp, body := r.browse(http.MethodGet, "/v1/status", "", own)
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, string(problem.Unauthenticated)) {
		t.Fatalf("an old session: %d %s", resp.StatusCode, body)
	}
	if r.session() == cookie {
		t.Fatal("a new session is the old one")
	}
}
