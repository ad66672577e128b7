package lan_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/sync/wire"
)

// cut is a way to HQ that can be cut.
type cut struct{ off atomic.Bool }

func (c *cut) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.off.Load() {
		return nil, errors.New("the line is cut")
	}
	return http.DefaultTransport.RoundTrip(req)
}

// hq answers with what it was sent, and a nonce as HQ does.
func hq(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set(wire.HeaderNonce, "nonce")
		w.Header().Set("Retry-After", "7")
		w.Header().Set("X-Other", "stays here")
		if r.URL.Query().Get("refuse") != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write(append([]byte(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get(wire.HeaderProof)+r.Header.Get("Cookie")+" "), body...))
	}))
	t.Cleanup(server.Close)
	return server
}

func ask(t *testing.T, client *http.Client, method, url string, body []byte) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(wire.HeaderProof, "proof")
	req.Header.Set("Cookie", "crumbs")
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(got), nil
}

func TestALaneRelaysForAnother(t *testing.T) {
	shop, server := newStore(), hq(t)
	one, two := shop.register(t), shop.register(t)
	oneLine, twoLine := &cut{}, &cut{}
	first := node(t, one, server.URL, &http.Client{Transport: oneLine})
	second := node(t, two, server.URL, &http.Client{Transport: twoLine}, first.Addr().String())
	with := &http.Client{Transport: &lan.Transport{Direct: twoLine, Node: second}}
	helper := &http.Client{Transport: &lan.Transport{Direct: oneLine, Node: first}}

	if _, got, err := ask(t, with, http.MethodPost, server.URL+wire.PathPush, []byte("direct")); err != nil || got != "POST /sync/v1/push proofcrumbs direct" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, _, err := ask(t, helper, http.MethodPost, server.URL+wire.PathHello, nil); err != nil {
		t.Fatal(err)
	}
	until(t, "the first is seen online", func() bool {
		return slices.ContainsFunc(second.Lanes(), func(l lan.Lane) bool { return l.Online })
	})
	twoLine.off.Store(true)
	resp, got, err := ask(t, with, http.MethodPost, server.URL+wire.PathPull+"?cursor=x", []byte("through"))
	if err != nil || got != "POST /sync/v1/pull?cursor=x proof through" {
		t.Fatalf("%q, %v", got, err)
	}
	if resp.Header.Get(wire.HeaderNonce) != "nonce" || resp.Header.Get("Retry-After") != "7" || resp.Header.Get("X-Other") != "" {
		t.Errorf("headers came back as %v", resp.Header)
	}
	if resp, _, err = ask(t, with, http.MethodGet, server.URL+wire.PathPull+"?refuse=1", nil); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("HQ's own refusal came back as %v, %v", resp, err)
	}
	if _, _, err = ask(t, with, http.MethodPost, server.URL+"/api/v1/members", nil); err == nil {
		t.Error("a lane relayed a path that is not of the wire")
	}
	if _, _, err = ask(t, with, http.MethodPost, server.URL+wire.PathPush, make([]byte, wire.MaxBody+1)); err == nil {
		t.Error("a lane relayed more than a message may have")
	}
	oneLine.off.Store(true)
	if _, _, err = ask(t, with, http.MethodPost, server.URL+wire.PathPush, nil); err == nil {
		t.Error("HQ answered over cut lines")
	}
	twoLine.off.Store(false)
	shop.clock.Advance(lan.DefaultTiming.Retry)
	if _, got, err = ask(t, with, http.MethodPost, server.URL+wire.PathPush, nil); err != nil || got != "POST /sync/v1/push proofcrumbs " {
		t.Errorf("after the line was mended: %q, %v", got, err)
	}
}
