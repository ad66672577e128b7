package proxy

import (
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// dialFor bounds how long a connection waits for the target.
const dialFor = 5 * time.Second

// link is one client's connection with its connection to the target.
type link struct {
	proxy  *Proxy
	client *net.TCPConn

	mu      sync.Mutex
	servers []*net.TCPConn // the target, and its double when requests are duplicated
	path    string         // of the last request seen
	dead    bool

	// Guarded by the proxy's lock.
	faultNo  uint64
	answered int64 // bytes of the present answer
}

// run forwards until either side ends.
func (k *link) run() {
	defer k.reset()
	target, ok := k.dial()
	if !ok {
		return
	}
	var double *net.TCPConn
	if k.proxy.duplicates() {
		double, _ = k.dial()
	}
	var pumps sync.WaitGroup
	if double != nil {
		pumps.Go(func() { _, _ = io.Copy(io.Discard, double) })
	}
	pumps.Go(func() {
		k.requests(target, double)
		k.endWriting()
	})
	k.answers(target)
	k.reset()
	pumps.Wait()
}

// dial connects to the target and keeps the connection for reset.
func (k *link) dial() (*net.TCPConn, bool) {
	conn, err := net.DialTimeout("tcp", k.proxy.target, dialFor)
	if err != nil {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	tcp := conn.(*net.TCPConn)
	if k.dead {
		abort(tcp)
		return nil, false
	}
	k.servers = append(k.servers, tcp)
	return tcp, true
}

func (k *link) requests(target, double *net.TCPConn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := k.client.Read(buf)
		if n > 0 {
			k.note(buf[:n])
			if _, werr := target.Write(buf[:n]); werr != nil {
				return
			}
			if double != nil {
				_, _ = double.Write(buf[:n]) // the double may have been closed by the target; the first copy counts
			}
		}
		if err != nil {
			return
		}
	}
}

// note remembers which request is being answered.
func (k *link) note(piece []byte) {
	path, ok := requestPath(piece)
	if !ok {
		return
	}
	k.mu.Lock()
	k.path = path
	k.mu.Unlock()
	k.proxy.mu.Lock()
	k.answered = 0
	k.proxy.mu.Unlock()
}

func (k *link) asks(prefix string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.HasPrefix(k.path, prefix)
}

func (k *link) answers(target *net.TCPConn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := target.Read(buf)
		if n > 0 {
			v := k.proxy.judge(k, n)
			if v.delay > 0 {
				time.Sleep(v.delay) // the delay is the fault, not a wait for something
			}
			if _, werr := k.client.Write(buf[:v.pass]); werr != nil || v.lose {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// endWriting tells the target that the client has said all it will say.
func (k *link) endWriting() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.servers {
		_ = s.CloseWrite() // fails only when already closed
	}
}

// reset ends all connections at once with RST.
func (k *link) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		return
	}
	k.dead = true
	abort(k.client)
	for _, s := range k.servers {
		abort(s)
	}
}

func abort(c *net.TCPConn) {
	_ = c.SetLinger(0) // both fail only on a closed connection, which is what is wanted
	_ = c.Close()
}
