package pass_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

const passType = "pass.com.example.card"

// rig is the passes of an HQ whose books are real, with a clock that stands still and
// wallets that note what they are given.
type rig struct {
	*pass.Service
	t         testing.TB
	hq        *books.HQ
	programme *programme.Programme
	apple     *apple
	phones    *phones
	look      *look
}

func newRig(t testing.TB) *rig { return newRigOn(t, blank.SQLite(t), pass.Settings{}) }

func newRigOn(t testing.TB, dsn string, settings pass.Settings) *rig {
	t.Helper()
	r := &rig{t: t, hq: books.On(t, dsn, 0), apple: &apple{}, phones: &phones{}, look: &look{version: 1}}
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{9}, 32))
	r.must(err)
	group := keys.GroupKey{Epoch: 1, Secret: bytes.Repeat([]byte{4}, 32), NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0)}
	r.programme = programme.New(programme.Env{
		Keeper: r.hq.DB, Journal: r.hq.Journal, Ledger: r.hq.Ledger, Clock: r.hq.Clock, Random: rand.Reader, NewID: newID, HQ: r.hq.ID,
		PassKey: signer, Groups: []keys.GroupKey{group},
	})
	r.Service = r.another(settings)
	return r
}

// another is one more process on the same database.
func (r *rig) another(settings pass.Settings) *pass.Service {
	return r.anotherOn(r.hq.DB, settings)
}

func (r *rig) anotherOn(db pass.Store, settings pass.Settings) *pass.Service {
	return r.inEpoch(1, db, settings)
}

// inEpoch is a process of a head office that was restored epoch−1 times.
func (r *rig) inEpoch(epoch uint32, db pass.Store, settings pass.Settings) *pass.Service {
	return pass.New(r.options(epoch, db, settings, nil))
}

func (r *rig) options(epoch uint32, db pass.Store, settings pass.Settings, further map[pass.Channel]pass.Wallet) pass.Options {
	return pass.Options{
		Store: db, Books: r.hq.DB, Programme: r.programme, Branding: r.look, Tiers: tier.New(r.hq.DB, r.programme, r.hq.Clock), Apple: r.apple, Google: r.apple, Push: r.phones, Clock: r.hq.Clock,
		NewID: newID, NewSecretID: uuid.New, Secret: bytes.Repeat([]byte{5}, 32), HQEpoch: epoch, Settings: settings, Wallets: further,
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) member(name string) programme.Member {
	r.t.Helper()
	return r.members(name)[0]
}

func (r *rig) members(names ...string) []programme.Member {
	r.t.Helper()
	var wanted []programme.NewMember
	for _, n := range names {
		wanted = append(wanted, programme.NewMember{Alias: n})
	}
	out, err := r.programme.AddMembers(context.Background(), uuid.Nil, "/x", wanted)
	r.must(err)
	return out
}

// give changes a member's points by hand.
func (r *rig) give(m programme.Member, points int64) {
	r.t.Helper()
	_, err := r.programme.Adjust(context.Background(), uuid.Nil, programme.Adjustment{
		Member: m.ID, Unit: "points", Amount: points, Reason: programme.ReasonGoodwill,
	})
	r.must(err)
}

// rounds runs until there is nothing to follow and nobody to tell.
func (r *rig) rounds() {
	r.t.Helper()
	for more := true; more; {
		followed, err := r.Round(context.Background())
		r.must(err)
		more = followed
		for _, ch := range []pass.Channel{pass.Apple, pass.Google} {
			pushed, err := r.PushRound(context.Background(), ch)
			r.must(err)
			more = more || pushed
		}
	}
}

// issue makes a member's pass.
func (r *rig) issue(m programme.Member, ch pass.Channel) pass.Pass {
	r.t.Helper()
	p, err := r.Issue(context.Background(), m.ID, ch)
	r.must(err)
	return p
}

// phone is a model of a phone with one pass.
type phone struct {
	r      *rig
	device string
	push   string
	caller pass.Caller
	have   time.Time // Last-Modified of what it has
	face   face.Face
	tag    string
	bodies int // how often it got a whole pass
}

// install downloads a pass by ticket and registers.
func (r *rig) install(p pass.Pass, device string) *phone {
	r.t.Helper()
	h := r.download(p, device)
	h.register(true)
	return h
}

func (r *rig) download(p pass.Pass, device string) *phone {
	r.t.Helper()
	ticket, err := r.Ticket(p)
	r.must(err)
	got, err := r.Download(context.Background(), ticket)
	r.must(err)
	if got.Bundle {
		r.t.Fatal("one pass came as a bundle")
	}
	h := &phone{r: r, device: device, push: fmt.Sprintf("%x", device), bodies: 1, have: got.Modified}
	h.take(got.Body)
	return h
}

func (h *phone) take(body []byte) {
	h.r.t.Helper()
	var c pass.Card
	h.r.must(json.Unmarshal(body, &c))
	h.face = c.Face
	h.caller = pass.Caller{PassType: passType, Serial: c.Serial, Token: c.Token}
}

func (h *phone) register(wantNew bool) {
	h.r.t.Helper()
	isNew, err := h.r.Register(context.Background(), h.caller, h.device, h.push)
	h.r.must(err)
	if isNew != wantNew {
		h.r.t.Errorf("registration new: %v, want %v", isNew, wantNew)
	}
}

// update does what a phone does when it was pushed: list, and fetch what changed. It
// returns how many passes it got whole.
func (h *phone) update() int {
	h.r.t.Helper()
	serials, tag, err := h.r.UpdatedSince(context.Background(), passType, h.device, h.tag)
	h.r.must(err)
	if len(serials) == 0 {
		return 0
	}
	h.tag = tag
	if !slices.Contains(serials, h.caller.Serial) {
		h.r.t.Fatalf("listed %v without %s", serials, h.caller.Serial)
	}
	got, err := h.r.Fetch(context.Background(), h.caller, h.have)
	h.r.must(err)
	if got.Same {
		return 0
	}
	if !got.Modified.After(h.have) {
		h.r.t.Errorf("a pass came with Last-Modified %s after %s", got.Modified, h.have)
	}
	h.have = got.Modified
	h.bodies++
	h.take(got.Body)
	return 1
}

func (h *phone) points() int64 {
	for _, b := range h.face.Balances {
		if b.Unit == "points" {
			return b.Amount
		}
	}
	return 0
}

// apple is a wallet whose passes are the cards as JSON.
type apple struct {
	mu     sync.Mutex
	signed int
	put    []pass.Card
	result pass.Result // of Put; the zero one is Done
}

func (*apple) PassType() string { return passType }

func (a *apple) Pass(c pass.Card) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signed++
	return json.Marshal(c)
}

func (*apple) Bundle(passes [][]byte) ([]byte, error) { return bytes.Join(passes, []byte("\n")), nil }

func (a *apple) Put(_ context.Context, c pass.Card) pass.Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.result.Outcome != 0 {
		return a.result
	}
	a.put = append(a.put, c)
	return pass.Result{Outcome: pass.Done}
}

func (*apple) Link(serial string, _ face.Kind) (string, error) {
	return "https://pay.example/" + serial, nil
}

// phones notes who is pushed.
type phones struct {
	mu      sync.Mutex
	pushed  map[string]int
	answers map[string]pass.Result // others are Done
	during  func(token string)     // called while a push is under way; may be nil
}

func (p *phones) Push(_ context.Context, token string) pass.Result {
	if p.during != nil {
		p.during(token)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pushed == nil {
		p.pushed = map[string]int{}
	}
	p.pushed[token]++
	if r, ok := p.answers[token]; ok {
		return r
	}
	return pass.Result{Outcome: pass.Done}
}

func (p *phones) count(token string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pushed[token]
}

type look struct {
	mu      sync.Mutex
	version uint64
}

func (l *look) Version(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version, nil
}

func (l *look) Current(ctx context.Context) (brand.Brand, error) {
	v, err := l.Version(ctx)
	return brand.Brand{Version: v, Programme: "Corner Shop"}, err
}

func (l *look) change() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
}

func wantCode(t testing.TB, err error, code problem.Code) {
	t.Helper()
	if problem.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
