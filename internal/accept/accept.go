package accept

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Listener is a listener whose connections can be ended. It is safe for concurrent
// use.
type Listener struct {
	net.Listener

	mu    sync.Mutex
	conns map[*conn]struct{}
	// refuse ends, at once, a connection that was accepted too late.
	refuse bool
}

// Wrap returns a listener that takes its connections from l.
func Wrap(l net.Listener) *Listener {
	return &Listener{Listener: l, conns: map[*conn]struct{}{}}
}

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, of: l}
		if l.keep(c) {
			return c, nil
		}
		_ = raw.Close() // nothing was sent on it
	}
}

func (l *Listener) keep(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

// How long Drain lets connections be.
const (
	// UnusedGrace is for the first bytes of a connection to arrive.
	UnusedGrace = 200 * time.Millisecond
	// CutGrace is for handlers to end after their connections were cut.
	CutGrace = time.Second
)

// Drain runs shutdown, which ends listening and waits for the connections, and ends
// those it would wait for in vain: the unused ones soon, all of them when ctx ends,
// which is no error. shutdown's own context ends CutGrace later.
func (l *Listener) Drain(ctx context.Context, shutdown func(context.Context) error) error {
	unused := time.AfterFunc(UnusedGrace, l.CloseUnused)
	defer unused.Stop()
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stopCut := context.AfterFunc(ctx, func() {
		l.CloseAll()
		time.AfterFunc(CutGrace, cancel)
	})
	defer stopCut()
	err := shutdown(within)
	// A server that had not begun to serve has not closed the listener.
	err = errors.Join(err, l.Close())
	l.CloseAll()
	return err
}

// Close ends listening. Closing again is no error.
func (l *Listener) Close() error {
	if err := l.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// CloseUnused ends the connections on which nothing has come, now and from now on.
func (l *Listener) CloseUnused() { l.end(func(c *conn) bool { return !c.used.Load() }) }

// CloseAll ends all connections, now and from now on. A handler at work sees its
// reads and writes fail.
func (l *Listener) CloseAll() { l.end(func(*conn) bool { return true }) }

func (l *Listener) end(which func(*conn) bool) {
	l.mu.Lock()
	l.refuse = true
	var chosen []*conn
	for c := range l.conns {
		if which(c) {
			chosen = append(chosen, c)
		}
	}
	l.mu.Unlock()
	for _, c := range chosen {
		_ = c.Close() // it is ended whatever this says
	}
}

// conn is one connection.
type conn struct {
	net.Conn
	of   *Listener
	used atomic.Bool // something has come
}

// Read notes that something has come. A connection on which nothing has come in time
// ends as if its peer had closed it: what is written to it unasked would be taken for
// the answer to its first request.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case c.used.Load():
	case n > 0:
		c.used.Store(true)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, io.EOF
	}
	return n, err
}

// Close ends the connection.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
