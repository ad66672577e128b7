package googlewallet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/server/googlewallet"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/google"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// rig is the passes of an HQ whose books are real, before a Google that is strict.
type rig struct {
	t         *testing.T
	hq        *books.HQ
	double    *googledouble.Double
	programme *programme.Programme
	signer    keys.Signer
	groups    []keys.GroupKey
	issuer    google.Issuer
	wallet    *googlewallet.Wallet
	passes    *pass.Service
	look      brand.Brand
	epoch     uint32
	store     googlewallet.Store
}

// start begins the first epoch of freshness; the second one overlaps it by ten days.
var start = books.Start

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigOn(t, blank.SQLite(t))
}

func newRigOn(t *testing.T, dsn string) *rig {
	t.Helper()
	r := &rig{t: t, hq: books.On(t, dsn, 0), look: brand.Default("Club"), epoch: 1}
	r.issuer = google.Issuer{ID: "3388", Programme: r.hq.ID, Site: "https://hq.example"}
	r.look.Version = 1
	discovery, err := googledouble.LoadDiscovery(t.Context())
	if err != nil {
		t.Log("SKIPPED ALOUD: bodies are not checked by Google's discovery document:", err)
	}
	r.double, err = googledouble.Start(googledouble.Options{Issuer: r.issuer.ID, Now: r.hq.Clock.Now, Discovery: discovery})
	r.must(err)
	t.Cleanup(r.double.Close)
	r.signer, err = keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{9}, 32))
	r.must(err)
	r.groups = []keys.GroupKey{
		{Epoch: 1, Secret: bytes.Repeat([]byte{4}, 32), NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(0, 0, 20)},
		{Epoch: 2, Secret: bytes.Repeat([]byte{5}, 32), NotBefore: start.AddDate(0, 0, 10), NotAfter: start.AddDate(2, 0, 0)},
	}
	r.programme = programme.New(programme.Env{
		Keeper: r.hq.DB, Journal: r.hq.Journal, Ledger: r.hq.Ledger, Clock: r.hq.Clock, Random: rand.Reader, NewID: newID, HQ: r.hq.ID,
		PassKey: r.signer, Groups: r.groups,
	})
	r.store = r.hq.DB
	r.restart()
	return r
}

// between is storage where something happens just before an object is written.
type between struct {
	googlewallet.Store
	before func()
}

func (b *between) PutGoogleObject(ctx context.Context, o googlewallet.Object) error {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	return b.Store.PutGoogleObject(ctx, o)
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// restart is a new process on the same database.
func (r *rig) restart() {
	r.t.Helper()
	raw, err := r.double.Account()
	r.must(err)
	account, err := google.ReadAccount(raw)
	r.must(err)
	var wallet *googlewallet.Wallet
	client := google.NewClient(google.ClientOptions{
		Account: account, API: r.double.URL(), HTTP: r.double.Client(), Now: r.hq.Clock.Now,
		Sleep:   func(ctx context.Context, d time.Duration) error { r.hq.Clock.Advance(d); return ctx.Err() },
		Observe: func(method string, status int) { wallet.Observe(method, status) },
	})
	wallet = googlewallet.New(googlewallet.Options{
		Store: r.store, Client: client, Roots: google.NewRootKeys(r.double.RootKeysURL(), r.double.Client(), r.hq.Clock.Now),
		Account: account, Issuer: r.issuer, HQEpoch: r.epoch, Clock: r.hq.Clock, Jitter: func() float64 { return 1 },
	})
	r.wallet = wallet
	r.passes = pass.New(pass.Options{
		Store: r.hq.DB, Books: r.hq.DB, Programme: r.programme, Branding: r, Tiers: tier.New(r.hq.DB, r.programme, r.hq.Clock), Google: wallet, Clock: r.hq.Clock,
		NewID: newID, NewSecretID: uuid.New, Secret: bytes.Repeat([]byte{5}, 32), HQEpoch: 1,
	})
	wallet.SetPasses(r.passes)
}

// Version and Current are the look.
func (r *rig) Version(context.Context) (uint64, error)      { return r.look.Version, nil }
func (r *rig) Current(context.Context) (brand.Brand, error) { return r.look, nil }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) want(err error, code problem.Code) {
	r.t.Helper()
	if err == nil || problem.CodeOf(err) != code {
		r.t.Errorf("%v, want %s", err, code)
	}
}

// join makes a member with a card on a phone.
func (r *rig) join(name string) (programme.Member, *googledouble.Phone) {
	r.t.Helper()
	m, err := r.programme.AddMembers(r.t.Context(), uuid.Nil, "/x", []programme.NewMember{{Alias: name}})
	r.must(err)
	r.rounds()
	link, err := r.passes.GoogleLink(r.t.Context(), m[0].ID)
	r.must(err)
	phone, err := r.double.Save(link)
	r.must(err)
	r.rounds()
	return m[0], phone
}

// give changes a member's points by hand.
func (r *rig) give(m programme.Member, points int64) {
	r.t.Helper()
	_, err := r.programme.Adjust(r.t.Context(), uuid.Nil, programme.Adjustment{Member: m.ID, Unit: "points", Amount: points, Reason: programme.ReasonGoodwill})
	r.must(err)
}

// voucher gives a member a voucher of a new reward.
func (r *rig) voucher(m programme.Member) programme.Voucher {
	r.t.Helper()
	reward, err := r.programme.AddReward(r.t.Context(), uuid.Nil, loyalty.Reward{Name: "Coffee", Unit: "points", Cost: 100, Discount: 250, Currency: "EUR", Active: true})
	r.must(err)
	v, err := r.programme.IssueVoucher(r.t.Context(), uuid.Nil, programme.Voucher{Member: m.ID, Reward: uuid.UUID(reward.ID), Uses: 1})
	r.must(err)
	return v
}

// rounds runs all there is to do until nothing is.
func (r *rig) rounds() {
	r.t.Helper()
	r.must(r.wallet.Round(r.t.Context()))
	for more := true; more; {
		followed, err := r.passes.Round(r.t.Context())
		r.must(err)
		pushed, err := r.passes.PushRound(r.t.Context(), pass.Google)
		r.must(err)
		more = followed || pushed
	}
	r.must(r.passes.Flush(r.t.Context()))
}

// later lets time go by, with rounds.
func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.hq.Clock.Advance(d)
	r.rounds()
}

// asked are the requests since the last call, as "METHOD path".
func (r *rig) asked() func() []googledouble.Request {
	from := len(r.double.Requests())
	return func() []googledouble.Request {
		all := r.double.Requests()
		out := all[from:]
		from = len(all)
		return out
	}
}

func (r *rig) object(phone *googledouble.Phone) google.Object {
	r.t.Helper()
	var o google.Object
	r.must(json.Unmarshal(r.double.Stored("loyaltyObject", phone.Object()), &o))
	return o
}

// verify holds what a phone shows against what a till would say.
func (r *rig) verify(phone *googledouble.Phone) error {
	r.t.Helper()
	code, err := phone.Show(r.hq.Clock.Now())
	r.must(err)
	got, err := passtoken.Verifier{}.Verify(code, r.hq.Clock.Now(), 0, keys.Set{Version: 1, Keys: []keys.Public{r.signer.Public}}, r.groups)
	if err == nil && got.Freshness != passtoken.FreshnessRotating {
		r.t.Errorf("the phone shows a %s code", got.Freshness)
	}
	return err
}
