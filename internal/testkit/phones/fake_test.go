package phones_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

const passType = "pass.com.example.card"

// fault is what a fake HQ does wrong.
type fault int

const (
	honest fault = iota
	tagBeforeCommit
	pushDropped
	pushForNothing
	sameModified
	modifiedByTheClock
	alwaysSends
	forgetsQueue
	dropsNewToken
	neverUnregisters
	numberForTag
	anothersPass
	unsigned
	tokenChanges
)

// fakePass is a pass at the fake HQ.
type fakePass struct {
	balance  int64
	tag      int
	modified time.Time
	open     bool // its tag is taken and its phones are told, but the change is not committed
}

// fakeHQ is an HQ in memory with the parts of the pass web service: the story must be
// told well by the honest one, and each fault must be seen.
type fakeHQ struct {
	t      *testing.T
	fault  fault
	issuer *apple.Issuer
	sender *apns.Sender
	images []brand.Image
	pushes sync.WaitGroup
	ctx    context.Context
	server *httptest.Server

	restarts atomic.Int32
	started  time.Time

	mu      sync.Mutex
	head    int
	passes  map[string]*fakePass
	tokens  map[string]string          // device: push token
	devices map[string]map[string]bool // device: serials
	want    map[string]int64
}

func (h *fakeHQ) authToken(serial string) string { return "token-of-" + serial }

// make builds and signs a pass. With a lock held.
func (h *fakeHQ) make(serial string) []byte {
	token := h.authToken(serial)
	if h.fault == tokenChanges && h.passes[serial].tag > 0 {
		token += "-" + strconv.Itoa(h.passes[serial].tag)
	}
	raw, err := h.issuer.Pass(apple.Request{
		Serial: serial, AuthToken: token, Images: h.images, Brand: brand.Default("Corner"),
		Face: face.Face{Kind: face.KindMember, Code: "TS1" + serial, Balances: []face.Balance{{Unit: "points", Amount: h.passes[serial].balance}}, AsOf: time.Now()},
	})
	if err != nil {
		h.t.Error(err)
	}
	if h.fault == unsigned && h.passes[serial].tag > 0 {
		raw[len(raw)/2] ^= 1
	}
	return raw
}

// ServeHTTP is the web service.
func (h *fakeHQ) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case parts[0] == "devices" && len(parts) == 5:
		h.registration(w, r, parts[1], parts[4])
	case parts[0] == "devices" && len(parts) == 4:
		h.list(w, parts[1], r.URL.Query().Get("passesUpdatedSince"))
	case parts[0] == "passes" && len(parts) == 3:
		h.fetch(w, r, parts[2])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (h *fakeHQ) registration(w http.ResponseWriter, r *http.Request, device, serial string) {
	if r.Header.Get("Authorization") != "ApplePass "+h.authToken(serial) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodDelete {
		if h.fault != neverUnregisters {
			delete(h.devices[device], serial)
		}
		return
	}
	var said struct{ PushToken string }
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil || said.PushToken == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	known := h.devices[device][serial]
	if h.devices[device] == nil {
		h.devices[device] = map[string]bool{}
	}
	h.devices[device][serial] = true
	if old := h.tokens[device]; old != said.PushToken {
		h.tokens[device] = said.PushToken
		if old != "" {
			h.push(device, said.PushToken) // what went to the old token may be lost
			if h.fault == dropsNewToken {
				h.push(device, old) // as if it had been under way
			}
		}
	}
	if !known {
		w.WriteHeader(http.StatusCreated)
	}
}

func (h *fakeHQ) list(w http.ResponseWriter, device, tag string) {
	since, _ := strconv.Atoi(tag) // what is not ours is the beginning
	said := map[string]any{"lastUpdated": strconv.Itoa(h.head)}
	if h.fault == numberForTag {
		said["lastUpdated"] = h.head
	}
	serials := []string{}
	for serial := range h.devices[device] {
		if p := h.passes[serial]; p.tag > since && !p.open {
			serials = append(serials, serial)
		}
		h.commit(serial)
	}
	if len(serials) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if h.fault == anothersPass {
		serials = append(serials, "stranger")
	}
	said["serialNumbers"] = serials
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said)
}

// commit makes a change that was begun one that can be read. With the lock held.
func (h *fakeHQ) commit(serial string) {
	if p := h.passes[serial]; p.open {
		p.open = false
		p.balance += 10
	}
}

func (h *fakeHQ) fetch(w http.ResponseWriter, r *http.Request, serial string) {
	p := h.passes[serial]
	if p == nil || r.Header.Get("Authorization") != "ApplePass "+h.authToken(serial) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if since, err := http.ParseTime(r.Header.Get("If-Modified-Since")); err == nil && !p.modified.After(since) && h.fault != alwaysSends {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	modified := p.modified
	if h.fault == alwaysSends {
		modified = time.Now().Add(time.Duration(h.head) * time.Second)
		h.head++
	}
	w.Header().Set("Content-Type", "application/vnd.apple.pkpass")
	w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	_, _ = w.Write(h.make(serial))
}

// push tells a phone until it is told. With the lock held.
func (h *fakeHQ) push(device, token string) {
	before := h.restarts.Load()
	h.pushes.Go(func() {
		for h.ctx.Err() == nil {
			if h.fault == forgetsQueue && h.restarts.Load() != before {
				return
			}
			switch r := h.sender.Push(h.ctx, token); r.Outcome {
			case apns.Sent, apns.BadToken:
				return
			case apns.Gone:
				h.mu.Lock()
				defer h.mu.Unlock()
				if h.tokens[device] == token || h.fault == dropsNewToken {
					delete(h.devices, device)
				}
				return
			}
			if h.fault == pushDropped {
				return
			}
			select {
			case <-time.After(5 * time.Millisecond):
			case <-h.ctx.Done():
			}
		}
	})
}

// changed gives a pass the next tag and tells its phones. With the lock held.
func (h *fakeHQ) changed(serial string) {
	p := h.passes[serial]
	h.head++
	p.tag = h.head
	now := h.started // as if all happened within one second
	switch h.fault {
	case sameModified:
	case modifiedByTheClock:
		p.modified = now
	default:
		if p.modified = p.modified.Add(time.Second); now.After(p.modified) {
			p.modified = now
		}
	}
	for device, serials := range h.devices {
		if serials[serial] {
			h.push(device, h.tokens[device])
		}
	}
}

// The rest is the office of the story.

func (h *fakeHQ) Issue(_ context.Context, n int, give func([]byte) error) error {
	for i := range n {
		serial := fmt.Sprintf("serial-%d", i)
		h.mu.Lock()
		h.passes[serial] = &fakePass{modified: time.Now().Add(-time.Hour).Truncate(time.Second)}
		h.want[serial] = 0
		raw := h.make(serial)
		h.mu.Unlock()
		if err := give(raw); err != nil {
			return err
		}
	}
	return nil
}

func (h *fakeHQ) Change(_ context.Context, serials []string) error {
	for _, serial := range serials {
		h.mu.Lock()
		h.want[serial] += 10
		h.commit(serial)
		h.passes[serial].open = h.fault == tagBeforeCommit
		if !h.passes[serial].open {
			h.passes[serial].balance += 10
		}
		h.changed(serial)
		h.mu.Unlock()
	}
	return nil
}

func (h *fakeHQ) Touch(context.Context) error {
	if h.fault == pushForNothing {
		h.mu.Lock()
		defer h.mu.Unlock()
		for device, token := range h.tokens {
			h.push(device, token)
		}
	}
	return nil
}

func (h *fakeHQ) Want(serial string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strconv.FormatInt(h.want[serial], 10)
}

// Restart cuts all connections; what waits to be pushed is kept, or with a fault is not.
func (h *fakeHQ) Restart(context.Context) error {
	h.restarts.Add(1)
	h.server.CloseClientConnections()
	return nil
}

// newFake starts a fake HQ.
func newFake(t *testing.T, f fault, authority *apple.Authority, sender *apns.Sender) *fakeHQ {
	t.Helper()
	h := &fakeHQ{
		t: t, fault: f, sender: sender, images: icons(t), passes: map[string]*fakePass{}, tokens: map[string]string{},
		devices: map[string]map[string]bool{}, want: map[string]int64{}, ctx: t.Context(), started: time.Now().Truncate(time.Second),
	}
	h.server = httptest.NewServer(h)
	t.Cleanup(h.server.Close)
	credentials, err := authority.Credentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if h.issuer, err = apple.New(apple.Options{Credentials: credentials, ServiceURL: "https://hq.example/wallet/apple", Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	return h
}

// drawIcons draws the pictures that no pass goes without.
var drawIcons = sync.OnceValues(func() ([]brand.Image, error) {
	all, err := brand.Render(brand.Default("Corner"), face.Face{Kind: face.KindMember, Subject: uuid.UUID{1}})
	return slices.DeleteFunc(all, func(i brand.Image) bool { return !strings.HasPrefix(i.Name, "icon") }), err
})

func icons(t *testing.T) []brand.Image {
	t.Helper()
	all, err := drawIcons()
	if err != nil {
		t.Fatal(err)
	}
	return all
}
