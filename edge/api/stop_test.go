package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/internal/clock"
)

// ended waits for the other side to close the connection.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection was not closed in order: %v", err)
	}
}

func (r *rig) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the server has closed it
	return c
}

// A browser opens connections ahead of need; a stop must not wait for them.
func TestStopDoesNotWaitForSilentConnections(t *testing.T) {
	r := newRig(t)
	r.do(request{path: "/v1/status"}) // leaves an idle connection behind
	silent := r.dial(t)
	r.do(request{path: "/v1/status"}) // the server has accepted the silent one before this
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	began := time.Now()
	if err := r.server.Stop(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %s", took)
	}
	ended(t, silent)
}

// Half a request is cut off when the time for calls under way is over.
func TestStopCutsHalfARequest(t *testing.T) {
	r := newRig(t)
	half := r.dial(t)
	if _, err := half.Write([]byte("POST /v1/sales HTTP/1.1\r\nHost: ")); err != nil {
		t.Fatal(err)
	}
	r.do(request{path: "/v1/status"})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := r.server.Stop(ctx); err != nil {
		t.Error(err)
	}
	if err := half.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, half); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("half a request keeps its connection")
	}
}

// A signal right after the ready line may stop the server before it serves.
func TestStopOvertakesServe(t *testing.T) {
	server := api.New(api.Config{Clock: clock.System{}, Token: testToken})
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
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

// Serve and Stop at the same time end, whoever comes first.
func TestStopWhileServeBegins(t *testing.T) {
	for range 50 {
		server := api.New(api.Config{Clock: clock.System{}, Token: testToken})
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		if err := server.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-served:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("serving goes on after the stop")
		}
	}
}
