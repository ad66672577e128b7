package apnsdouble

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Key is a provider key that the double knows.
type Key struct {
	ID, Team string
	Public   *ecdsa.PublicKey
}

// Options say who may push.
type Options struct {
	// Topic is the one pass type identifier it serves.
	Topic string
	// ClientCAs vouch for client certificates; nil means that it takes none.
	ClientCAs *x509.CertPool
	// Keys sign provider tokens; none means that it takes none.
	Keys []Key
	// Now is the double's clock; nil means the machine's.
	Now func() time.Time
	// Streams is how many pushes a connection may have under way; 0 means 1000, as Apple.
	Streams int
}

// Double is a push service that runs. It is for any number of goroutines.
type Double struct {
	// URL is what a sender is told: https://127.0.0.1:port.
	URL string
	// Roots vouch for URL; RootPEM is the same as a PEM file's text.
	Roots   *x509.CertPool
	RootPEM []byte

	options Options
	server  *http.Server
	served  chan error
	ending  chan struct{}

	mu         sync.Mutex
	phones     map[string]phone
	script     []Answer
	decide     func(n int, token string) Answer
	complaints []string
	stats      Stats
	good       int                 // pushes in order
	providers  map[string]provider // by key id: the token last seen
}

// phone is who has a device token.
type phone struct {
	arrived func()
	gone    time.Time // zero while the token is good
}

// Stats is what the double has seen.
type Stats struct {
	Connections int            // accepted
	Pushes      int            // requests, whatever the answer
	Delivered   int            // handed to a phone
	Answers     map[string]int // by status and reason: "200", "429 TooManyRequests", "goaway"
}

// Start starts a double on a free port of this machine.
func Start(o Options) (*Double, error) {
	if o.Topic == "" || (o.ClientCAs == nil) == (len(o.Keys) == 0) {
		return nil, errors.New("apnsdouble: needs a topic, and client CAs or keys but not both")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Streams == 0 {
		o.Streams = 1000
	}
	own, err := selfSigned(time.Now())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with Close
	if err != nil {
		return nil, fmt.Errorf("apnsdouble: listen: %w", err)
	}
	d := &Double{
		URL: "https://" + listener.Addr().String(), Roots: own.roots, RootPEM: own.pem,
		options: o, served: make(chan error, 1), ending: make(chan struct{}),
		phones: map[string]phone{}, providers: map[string]provider{}, stats: Stats{Answers: map[string]int{}},
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own.certificate}, NextProtos: []string{"h2"}}
	if o.ClientCAs != nil {
		conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, o.ClientCAs
	}
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	d.server = &http.Server{
		Handler: d, TLSConfig: conf, Protocols: &protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: o.Streams},
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0), // refused handshakes are the callers' tests
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) },
		ConnState:   d.count,
	}
	go func() { d.served <- d.server.ServeTLS(listener, "", "") }()
	return d, nil
}

// connection is the key of a request's connection in its context.
type connection struct{}

func (d *Double) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		d.mu.Lock()
		d.stats.Connections++
		d.mu.Unlock()
	}
}

// Close ends the double with every connection.
func (d *Double) Close() error {
	close(d.ending)
	err := d.server.Close()
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		return errors.Join(err, served)
	}
	return err
}

// Phone gives a token to a phone. arrived is called for each push that reaches it,
// before the answer, which waits for it. Giving a token again replaces the phone.
func (d *Double) Phone(token string, arrived func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phones[token] = phone{arrived: arrived}
}

// Retire makes a token one that the phone no longer has: 410 from now on.
func (d *Double) Retire(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phones[token] = phone{gone: d.options.Now()}
}

// Next queues answers to the next good pushes, in their order.
func (d *Double) Next(answers ...Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = append(d.script, answers...)
}

// Decide has f choose the answer of the n-th good push (from 0) when none is queued.
// Nil delivers all.
func (d *Double) Decide(f func(n int, token string) Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.decide = f
}

// Complaints returns what was wrong with requests, in their order.
func (d *Double) Complaints() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.complaints...)
}

// Stats returns what the double has seen up to now.
func (d *Double) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.Answers = map[string]int{}
	for k, n := range d.stats.Answers {
		s.Answers[k] = n
	}
	return s
}
