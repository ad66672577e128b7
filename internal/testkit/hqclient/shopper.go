package hqclient

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/rest"
)

// Shopper is a member's browser on the card's page.
type Shopper struct{ *rest.Caller }

// NewShopper opens a browser at the HQ at address. client says whom it trusts; nil trusts
// whom the machine does.
func NewShopper(address string, client *http.Client) *Shopper {
	s := &Shopper{rest.New(address, "")}
	if client != nil {
		own := *client
		s.HTTP = &own
	}
	s.HTTP.Jar = &jar{}
	s.Headers = map[string]string{"Origin": address}
	return s
}

// jar keeps the last cookie and sends it also without TLS: the tests' HQ stands behind an
// https address that is only a name.
type jar struct {
	mu   sync.Mutex
	last []*http.Cookie
}

// SetCookies implements http.CookieJar.
func (j *jar) SetCookies(_ *url.URL, set []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last = set[len(set)-1:]
}

// Cookies implements http.CookieJar.
func (j *jar) Cookies(*url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

func (s *Shopper) ask(ctx context.Context, method, path string, in, out any) error {
	call := rest.Call{Method: method, Path: base + "/card/" + path, In: in, Out: out}
	if method != http.MethodGet {
		call.Key = uuid.NewString()
	}
	return s.Do(ctx, call)
}

// Join joins the programme and returns the card's code.
func (s *Shopper) Join(ctx context.Context, name, locale string) (string, error) {
	var card struct{ Code struct{ Text string } }
	err := s.ask(ctx, http.MethodPost, "join", map[string]string{"name": name, "locale": locale}, &card)
	return card.Code.Text, err
}

// ApplePass downloads the card as a pass.
func (s *Shopper) ApplePass(ctx context.Context) (pass []byte, err error) {
	err = s.ask(ctx, http.MethodGet, "passes/apple", nil, &pass)
	return pass, err
}

// GoogleLink returns the link that saves the card to Google Wallet.
func (s *Shopper) GoogleLink(ctx context.Context) (string, error) {
	var link struct{ URL string }
	err := s.ask(ctx, http.MethodPost, "passes/google", nil, &link)
	return link.URL, err
}
