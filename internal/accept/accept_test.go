package accept_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/accept"
)

// pair returns the two ends of a new connection through l.
func pair(t *testing.T, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close() // may be closed already
		_ = server.Close()
	})
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func open(t *testing.T) *accept.Listener {
	t.Helper()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := accept.Wrap(inner)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// ended tells whether the other side has closed the connection.
func ended(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

func TestOnlyUnusedConnectionsAreClosed(t *testing.T) {
	l := open(t)
	silent, _ := pair(t, l)
	busy, server := pair(t, l)
	if _, err := busy.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	l.CloseUnused()
	if !ended(silent) {
		t.Error("the silent connection is open")
	}
	if _, err := server.Write([]byte("y")); err != nil {
		t.Error(err)
	}
	if _, err := busy.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	l.CloseAll()
	if !ended(busy) {
		t.Error("the used connection is open")
	}
}

func TestLateConnectionIsRefused(t *testing.T) {
	l := open(t)
	l.CloseUnused()
	late, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	if !ended(late) {
		t.Error("the late connection is open")
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
}

// A server that gives up waiting must not write an answer onto a connection that
// nobody has asked anything on: a client's pool would take it for its first answer.
func TestUnusedConnectionThatTimesOutLooksClosed(t *testing.T) {
	l := open(t)
	client, server := pair(t, l)
	late := func() error {
		t.Helper()
		if err := server.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := server.Read(make([]byte, 1))
		return err
	}
	if err := late(); !errors.Is(err, io.EOF) {
		t.Errorf("nothing has come: %v", err)
	}
	if err := server.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := late(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut off in a request: %v", err)
	}
}
