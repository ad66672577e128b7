package proxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/testkit/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hq is a target that counts what reaches it.
type hq struct {
	*httptest.Server
	calls atomic.Int64
}

func start(t *testing.T) (*hq, *proxy.Proxy, *http.Client) {
	t.Helper()
	h := &hq{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	t.Cleanup(h.Close)
	p, err := proxy.Start(t.Context(), "127.0.0.1:0", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, p, client
}

// post sends a request that net/http does not repeat by itself.
func post(ctx context.Context, c *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("body"))
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return len(body), err
}

func TestCutAndRestoreKeepTheAddress(t *testing.T) {
	_, p, c := start(t)
	addr := p.Addr()
	for round := range 3 {
		if n, err := post(t.Context(), c, p.URL()); err != nil || n != 1000 {
			t.Fatalf("round %d, up: %d bytes, %v", round, n, err)
		}
		p.Cut()
		if _, err := post(t.Context(), c, p.URL()); err == nil {
			t.Fatalf("round %d: a request went through a cut", round)
		}
		if err := p.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p.Addr() != addr {
		t.Fatalf("address moved from %s to %s", addr, p.Addr())
	}
	if got := p.Stats().Cuts; got != 3 {
		t.Fatalf("counted %d cuts, want 3", got)
	}
}

func TestCutResetsARequestUnderWay(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release
	}))
	defer server.Close()
	defer close(release)
	p, err := proxy.Start(t.Context(), "127.0.0.1:0", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := &http.Client{Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	failed := make(chan error, 1)
	go func() {
		_, err := post(t.Context(), c, p.URL())
		failed <- err
	}()
	<-reached
	p.Cut()
	if err := <-failed; err == nil {
		t.Fatal("the request under way was answered through a cut")
	}
}

func TestLostAnswerReachedTheTarget(t *testing.T) {
	for _, after := range []int64{0, 1, 150} {
		h, p, c := start(t)
		p.SetFault(proxy.Fault{LoseAfter: after, Times: 2})
		for range 2 {
			if n, err := post(t.Context(), c, p.URL()); err == nil {
				t.Fatalf("after %d: got an answer of %d bytes", after, n)
			}
		}
		if n, err := post(t.Context(), c, p.URL()); err != nil || n != 1000 {
			t.Fatalf("after %d: the third answer should come: %d bytes, %v", after, n, err)
		}
		if got := h.calls.Load(); got != 3 {
			t.Fatalf("after %d: target saw %d requests, want 3", after, got)
		}
		if got := p.Stats().Lost; got != 2 {
			t.Fatalf("after %d: counted %d lost answers, want 2", after, got)
		}
	}
}

func TestFaultKeepsToItsPath(t *testing.T) {
	_, p, c := start(t)
	p.SetFault(proxy.Fault{Path: "/push", LoseAfter: 0})
	if n, err := post(t.Context(), c, p.URL()+"/pull"); err != nil || n != 1000 {
		t.Fatalf("pull: %d bytes, %v", n, err)
	}
	if _, err := post(t.Context(), c, p.URL()+"/push"); err == nil {
		t.Fatal("push was answered")
	}
	p.SetFault(proxy.NoFault)
	if _, err := post(t.Context(), c, p.URL()+"/push"); err != nil {
		t.Fatal(err)
	}
}

func TestDelay(t *testing.T) {
	_, p, c := start(t)
	p.SetFault(proxy.Fault{LoseAfter: -1, Delay: 150 * time.Millisecond})
	began := time.Now()
	if _, err := post(t.Context(), c, p.URL()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Fatalf("the answer came after %s", took)
	}
}

func TestDuplicateArrivesTwice(t *testing.T) {
	both := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		both <- struct{}{}
	}))
	defer server.Close()
	p, err := proxy.Start(t.Context(), "127.0.0.1:0", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.SetFault(proxy.Fault{LoseAfter: -1, Duplicate: true})
	c := &http.Client{Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	if n, err := post(t.Context(), c, p.URL()); err != nil || n != 4 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	for range 2 {
		select {
		case <-both:
		case <-time.After(10 * time.Second):
			t.Fatal("the request did not arrive twice")
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	_, p, c := start(t)
	if _, err := post(t.Context(), c, p.URL()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Restore(t.Context()); err == nil {
		t.Fatal("a closed proxy came back")
	}
}
