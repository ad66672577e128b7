package rest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/rest"
)

func serve(t *testing.T, h http.HandlerFunc) *rest.Caller {
	t.Helper()
	server := httptest.NewServer(h)
	c := rest.New(server.URL, "secret")
	t.Cleanup(func() { c.Close(); server.Close() })
	return c
}

func TestCallSendsAndReads(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"method": r.Method, "query": r.URL.RawQuery, "token": r.Header.Get("Authorization"),
			"key": r.Header.Get("Idempotency-Key"), "type": r.Header.Get("Content-Type"), "body": string(body),
		})
	})
	var got map[string]string
	err := c.Do(t.Context(), rest.Call{
		Method: http.MethodPost, Path: "/v1/sales", Query: url.Values{"a": {"b c"}}, Key: "k1", In: []int{1}, Out: &got,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"method": "POST", "query": "a=b+c", "token": "Bearer secret", "key": "k1", "type": "application/json", "body": "[1]",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestRefusalIsAProblem(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(problem.Render(problem.New(problem.VoucherUsed, "used on lane 2")))
	})
	err := c.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: "/v1/sales"})
	if problem.CodeOf(err) != problem.VoucherUsed {
		t.Fatalf("got %v", err)
	}
}

func TestHalfAnAnswerIsNoRefusal(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
	})
	var out map[string]any
	err := c.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: "/v1/sales", Out: &out})
	if err == nil || problem.CodeOf(err) != problem.Internal {
		t.Fatalf("got %v, want an error without a code", err)
	}
}

func TestRawAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a,b\n") })
	var out []byte
	if err := c.Do(t.Context(), rest.Call{Method: http.MethodGet, Path: "/x.csv", Out: &out}); err != nil {
		t.Fatal(err)
	}
	if string(out) != "a,b\n" {
		t.Fatalf("got %q", out)
	}
}
