package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/wire"
)

// mishap is what the network does to a request.
type mishap int

const (
	delivered  mishap = iota
	lostBefore        // the request never arrives
	lostAnswer        // it arrives, its answer does not
	twice             // it arrives twice, the second answer comes back
	late              // the terminal gives up; the request arrives later, out of order
	mishaps
)

var mishapNames = [...]string{"", "lost request", "lost answer", "duplicate", "late request"}

var errNet = errors.New("no answer from the network")

// link is a lane's way to HQ: an http.RoundTripper.
type link struct {
	lane *lane
	cut  bool
	next []mishap // of the coming requests

	old   bool              // a relay repeats what HQ once said
	pages map[string][]byte // which is this, by cursor, in scenes
}

// parcel is a request as it is on the wire.
type parcel struct {
	lane   *lane
	method string
	uri    string
	proof  string
	body   []byte
	at     time.Time // when it arrives, if it is late
}

// RoundTrip carries one request, or fails as the network has it.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	w := l.lane.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := parcel{lane: l.lane, method: r.Method, uri: r.URL.RequestURI(), proof: r.Header.Get(wire.HeaderProof), body: body}
	if l.cut {
		w.count("request on a cut network")
		return nil, errNet
	}
	var m mishap
	if len(l.next) > 0 {
		m, l.next = l.next[0], l.next[1:]
	}
	if m != delivered {
		w.count(mishapNames[m])
	}
	switch m {
	case lostBefore:
		return nil, errNet
	case late:
		p.at = w.now.Add(time.Duration(w.dice.between(1, 900)) * time.Second)
		w.late = append(w.late, p)
		return nil, errNet
	case twice:
		w.deliver(p)
	}
	if l.old && isPull(p) {
		if answer := l.remembered(p); answer != nil {
			return answer, nil
		}
		return nil, errNet
	}
	answer := w.deliver(p)
	if m == lostAnswer {
		return nil, errNet
	}
	if p := r.URL.Path; answer.StatusCode == http.StatusOK && (p == wire.PathHello || p == wire.PathPull) {
		l.lane.heard = w.now // it says what time it is
	}
	if w.options.Scene != "" && isPull(p) {
		return l.remember(p, answer)
	}
	return answer, nil
}

// deliver hands a request to a process of HQ, as server/api does: the proof first, then
// the message, and the same words for a refusal.
func (w *world) deliver(p parcel) *http.Response {
	ctx := context.Background()
	hq := w.hq.at(w.dice.IntN(len(w.hq.processes)))
	raw, err := hq.serve(ctx, w, p)
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}
	answer.Header.Set(wire.HeaderNonce, hq.fleet.Nonce())
	if err != nil {
		body := problem.Render(err)
		if problem.CodeOf(err) == problem.Internal && !hq.db.down {
			w.fail("head office failed: %v", err)
		}
		answer.StatusCode = body.Status
		if raw, err = json.Marshal(body); err != nil {
			w.fail("encode problem: %v", err)
		}
	}
	answer.Body = io.NopCloser(bytes.NewReader(raw))
	return answer
}

func (hq *process) serve(ctx context.Context, w *world, p parcel) ([]byte, error) {
	at, err := url.Parse(p.uri)
	if err != nil {
		return nil, err
	}
	var raw []byte
	if len(p.body) > 0 {
		if raw, err = wire.Decompress(p.body); err != nil {
			return nil, err
		}
	}
	if at.Path == wire.PathHello {
		return hq.hello(ctx, w, p, raw)
	}
	who, err := hq.fleet.Identify(ctx, p.proof, p.method, p.uri, p.body)
	if err != nil {
		return nil, err
	}
	switch at.Path {
	case wire.PathPush:
		return hq.push(ctx, w, who, raw)
	case wire.PathPull:
		return hq.pull(ctx, w, who, at.Query().Get("cursor"))
	case wire.PathAuthorise:
		return ask(ctx, who, raw, func(ctx context.Context, l allowance.Lane, r wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			r.Budget = 0 // nothing else happens while a till waits
			return hq.authorise(ctx, l, r)
		})
	case wire.PathPresent:
		return ask(ctx, who, raw, hq.rights.Present)
	}
	return nil, problem.New(problem.NotFound, at.Path)
}

func (hq *process) hello(ctx context.Context, w *world, p parcel, raw []byte) ([]byte, error) {
	hello, err := wire.Unmarshal[wire.Hello](raw)
	if err != nil {
		return nil, err
	}
	who, err := hq.fleet.IdentifyOrAdopt(ctx, p.proof, p.method, p.uri, p.body, hello.Enrolment)
	if err != nil {
		return nil, err
	}
	from, err := hq.fleet.Deliverer(ctx, who.Terminal.ID, who.Epoch)
	if err != nil {
		return nil, err
	}
	welcome, err := hq.ingest.Hello(ctx, from, hello, w.now)
	if err != nil {
		return nil, err
	}
	if err := hq.fleet.Greet(ctx, who, hello, &welcome); err != nil {
		return nil, err
	}
	return wire.Seal(w.hq.statement, wire.DomainWelcome, welcome)
}

func (hq *process) push(ctx context.Context, w *world, who fleet.Caller, raw []byte) ([]byte, error) {
	batch, err := wire.Unmarshal[wire.Batch](raw)
	if err != nil {
		return nil, err
	}
	from, err := hq.fleet.Deliverer(ctx, who.Terminal.ID, who.Epoch)
	if err != nil {
		return nil, err
	}
	return hq.ingest.Push(ctx, from, batch, w.now)
}

func (hq *process) pull(ctx context.Context, w *world, who fleet.Caller, cursor string) ([]byte, error) {
	if err := who.MayPull(); err != nil {
		return nil, err
	}
	page, err := hq.feed.Page(ctx, who.Terminal.Store, cursor, w.plan.pageItems)
	if err != nil {
		return nil, err
	}
	page.HQTime = w.now.UnixMilli()
	page.Applied = wire.Mark{Terminal: who.Terminal.ID, Epoch: who.Epoch}
	if page.Applied.Seq, err = hq.db.AppliedSeq(ctx, who.Terminal.ID, who.Epoch); err != nil {
		return nil, err
	}
	return wire.Seal(w.hq.statement, wire.DomainFeed, page)
}

func laneOf(who fleet.Caller) allowance.Lane {
	return allowance.Lane{ID: who.Terminal.ID, Epoch: who.Epoch, Store: who.Terminal.Store}
}

// ask answers one question of a terminal that may be told things.
func ask[Q, A any](ctx context.Context, who fleet.Caller, raw []byte, answer func(context.Context, allowance.Lane, Q) (A, error)) ([]byte, error) {
	if err := who.MayPull(); err != nil {
		return nil, err
	}
	question, err := wire.Unmarshal[Q](raw)
	if err != nil {
		return nil, err
	}
	told, err := answer(ctx, laneOf(who), question)
	if err != nil {
		return nil, err
	}
	return wire.Marshal(told)
}

// arrive delivers the late requests that are due.
func (w *world) arrive() {
	var rest []parcel
	due := w.late
	w.late = nil
	for _, p := range due {
		if p.at.After(w.now) {
			rest = append(rest, p)
			continue
		}
		w.deliver(p)
	}
	w.late = append(rest, w.late...)
}
