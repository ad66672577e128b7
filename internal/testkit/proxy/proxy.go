package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Proxy forwards TCP connections to one target. It is safe for concurrent use.
type Proxy struct {
	target string

	mu       sync.Mutex
	addr     string
	listener net.Listener // nil while cut
	links    map[*link]struct{}
	fault    Fault
	left     int    // how often the fault still strikes; below zero is without end
	faultNo  uint64 // grows with every SetFault
	closed   bool
	stats    Stats
	owned    sync.WaitGroup
}

// Stats counts what the proxy did since it was started.
type Stats struct {
	Connections int // accepted
	Lost        int // answers lost by a fault
	Cuts        int
}

// ErrClosed answers calls after Close.
var ErrClosed = errors.New("proxy is closed")

// Start listens on listen ("127.0.0.1:0" picks a port) and forwards to target
// ("host:port"), which need not be up yet.
func Start(ctx context.Context, listen, target string) (*Proxy, error) {
	p := &Proxy{target: target, addr: listen, links: map[*link]struct{}{}, fault: NoFault}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Addr returns "host:port". It does not change.
func (p *Proxy) Addr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// URL returns "http://host:port".
func (p *Proxy) URL() string { return "http://" + p.Addr() }

// Stats returns the counts so far.
func (p *Proxy) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Cut closes the listening port and resets every connection: to both sides it
// looks like a pulled cable with a refusing router. Cutting twice is once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return
	}
	p.stats.Cuts++
	p.listener.Close()
	p.listener = nil
	for l := range p.links {
		l.reset()
	}
}

// Restore listens again on the same address.
func (p *Proxy) Restore(ctx context.Context) error {
	p.mu.Lock()
	up, closed := p.listener != nil, p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case up:
		return nil
	}
	return p.listen(ctx)
}

// Close cuts for good and waits until everything has ended.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.owned.Wait()
	return nil
}

// rebindFor bounds how long a restore tries to get its old port back.
const rebindFor = 5 * time.Second

func (p *Proxy) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rebindFor)
	defer cancel()
	for {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", p.Addr())
		if err == nil {
			return p.serve(l)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("listen on %s: %w", p.Addr(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Proxy) serve(l net.Listener) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.Close()
		return ErrClosed
	}
	p.listener, p.addr = l, l.Addr().String()
	p.owned.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed by Cut
			}
			p.open(l, client.(*net.TCPConn))
		}
	})
	return nil
}

// open starts forwarding one connection, unless the proxy was cut meanwhile.
func (p *Proxy) open(l net.Listener, client *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := &link{proxy: p, client: client, faultNo: p.faultNo}
	if p.listener != l {
		k.reset()
		return
	}
	p.stats.Connections++
	p.links[k] = struct{}{}
	p.owned.Go(func() {
		k.run()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, k)
	})
}
