package phones

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// passMIME is what a pass is served as.
const passMIME = "application/vnd.apple.pkpass"

// errAway says that the service cannot be had now: the phone tries again.
type errAway struct {
	why   string
	after time.Duration
}

func (e *errAway) Error() string { return "the pass web service is away: " + e.why }

// service is the pass web service of Apple's reference, asked as Wallet asks it.
type service struct {
	base   string // ends before "/v1"
	client *http.Client
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (s *service) ask(ctx context.Context, method, path, token string, header http.Header, body []byte) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("make request: %w", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if token != "" {
		req.Header.Set("Authorization", "ApplePass "+token)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "passd/1.0 (a simulated phone)")
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, gone(ctx, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxBundle))
	if err != nil {
		return reply{}, gone(ctx, err)
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // absent or odd: the phone's own pause
		return reply{}, &errAway{resp.Status, time.Duration(seconds) * time.Second}
	}
	return reply{resp.StatusCode, resp.Header, raw}, nil
}

// gone makes errAway of a broken connection, unless the phone itself gave up.
func gone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &errAway{why: err.Error()}
}

func registration(device, passType, serial string) string {
	return "/v1/devices/" + url.PathEscape(device) + "/registrations/" + url.PathEscape(passType) + "/" + url.PathEscape(serial)
}

// register returns whether the registration is new (201) or was known (200).
func (s *service) register(ctx context.Context, device, passType, serial, token, push string) (fresh bool, err error) {
	body, err := json.Marshal(map[string]string{"pushToken": push})
	if err != nil {
		return false, err
	}
	r, err := s.ask(ctx, http.MethodPost, registration(device, passType, serial), token, nil, body)
	if err != nil {
		return false, err
	}
	if r.status != http.StatusCreated && r.status != http.StatusOK {
		return false, fmt.Errorf("register: status %d", r.status)
	}
	return r.status == http.StatusCreated, nil
}

func (s *service) unregister(ctx context.Context, device, passType, serial, token string) error {
	r, err := s.ask(ctx, http.MethodDelete, registration(device, passType, serial), token, nil, nil)
	if err == nil && r.status != http.StatusOK {
		err = fmt.Errorf("unregister: status %d", r.status)
	}
	return err
}

// list returns the serials changed since tag and the new tag; none and the old tag when
// nothing has changed (204).
func (s *service) list(ctx context.Context, device, passType, tag string) (serials []string, now string, err error) {
	path := "/v1/devices/" + url.PathEscape(device) + "/registrations/" + url.PathEscape(passType)
	if tag != "" {
		path += "?passesUpdatedSince=" + url.QueryEscape(tag)
	}
	r, err := s.ask(ctx, http.MethodGet, path, "", nil, nil)
	switch {
	case err != nil:
		return nil, tag, err
	case r.status == http.StatusNoContent && len(r.body) == 0:
		return nil, tag, nil
	case r.status != http.StatusOK:
		return nil, tag, fmt.Errorf("list: status %d with %d bytes", r.status, len(r.body))
	}
	var said struct {
		Serials []string `json:"serialNumbers"`
		Tag     *string  `json:"lastUpdated"` // a number here and a phone never fetches
	}
	if err := json.Unmarshal(r.body, &said); err != nil {
		return nil, tag, fmt.Errorf("list: %w", err)
	}
	if said.Tag == nil || *said.Tag == "" || len(said.Serials) == 0 || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		return nil, tag, fmt.Errorf("list: no tag, no serial numbers or not JSON: %.200s", r.body)
	}
	return said.Serials, *said.Tag, nil
}

// fetched is an answer to a fetch.
type fetched struct {
	raw      []byte // nil when not modified
	modified string // Last-Modified
}

// fetch asks for a pass unless it is as old as modified says ("" asks in any case).
func (s *service) fetch(ctx context.Context, passType, serial, token, modified string) (fetched, error) {
	header := http.Header{}
	if modified != "" {
		header.Set("If-Modified-Since", modified)
	}
	r, err := s.ask(ctx, http.MethodGet, "/v1/passes/"+url.PathEscape(passType)+"/"+url.PathEscape(serial), token, header, nil)
	switch {
	case err != nil:
		return fetched{}, err
	case r.status == http.StatusNotModified && modified != "":
		return fetched{modified: modified}, nil
	case r.status != http.StatusOK:
		return fetched{}, fmt.Errorf("fetch: status %d", r.status)
	case r.header.Get("Content-Type") != passMIME:
		return fetched{}, fmt.Errorf("fetch: content type %q", r.header.Get("Content-Type"))
	}
	out := fetched{raw: r.body, modified: r.header.Get("Last-Modified")}
	at, err := http.ParseTime(out.modified)
	if err != nil {
		return fetched{}, fmt.Errorf("fetch: Last-Modified is %q", out.modified)
	}
	if before, err := http.ParseTime(modified); err == nil && !at.After(before) {
		return fetched{}, fmt.Errorf("fetch: modified %s is not after %s, which the phone has", out.modified, modified)
	}
	return out, nil
}

// away says whether err is a reason to try again, and when.
func away(err error) (time.Duration, bool) {
	var e *errAway
	if errors.As(err, &e) {
		return e.after, true
	}
	return 0, false
}
