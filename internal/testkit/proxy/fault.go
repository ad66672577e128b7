package proxy

import (
	"bytes"
	"time"
)

// Fault says what goes wrong with answers and requests until it is changed.
type Fault struct {
	// Path limits the fault to requests whose path starts so; empty is all.
	Path string
	// Delay holds every piece of an answer back for this long.
	Delay time.Duration
	// LoseAfter resets the connection once this many bytes of an answer have gone
	// through; zero loses the whole answer after HQ has given it. Negative: never.
	LoseAfter int64
	// Times bounds how many answers are lost; zero is without end.
	Times int
	// Duplicate sends every request twice, each copy by its own connection, and
	// throws the second answer away. It holds for connections opened afterwards.
	Duplicate bool
}

// NoFault lets everything through.
var NoFault = Fault{LoseAfter: -1}

// SetFault makes f hold from now on, for open connections too.
func (p *Proxy) SetFault(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.left = f, f.Times
	if f.Times == 0 {
		p.left = -1
	}
	p.faultNo++
}

// verdict is what happens to one piece of an answer.
type verdict struct {
	delay time.Duration
	pass  int  // how many bytes still go through
	lose  bool // reset afterwards
}

// judge decides over the next n bytes of an answer on k.
func (p *Proxy) judge(k *link, n int) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k.faultNo != p.faultNo {
		k.faultNo, k.answered = p.faultNo, 0
	}
	f := p.fault
	if !k.asks(f.Path) {
		return verdict{pass: n}
	}
	v := verdict{delay: f.Delay, pass: n}
	if f.LoseAfter < 0 || p.left == 0 {
		return v
	}
	if k.answered+int64(n) > f.LoseAfter {
		v.pass, v.lose = int(max(f.LoseAfter-k.answered, 0)), true
		p.left--
		p.stats.Lost++
	}
	k.answered += int64(n)
	return v
}

func (p *Proxy) duplicates() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault.Duplicate
}

// requestPath returns the path of the request that starts with piece, if one does.
// HTTP clients write the request line first, so a look at the start is enough.
func requestPath(piece []byte) (string, bool) {
	line, _, _ := bytes.Cut(piece, []byte("\r\n"))
	parts := bytes.Split(line, []byte(" "))
	if len(parts) != 3 || !bytes.HasPrefix(parts[2], []byte("HTTP/1.")) {
		return "", false
	}
	return string(parts[1]), true
}
