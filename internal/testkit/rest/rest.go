package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// Caller calls one API. The zero Token sends none.
type Caller struct {
	Base  string // "http://host:port", without a path
	Token string // bearer token
	HTTP  *http.Client
	// Headers go with each call.
	Headers map[string]string
}

// New returns a caller with connections of its own and a timeout of 30 s a call.
func New(base, token string) *Caller {
	return &Caller{Base: base, Token: token, HTTP: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		Timeout:   30 * time.Second,
	}}
}

// Call is one request.
type Call struct {
	Method string
	Path   string
	Query  url.Values
	// Key is the Idempotency-Key; empty sends none.
	Key string
	// In is sent as JSON unless nil; [Raw] is sent as it is.
	In any
	// Out receives the JSON answer unless nil; *[]byte receives it as it came.
	Out any
}

// Raw is a body that is sent as it is, JSON or not.
type Raw string

// encode makes the bytes of a body.
func encode(in any) ([]byte, error) {
	if raw, ok := in.(Raw); ok {
		return []byte(raw), nil
	}
	return json.Marshal(in)
}

// Do makes the call. An answer of 400 or more is a *problem.Error; a call that got
// no whole answer is any other error, and may have been done all the same.
func (c *Caller) Do(ctx context.Context, call Call) error {
	req, err := c.request(ctx, call)
	if err != nil {
		return err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", call.Method, call.Path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: read answer: %w", call.Method, call.Path, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %w", call.Method, call.Path, problem.Parse(res.StatusCode, raw))
	}
	return decode(call, raw)
}

func (c *Caller) request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader
	if call.In != nil {
		raw, err := encode(call.In)
		if err != nil {
			return nil, fmt.Errorf("encode body of %s: %w", call.Path, err)
		}
		body = bytes.NewReader(raw)
	}
	target := c.Base + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target, body)
	if err != nil {
		return nil, fmt.Errorf("make request for %s: %w", call.Path, err)
	}
	if body != nil {
		// net/http repeats a request with an Idempotency-Key by itself when the
		// connection breaks; without GetBody it cannot.
		req.GetBody = nil
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	if call.Key != "" {
		req.Header.Set("Idempotency-Key", call.Key)
	}
	return req, nil
}

func decode(call Call, raw []byte) error {
	switch out := call.Out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = raw
		return nil
	default:
		if err := json.Unmarshal(raw, out); err != nil {
			return fmt.Errorf("decode answer of %s: %w", call.Path, err)
		}
		return nil
	}
}

// Close lets go of idle connections.
func (c *Caller) Close() { c.HTTP.CloseIdleConnections() }
