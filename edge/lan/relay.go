package lan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// relayed are the paths of HQ that a lane asks for another. Enrolment is not among
// them: who enrols is not in the roster yet.
var relayed = map[string]bool{
	wire.PathHello: true, wire.PathPush: true, wire.PathPull: true, wire.PathAuthorise: true, wire.PathPresent: true,
}

// Headers that travel through a relay, there and back. The proof covers path and body,
// HQ signs its answers: a relay can lose them, not alter them.
var (
	relayThere = []string{wire.HeaderProof, "Content-Type", "Content-Encoding", "Accept-Encoding"}
	relayBack  = []string{wire.HeaderNonce, "Content-Type", "Content-Encoding", "Retry-After"}
)

// serveRelay sends a lane's request on to HQ as it is, and HQ's answer back.
func (n *Node) serveRelay(w http.ResponseWriter, r *http.Request) {
	if _, err := n.laneOf(r.TLS); err != nil {
		writeProblem(w, problem.Wrap(problem.Forbidden, err, "this lane is not in the store's roster"))
		return
	}
	path := strings.TrimPrefix(r.URL.Path, wire.PathLANRelay)
	if !relayed[path] {
		writeProblem(w, problem.New(problem.NotFound, "lanes relay the paths of the wire only"))
		return
	}
	select {
	case n.relays <- struct{}{}:
		defer func() { <-n.relays }()
	default:
		writeProblem(w, problem.New(problem.Backpressure, "this lane relays as much as it can"))
		return
	}
	if err := n.relay(w, r, path); err != nil {
		writeProblem(w, problem.Wrap(problem.Unavailable, err, "HQ cannot be reached through this lane"))
	}
}

// relay answers w, or returns an error when nothing was written yet.
func (n *Node) relay(w http.ResponseWriter, r *http.Request, path string) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBody))
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	address := strings.TrimRight(n.cfg.HQ, "/") + path
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	copyHeaders(req.Header, r.Header, relayThere)
	resp, err := n.cfg.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("ask HQ: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody+1))
	if err != nil || len(answer) > wire.MaxBody {
		return fmt.Errorf("read HQ's answer (%d bytes): %w", len(answer), err)
	}
	copyHeaders(w.Header(), resp.Header, relayBack)
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer) // who asked will ask again
	return nil
}

func copyHeaders(to, from http.Header, names []string) {
	for _, name := range names {
		if v := from.Get(name); v != "" {
			to.Set(name, v)
		}
	}
}

// Transport reaches HQ directly, or else through a lane that does. Use it as the
// transport of the client that talks to HQ; Direct is the way without help.
type Transport struct {
	Direct http.RoundTripper
	Node   *Node

	mu     sync.Mutex
	failed time.Time // when HQ was last out of reach directly
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	through := t.Node.relaysFor(req.URL.Path)
	var direct error
	if len(through) == 0 || !t.avoid() {
		resp, err := t.Direct.RoundTrip(req)
		t.note(err)
		if err == nil || req.Context().Err() != nil || len(through) == 0 {
			return resp, err
		}
		direct = err
	}
	resp, err := t.throughLanes(req, through)
	if err != nil {
		return nil, errors.Join(direct, err)
	}
	return resp, nil
}

// throughLanes tries one lane after the other. Requests to HQ may be repeated: each
// says itself what it is, and HQ takes it once.
func (t *Transport) throughLanes(req *http.Request, lanes []Lane) (*http.Response, error) {
	var errs []error
	for _, lane := range lanes {
		again, err := rewind(req)
		if err != nil {
			return nil, err
		}
		again.URL.Scheme, again.URL.Host, again.URL.Path = "https", lane.Address, wire.PathLANRelay+req.URL.Path
		again.Host = ""
		resp, err := t.Node.client.Transport.RoundTrip(again)
		if err != nil {
			errs = append(errs, fmt.Errorf("through lane %s: %w", lane.Terminal, err))
			continue
		}
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get(wire.HeaderNonce) == "" {
			_ = resp.Body.Close() // the lane's own word: it does not reach HQ either
			errs = append(errs, fmt.Errorf("lane %s does not reach HQ", lane.Terminal))
			continue
		}
		return resp, nil
	}
	return nil, errors.Join(errs...)
}

// rewind copies a request so that it can be sent once more.
func rewind(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("the request to HQ cannot be sent again")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("send the request to HQ again: %w", err)
	}
	again.Body = body
	return again, nil
}

// avoid reports whether HQ was out of reach a moment ago, so that a till which has
// 800 ms does not spend them on finding that out again.
func (t *Transport) avoid() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.failed.IsZero() && t.Node.cfg.Clock.Now().Sub(t.failed).Abs() < t.Node.timing.Retry
}

func (t *Transport) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = time.Time{}
	t.Node.direct.Store(err == nil)
	if err != nil {
		t.failed = t.Node.cfg.Clock.Now()
	}
}

// relaysFor returns up to three lanes that can relay a request for path.
func (n *Node) relaysFor(path string) []Lane {
	if !relayed[path] {
		return nil
	}
	var out []Lane
	for _, lane := range n.peers.all() {
		if lane.Up && lane.Online && len(out) < 3 {
			out = append(out, lane)
		}
	}
	return out
}
