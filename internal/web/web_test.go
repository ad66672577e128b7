package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func built(t *testing.T, app App) *Site {
	t.Helper()
	root := "dist/" + string(app) + "/"
	site, err := From(fstest.MapFS{
		root + "index.html":         {Data: []byte("<!doctype html>" + strings.Repeat(" page", 100))},
		root + "assets/app-1.js":    {Data: []byte(strings.Repeat("let x = 1;", 100))},
		root + "assets/read-1.wasm": {Data: []byte("\x00asm")},
		root + "sw.js":              {Data: []byte("self")},
		root + "app.webmanifest":    {Data: []byte("{}")},
	}, app)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func header(a Answer, name string) string {
	for _, h := range a.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func TestAnswers(t *testing.T) {
	site := built(t, Till)
	for name, tc := range map[string]struct {
		path       string
		status     int
		kind, keep string
	}{
		"the page":                   {"", 200, "text/html; charset=utf-8", "no-cache"},
		"the page with a slash":      {"/", 200, "text/html; charset=utf-8", "no-cache"},
		"the page by its name":       {"/index.html", 200, "text/html; charset=utf-8", "no-cache"},
		"an address inside the page": {"/sales/7", 200, "text/html; charset=utf-8", "no-cache"},
		"a script":                   {"/assets/app-1.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"the decoder":                {"/assets/read-1.wasm", 200, "application/wasm", "public, max-age=31536000, immutable"},
		"the worker":                 {"/sw.js", 200, "text/javascript; charset=utf-8", "no-cache"},
		"the manifest":               {"/app.webmanifest", 200, "application/manifest+json", "no-cache"},
		"a file that is not there":   {"/assets/app-2.js", 404, "text/plain; charset=utf-8", "no-store"},
		"a climb":                    {"/../../etc/pass.wd", 404, "text/plain; charset=utf-8", "no-store"},
	} {
		t.Run(name, func(t *testing.T) {
			a := site.Answer(Request{Path: tc.path})
			if a.Status != tc.status || header(a, "Content-Type") != tc.kind || header(a, "Cache-Control") != tc.keep {
				t.Fatalf("%d %q %q", a.Status, header(a, "Content-Type"), header(a, "Cache-Control"))
			}
			if header(a, "X-Content-Type-Options") != "nosniff" || !strings.Contains(header(a, "Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Fatal("security headers are missing")
			}
		})
	}
}

func TestCompression(t *testing.T) {
	site := built(t, Till)
	for accept, packed := range map[string]bool{
		"gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "": false, "identity": false, "xgzip": false,
	} {
		a := site.Answer(Request{Path: "assets/app-1.js", AcceptEncoding: accept})
		if got := header(a, "Content-Encoding") == "gzip"; got != packed {
			t.Fatalf("%q: packed %v", accept, got)
		}
		if header(a, "Vary") != "Accept-Encoding" {
			t.Fatal("a cache could give the packed form to everybody")
		}
		if !packed {
			continue
		}
		z, err := gzip.NewReader(bytes.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(raw, site.files["assets/app-1.js"].body) {
			t.Fatalf("unpacks to something else: %v", err)
		}
	}
	if a := site.Answer(Request{Path: "assets/read-1.wasm", AcceptEncoding: "gzip"}); header(a, "Content-Encoding") != "" {
		t.Fatal("packed what does not get smaller")
	}
}

func TestConditionalRequests(t *testing.T) {
	site := built(t, Card)
	plain, packed := site.Answer(Request{}), site.Answer(Request{AcceptEncoding: "gzip"})
	if header(plain, "ETag") == header(packed, "ETag") {
		t.Fatal("two forms have one tag")
	}
	for tag, status := range map[string]int{
		header(plain, "ETag"): http.StatusNotModified, "W/" + header(plain, "ETag"): http.StatusNotModified,
		`"other", ` + header(plain, "ETag"): http.StatusNotModified, "*": http.StatusNotModified,
		header(packed, "ETag"): http.StatusOK, `"other"`: http.StatusOK,
	} {
		if a := site.Answer(Request{IfNoneMatch: tag}); a.Status != status || (status == http.StatusNotModified) != (a.Body == nil) {
			t.Fatalf("%s: %d with %d bytes", tag, a.Status, len(a.Body))
		}
	}
}

func TestPolicy(t *testing.T) {
	for _, app := range []App{Till, Card, Console} {
		policy := policyOf(app)
		for _, loose := range []string{"'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*"} {
			if strings.Contains(policy, loose) {
				t.Fatalf("%s allows %s", app, loose)
			}
		}
		if strings.Contains(policy, "'wasm-unsafe-eval'") != (app != Console) {
			t.Fatalf("%s: %s", app, policy)
		}
	}
}

func TestWithoutPages(t *testing.T) {
	if _, err := From(fstest.MapFS{"dist/.keep": {}}, Till); !errors.Is(err, ErrNotBuilt) {
		t.Fatal(err)
	}
	if a := Missing(Till); a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "make web") {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
}
