package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// iphone is a phone that keeps one pass of HQ, as the stories of the console need it.
type iphone struct {
	hq     string
	push   *apnsdouble.Double
	told   chan struct{}
	serial string
	key    string
	kind   string
}

const iphoneToken = "a1b2c3d4e5f60718"

func newIPhone(hq string, push *apnsdouble.Double) *iphone {
	p := &iphone{hq: hq, push: push, told: make(chan struct{}, 100)}
	push.Phone(iphoneToken, func() { p.told <- struct{}{} })
	return p
}

// install downloads a pass and registers the phone for its updates.
func (p *iphone) install(ctx context.Context, address string) (any, error) {
	_, raw, err := p.ask(ctx, http.MethodGet, address, "")
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("read pass: %w", err)
	}
	file, err := archive.Open("pass.json")
	if err != nil {
		return nil, fmt.Errorf("read pass: %w", err)
	}
	defer file.Close()
	var pass struct{ SerialNumber, AuthenticationToken, PassTypeIdentifier string }
	if err := json.NewDecoder(file).Decode(&pass); err != nil {
		return nil, fmt.Errorf("read pass: %w", err)
	}
	p.serial, p.key, p.kind = pass.SerialNumber, pass.AuthenticationToken, pass.PassTypeIdentifier
	status, _, err := p.ask(ctx, http.MethodPost, p.registrations()+"/"+p.serial, `{"pushToken":"`+iphoneToken+`"}`)
	return status, err
}

func (p *iphone) registrations() string {
	return p.hq + "/wallet/apple/v1/devices/console-story/registrations/" + p.kind
}

// fetch waits until the phone is told, asks what changed, and fetches that.
func (p *iphone) fetch(ctx context.Context) (any, error) {
	if err := stage.Until(ctx, "the phone is told", func() (bool, error) { return len(p.told) > 0, nil }); err != nil {
		return nil, err
	}
	if _, _, err := p.ask(ctx, http.MethodGet, p.registrations(), ""); err != nil {
		return nil, err
	}
	status, _, err := p.ask(ctx, http.MethodGet, p.hq+"/wallet/apple/v1/passes/"+p.kind+"/"+p.serial, "")
	return status, err
}

func (p *iphone) ask(ctx context.Context, method, address, body string) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if p.key != "" {
		req.Header.Set("Authorization", "ApplePass "+p.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", method, address, resp.StatusCode, answer)
	}
	return resp.StatusCode, answer, err
}

// refuse has Apple refuse all pushes for now, or take them again.
func (p *iphone) refuse(all bool) func() error {
	return func() error {
		p.push.Decide(nil)
		if all {
			p.push.Decide(func(int, string) apnsdouble.Answer { return apnsdouble.TooMany("") })
		}
		return nil
	}
}
