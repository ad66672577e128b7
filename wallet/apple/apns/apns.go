package apns

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Production is Apple's push service. Wallet's tokens are always of production.
const Production = "https://api.push.apple.com"

const (
	defaultAtOnce  = 256
	defaultTimeout = 10 * time.Second
	// A silent connection is probed after pingAfter and given up pingWait later.
	pingAfter = time.Minute
	pingWait  = 15 * time.Second
	// Apple takes 1,000 pushes at once on a connection. Two are enough, also while one
	// is ending; without a bound each waiting push would begin to dial at a start.
	connections = 2
	// longestAnswer is how many bytes of an answer are read; Apple's have about 60.
	longestAnswer = 4096
)

// body is the empty JSON dictionary that Wallet expects. Anything more is ignored or harmful.
const body = "{}"

// Options say whom to push for. Exactly one of Certificate and Token is set.
type Options struct {
	// Topic is the pass type identifier ("pass.com.example.card").
	Topic string
	// Certificate is the pass type certificate with its key, the one that signs passes.
	Certificate *tls.Certificate
	// Token signs provider tokens instead.
	Token *TokenKey
	// URL is scheme and host of the push service; empty means [Production].
	URL string
	// Roots are who may vouch for the push service; nil means the system's.
	Roots *x509.CertPool
	// AtOnce is how many pushes may be under way; 0 means 256.
	AtOnce int
	// Timeout bounds one push; 0 means 10 s.
	Timeout time.Duration
	// Now is the clock. Required.
	Now func() time.Time
}

// Sender pushes over kept HTTP/2 connections. It is for any number of goroutines.
type Sender struct {
	topic   string
	url     *url.URL
	client  *http.Client
	tokens  *tokens // nil with a certificate
	turns   chan struct{}
	timeout time.Duration
	now     func() time.Time
}

// New checks the options and makes a Sender. It opens no connection yet.
func New(o Options) (*Sender, error) {
	base, err := baseOf(o.URL)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Now == nil:
		return nil, errors.New("push sender: no clock")
	case o.Topic == "":
		return nil, errors.New("push sender: no pass type identifier")
	case (o.Certificate == nil) == (o.Token == nil):
		return nil, errors.New("push sender: needs a certificate or a token key, and not both")
	}
	s := &Sender{topic: o.Topic, url: base, timeout: o.Timeout, now: o.Now}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	atOnce := o.AtOnce
	if atOnce <= 0 {
		atOnce = defaultAtOnce
	}
	s.turns = make(chan struct{}, atOnce)
	conf := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}
	if o.Certificate != nil {
		if err := checkCertificate(o.Certificate, o.Topic); err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{*o.Certificate}
	} else {
		if err := o.Token.check(); err != nil {
			return nil, err
		}
		s.tokens = &tokens{key: *o.Token}
	}
	s.client = &http.Client{Transport: transport(conf), CheckRedirect: noRedirect}
	return s, nil
}

func baseOf(text string) (*url.URL, error) {
	if text == "" {
		text = Production
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("push sender: address: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("push sender: address %q is not https://host[:port]", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// transport speaks HTTP/2 only, over few connections that are kept and probed.
func transport(conf *tls.Config) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, TLSHandshakeTimeout: defaultTimeout, Protocols: &protocols, MaxConnsPerHost: connections,
		HTTP2: &http.HTTP2Config{
			StrictMaxConcurrentRequests: true, SendPingTimeout: pingAfter, PingTimeout: pingWait, WriteByteTimeout: pingWait,
		},
	}
}

// noRedirect: the push service sends nobody elsewhere, and a token is not for others.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Push tells the phone with this push token that passes of the topic have changed.
// It waits for its turn, then for Apple's answer, no longer than ctx.
func (s *Sender) Push(ctx context.Context, token string) Result {
	if !hexToken(token) {
		return Result{Outcome: BadToken, Reason: "BadDeviceToken"}
	}
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return Result{Outcome: Later, Reason: ctx.Err().Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, provider, err := s.request(ctx, token)
	if err != nil {
		return Result{Outcome: Refused, Reason: err.Error()}
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Result{Outcome: Later, Reason: reasonOf(err)}
	}
	defer resp.Body.Close()
	var a answer
	raw, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil && resp.StatusCode != http.StatusOK {
		return Result{Outcome: Later, Status: resp.StatusCode, Reason: reasonOf(err)}
	}
	if len(raw) > 0 && json.Unmarshal(raw, &a) != nil {
		a = answer{} // not Apple's words; the status speaks
	}
	r := read(resp.StatusCode, resp.Header, a, s.now())
	if r.Outcome == AuthExpired {
		if s.tokens == nil {
			r.Outcome = Refused // there is no newer certificate to try
		} else {
			s.tokens.refused(provider)
		}
	}
	return r
}

// request makes the request and returns the provider token it carries.
func (s *Sender) request(ctx context.Context, token string) (*http.Request, string, error) {
	to := *s.url
	to.Path = "/3/device/" + token
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(body))
	if err != nil {
		return nil, "", fmt.Errorf("make push request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tallystick")
	req.Header.Set("apns-topic", s.topic)
	req.Header.Set("apns-push-type", "background")
	req.Header.Set("apns-priority", "5") // a background push must not ask for 10
	if s.tokens == nil {
		return req, "", nil
	}
	provider, err := s.tokens.current(s.now())
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "bearer "+provider)
	return req, provider, nil
}

// Close lets go of the connections that no push uses.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// hexToken says whether text can be a device token: bytes in hexadecimal. Apple
// sets no length; ours is what fits a request's headers.
func hexToken(text string) bool {
	if text == "" || len(text) > 4096 {
		return false
	}
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// reasonOf takes the address, which holds the token, out of an error.
func reasonOf(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}
