package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/api"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/expiry"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
)

const (
	adminName     = "admin"
	adminPassword = "correct horse battery"
)

// rig is a real HQ on SQLite in a temporary directory, behind a real port, with a
// clock that stands still.
type rig struct {
	t        testing.TB
	clock    *clock.Fake
	dsn      string
	hq       uuid.UUID
	sign     [2]keys.Signer // statement, pass
	tokenKey ed25519.PrivateKey
	secret   []byte

	db     *store.DB
	cases  *casework.Service
	ledger *ledger.Ledger
	people *people.Directory
	server *api.Server

	outbox     *mail.Outbox
	wallets    wallets
	passes     *pass.Service
	books      *posbooks.Service
	settlement *settlement.Service
	ending     []expiry.Certificate
	accounts   *account.Accounts
	cashiers   *cashier.Cashiers
	journal    *hqjournal.Journal
	rights     *allowance.Service
	watch      *console.Watch

	base  string
	token string
	spec  routers.Router
	close func()

	requestTime time.Duration
	proxies     api.Proxies
}

// routes reads the document that answers are held to. It is read once: it is long.
var routes = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigOn(t, blank.SQLite(t))
}

func newRigOn(t testing.TB, dsn string) *rig {
	t.Helper()
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	r := &rig{
		t: t, clock: clock.NewFake(now), hq: uuid.New(), secret: bytes.Repeat([]byte{7}, 32),
		dsn:      dsn,
		tokenKey: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32)),
	}
	for i, use := range []keys.Use{keys.UseStatement, keys.UsePass} {
		record := keys.Public{ID: 1, Use: use, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0)}
		signer, err := keys.NewSigner(record, bytes.Repeat([]byte{byte(i + 1)}, 32))
		r.must(err)
		r.sign[i] = signer
	}
	var err error
	r.spec, err = routes()
	r.must(err)
	r.start()
	t.Cleanup(func() { r.close() })
	_, err = r.people.Add(t.Context(), adminName, people.Administrator, adminPassword)
	r.must(err)
	r.token = r.signIn(adminName, adminPassword)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// start opens the database and serves; restart is close and start. Each step fills in more
// of what the server is made of, from what those before it made.
func (r *rig) start() {
	r.t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, r.dsn, store.Options{})
	r.must(err)
	r.must(db.Migrate(ctx))
	r.db = db
	o := api.Options{
		Clock: r.clock, HQ: r.hq, HQEpoch: 1, Keys: keys.Set{Version: 1, Keys: []keys.Public{r.sign[0].Public, r.sign[1].Public}}, Statement: r.sign[0],
		Found: db, Applied: db.AppliedSeq, Ping: db.Ping, Lost: store.Lost, Google: googleStub{},
		Version: "test", RequestTime: r.requestTime, Proxies: r.proxies,
	}
	r.addCore(ctx, &o)
	r.addPeople(&o)
	r.addCards(&o)
	r.addBooks(&o)
	r.addDesk(&o)
	r.server = api.New(o)
	r.serve()
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// addCore adds what sales go through.
func (r *rig) addCore(ctx context.Context, o *api.Options) {
	r.t.Helper()
	f := feed.New(r.db, r.hq, 1)
	r.journal = hqjournal.New(r.db, f, r.clock, r.hq, 1, r.sign[0])
	r.ledger = ledger.New(ledger.Options{
		Store: r.db, Journal: r.journal, Feed: f, Rules: programme.PublishedRules{Keeper: r.db}, Clock: r.clock, HQ: r.hq,
	})
	lanes := fleet.New(fleet.Env{
		Keeper: r.db, Journal: r.journal, Clock: r.clock, Random: rand.Reader, NewID: newID, HQ: r.hq, Keys: o.Keys, NonceKey: r.secret,
		Bound: func(ctx context.Context, terminal uuid.UUID) ([]entry.LostBound, error) {
			return r.rights.Bound(ctx, terminal)
		},
	})
	group := keys.GroupKey{Epoch: 1, Secret: r.secret, NotBefore: r.sign[0].Public.NotBefore, NotAfter: r.sign[0].Public.NotAfter}
	prog := programme.New(programme.Env{
		Keeper: r.db, Journal: r.journal, Ledger: r.ledger, Clock: r.clock, Random: rand.Reader, NewID: newID,
		HQ: r.hq, PassKey: r.sign[1], Groups: []keys.GroupKey{group},
	})
	r.cashiers = cashier.NewCashiers(cashier.Env{
		Keeper: r.db, Journal: r.journal, Policies: prog, Clock: r.clock, Random: rand.Reader, NewID: newID,
		Stores: func(ctx context.Context, id uuid.UUID) error { _, err := lanes.Store(ctx, id); return err },
	})
	r.ledger.SetWatch(r.cashiers)
	r.must(prog.PublishKeys(ctx, o.Keys))
	in := ingest.New(ingest.Options{Store: r.db, Fleet: lanes, Journal: r.journal, HQ: r.hq, HQEpoch: 1, Signer: r.sign[0]})
	r.accounts = account.New(account.Env{
		Store: r.db, Ledger: r.ledger, Journal: r.journal, Units: prog, Clock: r.clock, NewID: newID,
	})
	r.rights = allowance.New(allowance.Options{
		Store: r.db, Ledger: r.ledger, Journal: r.journal, Feed: f, Policies: prog, Clock: r.clock, NewID: newID, HQ: r.hq, HQEpoch: 1, Signer: r.sign[0], Keys: o.Keys,
	})
	o.Shop = webshop.New(webshop.Env{
		Store: r.db, Fleet: lanes, Programme: prog, Ledger: r.ledger, Ingest: in, Clock: r.clock, NewID: newID, HQ: r.hq,
		Keys: o.Keys, Secret: r.secret, Version: "test",
	})
	o.Feed, o.Ledger, o.Fleet, o.Programme, o.Cashiers, o.Ingest, o.Accounts, o.Rights = f, r.ledger, lanes, prog, r.cashiers, in, r.accounts, r.rights
}

// addPeople adds who signs in.
func (r *rig) addPeople(o *api.Options) {
	r.t.Helper()
	var err error
	r.people, err = people.New(people.Env{
		Store: r.db, Clock: r.clock, Random: rand.Reader, NewID: newID, Issuer: r.hq.String(), TokenKey: r.tokenKey,
	})
	r.must(err)
	o.People = r.people
	o.Answers, err = people.NewAnswers(r.db, r.clock, rand.Reader, r.secret)
	r.must(err)
}

// addCards adds what shoppers see.
func (r *rig) addCards(o *api.Options) {
	o.Claims = claim.New(claim.Options{Store: r.db, Ledger: r.ledger, Policies: o.Programme, Clock: r.clock})
	r.outbox = mail.New(mail.Options{Store: r.db, Clock: r.clock, NewID: newID})
	o.Tiers = tier.New(r.db, o.Programme, r.clock)
	o.Cards = card.New(card.Env{
		Store: r.db, Programme: o.Programme, Ledger: r.ledger, Accounts: r.accounts, Stores: o.Fleet, Claims: o.Claims, Mails: r.outbox, Clock: r.clock,
		Random: rand.Reader, NewID: newID, Secret: r.secret, Name: "Corner Shop", Address: "https://hq.example/card", Wallets: &r.wallets, Tiers: o.Tiers,
	})
	r.passes = pass.New(pass.Options{
		Store: r.db, Books: r.db, Programme: o.Programme, Branding: &builtIn{}, Tiers: o.Tiers, Apple: appleJSON{}, Clock: r.clock, NewID: newID, NewSecretID: uuid.New, Secret: r.secret, HQEpoch: 1,
	})
	o.Branding = branding.New(branding.Env{Store: r.db, Clock: r.clock, Programme: "Corner Shop"})
	o.Expiry = expiry.New(expiry.Options{Certificates: r.ending, Clock: r.clock})
	o.Mails, o.Passes = r.outbox, r.passes
}

// addBooks adds what finance proves and settles by.
func (r *rig) addBooks(o *api.Options) {
	o.StoreDays = storeday.New(storeday.Env{
		Store: r.db, Fleet: o.Fleet, Journal: r.journal, Clock: r.clock, HQ: r.hq, HQEpoch: 1, Signer: r.sign[0], Virtual: webshop.IsLane,
	})
	r.settlement = settlement.New(settlement.Env{Store: r.db, Journal: r.journal, Clock: r.clock, NewID: newID, Places: settlement.PlacesOf(o.Fleet)})
	r.books = posbooks.New(posbooks.Env{
		Store: r.db, Fleet: o.Fleet, Clock: r.clock, NewID: newID, Virtual: webshop.IsLane,
		Ends: func(context.Context, uuid.UUID) (time.Duration, error) { return 0, nil },
	})
	o.Liability = liability.New(liability.Env{Store: r.db, Journal: r.journal, Clock: r.clock})
	o.Settlement, o.Books = r.settlement, r.books
}

// addDesk adds what the console looks at and works on.
func (r *rig) addDesk(o *api.Options) {
	r.cases = casework.New(casework.Env{Store: r.db, Journal: r.journal, Ledger: r.ledger, People: r.db, Clock: r.clock, NewID: newID})
	r.watch = console.NewWatch(r.db, func(err error) { r.t.Error(err) })
	o.Proofs = console.NewProver(r.db, r.db, console.Office{HQ: r.hq, Keys: o.Keys})
	o.Evidence = evidence.New(r.db, o.Proofs)
	o.Lists = console.NewReader(r.db, r.clock, fleet.OnlineWithin, r.hq)
	o.Desk = console.NewDesk(r.db, r.clock, fleet.OnlineWithin)
	o.Cases, o.Watch = r.cases, r.watch
}

// serve takes requests until it is closed, which closes the database too.
func (r *rig) serve() {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	r.base = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(listener) }()
	r.close = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(r.server.Shutdown(ctx), <-served, r.db.Close()); err != nil {
			r.t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
}

// call is one request. Body is sent as it is; Key is the idempotency key, made up
// for a write when empty and left out when "-".
type call struct {
	method, path, body string
	key                string
	header             map[string]string
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t testing.TB, out any) {
	t.Helper()
	if err := json.Unmarshal(a.body, out); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (a answer) code() problem.Code {
	var body problem.Body
	_ = json.Unmarshal(a.body, &body)
	return body.Code
}

// do sends a call and holds the answer to the OpenAPI document.
func (r *rig) do(c call) answer {
	r.t.Helper()
	req, err := http.NewRequest(c.method, r.base+c.path, strings.NewReader(c.body))
	r.must(err)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if c.method != http.MethodGet && c.key == "" {
		c.key = uuid.NewString()
	}
	if c.key != "" && c.key != "-" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	r.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	r.must(err)
	a := answer{resp.StatusCode, resp.Header, raw}
	r.conforms(req, a)
	return a
}

// conforms holds an answer to the document: of its operation, or, where there is
// none, a problem.
func (r *rig) conforms(req *http.Request, a answer) {
	r.t.Helper()
	if !strings.HasPrefix(req.URL.Path, "/api/v1/") || req.URL.Path == "/api/v1/openapi.json" {
		return
	}
	trimmed := req.Clone(context.Background())
	trimmed.URL.Scheme, trimmed.URL.Host = "", "" // the document's server is a path
	route, params, err := r.spec.FindRoute(trimmed)
	if err != nil {
		if a.header.Get("Content-Type") != problem.ContentType {
			r.t.Errorf("%s %s: no operation, and no problem either: %s", req.Method, req.URL.Path, a.body)
		}
		return
	}
	in := &openapi3filter.RequestValidationInput{Request: trimmed, PathParams: params, Route: route}
	out := (&openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}).SetBodyBytes(a.body)
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		r.t.Errorf("%s %s: answer %d is not as documented: %v", req.Method, req.URL.Path, a.status, err)
	}
}

func init() {
	asText := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		raw, err := io.ReadAll(body)
		return string(raw), err
	}
	openapi3filter.RegisterBodyDecoder("image/png", asText)
	openapi3filter.RegisterBodyDecoder("application/vnd.apple.pkpass", asText)
	openapi3filter.RegisterBodyDecoder("application/pdf", asText)
	openapi3filter.RegisterBodyDecoder("image/svg+xml", asText)
}

func (r *rig) signIn(name, password string) string {
	r.t.Helper()
	a := r.do(call{method: "POST", path: "/api/v1/sessions", key: "-", body: jsonOf(map[string]string{"name": name, "password": password})})
	if a.status != http.StatusCreated {
		r.t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	var session struct{ Token string }
	a.into(r.t, &session)
	return session.Token
}

func jsonOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// made posts and returns the id of what was made.
func (r *rig) made(path, body string) string {
	r.t.Helper()
	a := r.do(call{method: "POST", path: path, body: body})
	if a.status != http.StatusCreated {
		r.t.Fatalf("POST %s: %d %s", path, a.status, a.body)
	}
	var out struct{ ID string }
	a.into(r.t, &out)
	return out.ID
}

const (
	storeBody  = `{"code":"s1","name":"Store One","time_zone":"Europe/Berlin","currency":"EUR"}`
	rewardBody = `{"name":"5 off","unit":"points","cost":100,"discount":500,"currency":"EUR","active":true}`
	policyBody = `{"unit":"points","per_sale":100,"per_member_day":200,"per_terminal_since_sync":1000,` +
		`"vouchers_per_sale":1,"vouchers_per_terminal_since_sync":10,"max_cache_age_seconds":3600}`
)
