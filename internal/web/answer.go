package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Request is what an answer depends on.
type Request struct {
	// Path is what follows /<app>, with or without a leading slash; empty for the page.
	Path string
	// AcceptEncoding and IfNoneMatch are the headers of that name.
	AcceptEncoding, IfNoneMatch string
}

// Header is one header of an answer.
type Header struct{ Name, Value string }

// Answer is what to send. The body is shared and must not be changed.
type Answer struct {
	Status  int
	Headers []Header
	Body    []byte
}

// file is one built file; it is compressed when somebody first asks for that.
type file struct {
	kind, tag, keep string
	body            []byte
	packed          func() []byte // nil when packing does not pay
}

func newFile(name string, body []byte) *file {
	sum := sha256.Sum256(body)
	f := &file{kind: typeOf(name), tag: hex.EncodeToString(sum[:12]), keep: "no-cache", body: body}
	// The names of built assets carry a hash of their content.
	if strings.HasPrefix(name, "assets/") {
		f.keep = "public, max-age=31536000, immutable"
	}
	f.packed = sync.OnceValue(func() []byte { return pack(body) })
	return f
}

// pack returns nil when less than a tenth is won.
func pack(body []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	// Writes to memory do not fail.
	_, _ = z.Write(body)
	_ = z.Close()
	if out.Len() > len(body)-len(body)/10 {
		return nil
	}
	return out.Bytes()
}

// Answer finds the file for a path. A path without an extension is the page's own
// address and gets the page; a file that is not there is 404.
func (s *Site) Answer(r Request) Answer {
	name := strings.TrimPrefix(r.Path, "/")
	f, ok := s.files[name]
	if !ok && path.Ext(name) == "" {
		f, ok = s.files[""], true
	}
	if !ok {
		return s.plain(http.StatusNotFound, "There is no such file.\n")
	}
	headers := append(s.common(), Header{"Content-Type", f.kind}, Header{"Cache-Control", f.keep}, Header{"Vary", "Accept-Encoding"})
	body, tag := f.body, f.tag
	if accepts(r.AcceptEncoding, "gzip") {
		if packed := f.packed(); packed != nil {
			body, tag = packed, tag+"-gzip"
			headers = append(headers, Header{"Content-Encoding", "gzip"})
		}
	}
	tag = strconv.Quote(tag)
	headers = append(headers, Header{"ETag", tag})
	if matches(r.IfNoneMatch, tag) {
		return Answer{Status: http.StatusNotModified, Headers: headers}
	}
	return Answer{Status: http.StatusOK, Headers: headers, Body: body}
}

// Missing is the answer of a binary that was built without the page of an app.
func Missing(app App) Answer {
	s := &Site{app: app, policy: policyOf(app)}
	return s.plain(http.StatusServiceUnavailable, "The "+string(app)+" page is not in this binary: run make web, then make build.\n")
}

func (s *Site) plain(status int, text string) Answer {
	return Answer{
		Status: status, Body: []byte(text),
		Headers: append(s.common(), Header{"Content-Type", "text/plain; charset=utf-8"}, Header{"Cache-Control", "no-store"}),
	}
}

func (s *Site) common() []Header {
	camera := "camera=()"
	if s.app != Console {
		camera = "camera=(self)"
	}
	return []Header{
		{"Content-Security-Policy", s.policy},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", camera + ", microphone=(), geolocation=()"},
	}
}

// accepts reads an Accept-Encoding header (RFC 9110, 12.5.3) as far as it matters here.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return !found || err == nil && value > 0
	}
	return false
}

func matches(ifNoneMatch, tag string) bool {
	return slices.ContainsFunc(strings.Split(ifNoneMatch, ","), func(t string) bool {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		return t == tag || t == "*"
	})
}
