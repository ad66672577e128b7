package syncer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// maxRetryAfter bounds how long HQ can make a terminal wait.
const maxRetryAfter = 10 * time.Minute

// client sends proven requests to one HQ. It is safe for concurrent use.
type client struct {
	address  string
	http     *http.Client
	clock    clock.Clock
	random   io.Reader
	hq       uuid.UUID
	terminal uuid.UUID
	epoch    uint32
	private  ed25519.PrivateKey

	mu    sync.Mutex
	nonce string
}

// of is the same client under another epoch of the terminal.
func (c *client) of(writer journal.Writer, signer keys.Signer) *client {
	return &client{
		address: c.address, http: c.http, clock: c.clock, random: c.random, hq: c.hq,
		terminal: writer.ID, epoch: writer.Epoch, private: signer.Private(),
	}
}

// refusal is any other answer of HQ.
type refusal struct {
	status     int
	problem    *problem.Error
	retryAfter time.Duration
}

func (r *refusal) Error() string { return fmt.Sprintf("HQ answered %d: %v", r.status, r.problem) }

func (r *refusal) Unwrap() error { return r.problem }

// unreachableError means that no whole answer came back.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return "reach HQ: " + e.err.Error() }

func (e *unreachableError) Unwrap() error { return e.err }

// retryAfterOf returns what HQ asked to wait, or zero.
func retryAfterOf(err error) time.Duration {
	var r *refusal
	if errors.As(err, &r) {
		return r.retryAfter
	}
	return 0
}

// call sends one request. A demand for a nonce is met once: the first request of a
// session always meets it, and a second demand in a row means that something
// between takes the header away.
func (c *client) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	got, err := c.once(ctx, method, path, body)
	if problem.CodeOf(err) == problem.ProofNonce {
		got, err = c.once(ctx, method, path, body)
	}
	return got, err
}

func (c *client) once(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	id, err := uuid.NewRandomFromReader(c.random)
	if err != nil {
		return nil, fmt.Errorf("make proof id: %w", err)
	}
	c.mu.Lock()
	nonce := c.nonce
	c.mu.Unlock()
	proof, err := wire.Prove(c.private, wire.Proof{
		HQ: c.hq, Terminal: c.terminal, Epoch: c.epoch, Method: method, Path: path,
		Nonce: nonce, ID: id.String(), IssuedAt: c.clock.Now(), Body: body,
	})
	if err != nil {
		return nil, err
	}
	req, err := newRequest(ctx, method, c.address+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set(wire.HeaderProof, proof)
	if len(body) > 0 {
		req.Header.Set("Content-Encoding", "zstd")
	}
	return send(c.http, req, c.keepNonce)
}

func (c *client) keepNonce(h http.Header) {
	if nonce := h.Get(wire.HeaderNonce); nonce != "" {
		c.mu.Lock()
		c.nonce = nonce
		c.mu.Unlock()
	}
}

func newRequest(ctx context.Context, method, url string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request to HQ: %w", err)
	}
	// Setting it by hand also keeps the transport from asking for gzip, whose
	// inflated size nothing would bound.
	req.Header.Set("Accept-Encoding", "zstd")
	if len(body) > 0 {
		req.Header.Set("Content-Type", wire.ContentType)
	}
	return req, nil
}

// send returns the whole body of a 200, bounded before and after decompression and
// not yet believed.
func send(hc *http.Client, req *http.Request, seen func(http.Header)) ([]byte, error) {
	resp, err := hc.Do(req)
	if err != nil {
		return nil, &unreachableError{err}
	}
	defer resp.Body.Close()
	seen(resp.Header)
	raw, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody+1))
	if err != nil {
		return nil, &unreachableError{err}
	}
	if len(raw) > wire.MaxBody {
		return nil, problem.Newf(problem.BatchTooLarge, "HQ's answer is over %d bytes", wire.MaxBody)
	}
	if resp.Header.Get("Content-Encoding") == "zstd" {
		if raw, err = wire.Decompress(raw); err != nil {
			return nil, fmt.Errorf("read HQ's answer: %w", err)
		}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &refusal{
			status: resp.StatusCode, problem: problem.Parse(resp.StatusCode, raw),
			retryAfter: retryAfter(resp.Header.Get("Retry-After")),
		}
	}
	return raw, nil
}

// retryAfter reads the header's form in seconds (RFC 9110 §10.2.3), the only one
// HQ sends.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

// plain returns a copy of hc that follows no redirect: a proof holds for one path.
func plain(hc *http.Client) *http.Client {
	copied := *hc
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}
