package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/api"
)

// A stop must not wait for a connection on which nothing was ever sent.
func TestStopDoesNotWaitForSilentConnections(t *testing.T) {
	r := newRig(t)
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.base, "http://"))
	r.must(err)
	defer silent.Close()
	r.do(call{method: http.MethodGet, path: "/healthz"}) // the silent one is accepted before
	began := time.Now()
	r.close()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %s", took)
	}
	r.start()
}

// A signal right after the ready line may stop the server before it serves.
func TestStopOvertakesServe(t *testing.T) {
	server := api.New(api.Options{Clock: clock.System{}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(listener); err != nil {
		t.Error(err)
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
}
