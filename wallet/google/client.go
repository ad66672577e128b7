package google

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
)

// DefaultAPI is where Google's Wallet API answers.
const DefaultAPI = "https://walletobjects.googleapis.com"

// PerSecond is how many requests a second Google asks an issuer to stay below.
const PerSecond = 20

// requestTime bounds one request, its answer included.
const requestTime = 20 * time.Second

// Resource is a kind of thing that the API keeps.
type Resource string

// The resources we write.
const (
	LoyaltyClasses Resource = "loyaltyClass"
	LoyaltyObjects Resource = "loyaltyObject"
	OfferClasses   Resource = "offerClass"
	OfferObjects   Resource = "offerObject"
)

// ClientOptions are what a client stands on. Account and Now are needed; the others have
// defaults.
type ClientOptions struct {
	Account Account
	API     string       // base address, without a path; DefaultAPI when empty
	HTTP    *http.Client // its redirects are not followed
	Now     func() time.Time
	Sleep   func(ctx context.Context, d time.Duration) error
	// Turns are shared by all processes that speak for the issuer; nil when this is the
	// only one.
	Turns Turns
	// Observe is told of each request that was answered, or not (status 0).
	Observe func(method string, status int)
}

// Client speaks to Google's Wallet API. It is safe for concurrent use and keeps below
// PerSecond requests a second, with all others of the same Turns.
type Client struct {
	o      ClientOptions
	do     func(*http.Request) (*http.Response, error)
	tokens *tokens
	bucket *bucket
}

// NewClient returns a client that has asked nothing yet.
func NewClient(o ClientOptions) *Client {
	if o.API == "" {
		o.API = DefaultAPI
	}
	o.API = strings.TrimSuffix(o.API, "/")
	if o.Sleep == nil {
		o.Sleep = clock.Wait
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Observe == nil {
		o.Observe = func(string, int) {}
	}
	if o.Turns == nil {
		o.Turns = &ownTurns{}
	}
	own := *o.HTTP
	own.Timeout = requestTime
	// A token must not follow somebody's redirect to another host.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		o: o, do: own.Do,
		tokens: &tokens{account: o.Account, do: own.Do, now: o.Now},
		bucket: &bucket{turns: o.Turns, now: o.Now, sleep: o.Sleep},
	}
}

// Insert makes a class or an object. Exists means that it is there.
func (c *Client) Insert(ctx context.Context, r Resource, body Fields) error {
	return c.ask(ctx, http.MethodPost, string(r), body, nil)
}

// Patch changes the fields of the body and no others. Missing means that it is not there.
func (c *Client) Patch(ctx context.Context, r Resource, id string, body Fields) error {
	return c.ask(ctx, http.MethodPatch, string(r)+"/"+url.PathEscape(id), body, nil)
}

// Get reads a class or an object into out.
func (c *Client) Get(ctx context.Context, r Resource, id string, out any) error {
	return c.ask(ctx, http.MethodGet, string(r)+"/"+url.PathEscape(id), nil, out)
}

// AddMessage puts a message on an object, or on all objects of a class.
func (c *Client) AddMessage(ctx context.Context, r Resource, id string, m Message) error {
	return c.ask(ctx, http.MethodPost, string(r)+"/"+url.PathEscape(id)+"/addMessage", map[string]Message{"message": m}, nil)
}

// ask sends one request, with a new token a second time when the first is not taken.
func (c *Client) ask(ctx context.Context, method, path string, body, out any) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return fmt.Errorf("google %s %s: %w", method, path, err)
		}
	}
	for again := true; ; again = false {
		token, err := c.tokens.get(ctx)
		if err == nil {
			err = c.once(ctx, method, path, token, raw, out)
		}
		if KindOf(err) == Unauthorized && again {
			c.tokens.drop(token)
			continue
		}
		if err != nil {
			return fmt.Errorf("google %s %s: %w", method, path, err)
		}
		return nil
	}
}

func (c *Client) once(ctx context.Context, method, path, token string, raw []byte, out any) error {
	if err := c.bucket.take(ctx); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.o.API+"/walletobjects/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if raw != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	status, header, got, err := answer(c.do, req)
	c.o.Observe(method, status)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return failed(status, header, got)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(got, out); err != nil {
		return &Failure{Kind: Later, Status: status, Reason: "the answer is not JSON", cause: err}
	}
	return nil
}

// answer sends a request and reads its answer whole. No answer is a Failure; a request
// that we gave up ourselves is not.
func answer(do func(*http.Request) (*http.Response, error), req *http.Request) (status int, header http.Header, body []byte, err error) {
	res, err := do(req)
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		err = errors.Join(err, res.Body.Close())
	}
	switch {
	case err != nil && req.Context().Err() != nil:
		return 0, nil, nil, req.Context().Err()
	case err != nil:
		return 0, nil, nil, &Failure{Kind: Later, cause: withoutURL(err)}
	}
	return res.StatusCode, res.Header, body, nil
}

// withoutURL is why a request failed, without its address, which can hold an id.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
