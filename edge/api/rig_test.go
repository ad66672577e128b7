package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one goroutine for the Date header for the life of the process,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// and one of each stopped server sleeps out its last ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const testToken = "test-token-test-token-test-token-test-token"

var (
	knownSale   = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000b1")
	knownQuote  = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000b2")
	knownReward = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000b3")
	moment      = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
)

// fakeTill answers with fixed values and keeps what it was asked. It refuses with
// err when that is set.
type fakeTill struct {
	cardPage string // as HQ says
	fakeDesk
	err    error
	quoted till.Request
	commit till.Commit
	void   till.Void
	back   till.Return
	listed till.SaleQuery
	closed till.NewDayClose
	before uint64 // asked of closed days
	paper  uint64 // asked for
	more   bool   // there is another page
}

func (f *fakeTill) Identify(context.Context, string) (till.Scan, error) {
	return till.Scan{
		ID: knownQuote, ExpiresAt: moment, Freshness: entry.FreshnessRotating,
		Member: &till.Member{
			ID: knownSale, Alias: "Gabi", Holdings: []till.Holding{{Unit: "points", Free: 7, Held: 1, Pending: 2}},
			Rewards:  []till.RewardOffer{{Reward: loyalty.Reward{Name: "x"}, Refused: problem.New(problem.PointsInsufficient, "")}},
			Vouchers: []till.Voucher{{Voucher: loyalty.Voucher{Left: 1, ValidTo: moment.UnixMilli()}}},
		},
	}, f.err
}

func (f *fakeTill) Quote(_ context.Context, req till.Request) (till.Quote, error) {
	f.quoted = req
	return till.Quote{Training: f.training, ID: knownQuote, ExpiresAt: moment, Basket: req.Basket}, f.err
}

func (f *fakeTill) sale() till.Sale {
	return till.Sale{
		Training: f.training,
		Entry:    till.Entry{At: journal.Position{Seq: 3}, OccurredAt: moment, BusinessDate: 20260301},
		Body: entry.Sale{
			ID: knownSale, Total: entry.Money{Currency: "EUR", Minor: 900}, Receipt: f.commit.Receipt,
			Earned:   []entry.Earning{{Unit: "points", Amount: 9, VestsAt: moment.UnixMilli()}},
			Redeemed: []entry.Redemption{{Reward: knownReward, Unit: "points", Amount: 5, Basis: entry.BasisStandIn, Discount: 100}},
		},
	}
}

func (f *fakeTill) Commit(_ context.Context, c till.Commit) (till.Sale, error) {
	f.commit = c
	return f.sale(), f.err
}

func (f *fakeTill) Void(_ context.Context, v till.Void) (till.Voided, error) {
	f.void = v
	return till.Voided{Training: f.training, Entry: till.Entry{OccurredAt: moment}, Body: entry.Void{ID: knownQuote, Sale: knownSale}}, f.err
}

func (f *fakeTill) Return(_ context.Context, r till.Return) (till.Returned, error) {
	f.back = r
	out := till.Returned{
		Training: f.training,
		Entry:    till.Entry{At: journal.Position{Seq: 4}, OccurredAt: moment, BusinessDate: 20260301},
		Body:     entry.Return{ID: knownQuote, Refund: entry.Money{Currency: "EUR", Minor: 5}, Receipt: r.Receipt, SaleReceipt: r.SaleReceipt},
	}
	if r.Sale == knownSale {
		out.Body.Sale, out.Body.Matched = knownSale, true
		out.Body.Lines = []entry.ReturnLine{{No: 1, Quantity: 1000}}
		out.Left = f.found().Left
	}
	return out, f.err
}

// found is the known sale with one return.
func (f *fakeTill) found() till.Found {
	return till.Found{
		Sale: f.sale(), Left: &till.Left{Refund: 300, Lines: []till.LeftLine{{No: 2, SKU: "x", Quantity: 1, Amount: 2}}},
		Returned: &till.BroughtBack{
			Returns: []uuid.UUID{knownQuote}, Lines: []entry.ReturnLine{{No: 1, Quantity: 1000, Amount: 5}}, Refund: 5,
		},
	}
}

func (f *fakeTill) Sale(context.Context, uuid.UUID) (till.Found, error) {
	return till.Found{Sale: f.sale(), Void: &till.Voided{Body: entry.Void{ID: knownQuote}}}, f.err
}

func (f *fakeTill) Sales(_ context.Context, q till.SaleQuery) ([]till.Found, bool, error) {
	f.listed = q
	return []till.Found{f.found()}, f.more, f.err
}

// close is the known day, closed.
func (f *fakeTill) close() till.ClosedDay {
	return till.ClosedDay{
		Entry: till.Entry{At: journal.Position{Seq: 9}, OccurredAt: moment, BusinessDate: 20260301},
		Body: entry.DayClose{
			Date: 20260301, First: 2, Last: 8, Head: make([]byte, 32), Reason: entry.DayCloseByHand, Cashier: f.closed.Cashier,
			Kinds:    []entry.DayKind{{Kind: entry.KindSale, Count: 3}, {Kind: entry.KindNote, Count: 1}},
			Money:    []entry.DayMoney{{Kind: entry.KindSale, Currency: "EUR", Count: 3, Total: 900, Discount: 100}, {Kind: entry.KindReturn, Currency: "EUR", Count: 1, Total: 5, Unmatched: 1}},
			Amounts:  []entry.DayAmount{{Kind: entry.KindSale, Flow: entry.DayEarned, Unit: "points", Count: 3, Amount: 9}, {Kind: entry.KindVoid, Flow: entry.DayRedeemed, Basis: entry.BasisStandIn, Count: 1, Amount: 1, Discount: 100}},
			Cashiers: []entry.DayCashier{{Cashier: "7", Currency: "EUR", Sales: 3, Taken: 800}, {Currency: "EUR", Returns: 1, Refunded: 5, Others: true}},
			Claims:   1, Held: 1, Waiting: 7, Holds: []entry.DayHold{{Quote: knownQuote, Member: knownSale, Unit: "points", Amount: 5}},
		},
	}
}

func (f *fakeTill) Day(context.Context) (till.Day, error) {
	return till.Day{Body: f.close().Body, Today: 20260301, Ends: moment}, f.err
}

func (f *fakeTill) CloseDay(_ context.Context, c till.NewDayClose) (till.ClosedDay, error) {
	f.closed = c
	return f.close(), f.err
}

func (f *fakeTill) ClosedDays(_ context.Context, before uint64, _ int) ([]till.ClosedDay, bool, error) {
	f.before = before
	return []till.ClosedDay{f.close()}, f.more, f.err
}

func (f *fakeTill) ClosedDay(_ context.Context, date entry.Date) (till.ClosedDay, error) {
	f.closed.Date = date
	return f.close(), f.err
}

func (f *fakeTill) SaleByKey(_ context.Context, key string) (till.Found, error) {
	if key == "lost" {
		return till.Found{}, problem.New(problem.SaleUnknown, "")
	}
	return f.found(), f.err
}

func (f *fakeTill) Status(context.Context) (till.Status, error) {
	return till.Status{
		Now: moment, Oldest: moment.Add(-time.Minute), CacheAge: -1, CapPoints: 10, SpentPoints: 4, Unit: "points", Currency: "EUR", Applied: 2,
		Caps:     []loyalty.Cap{{Name: loyalty.NameShare, Limit: 10, Used: 4}, {Name: loyalty.NameVouchersShare, Uses: true, Limit: 3, Used: 5}},
		Rights:   till.RightsHeld{Count: 2, Points: 70, Uses: 1},
		Exposure: till.Exposure{Points: 10, Uses: 3, Clones: 1, ClonePoints: 80, CloneUses: 4},
		Drift:    till.Drift{Heard: true, WallOff: time.Second, PPM: 2.5, Over: time.Hour, Jumps: 1, LastJump: -time.Minute},
		Witness:  till.Witness{Seq: 5, Contradicted: true, Finding: entry.WitnessRollback, BranchSeq: 9},

		ReceiptNeeded: true, CardPage: f.cardPage,
	}, nil
}

// rig is a served API on a real socket. Every answer is checked against the document.
type rig struct {
	t      testing.TB
	till   *fakeTill
	server *api.Server
	base   string
	client *http.Client
	router routers.Router
	woken  int
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigWith(t, func(*api.Config) {})
}

func newRigWith(t testing.TB, change func(*api.Config)) *rig {
	t.Helper()
	r := &rig{t: t, till: &fakeTill{}, client: &http.Client{Transport: &http.Transport{}}}
	cfg := api.Config{
		Till: r.till, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Token: testToken, Software: "test",
		Link:     func() api.Link { return api.Link{Sync: api.Offline, Code: "unavailable"} },
		Names:    func() api.Names { return api.Names{Terminal: "Lane 1", Store: "High Street"} },
		FreeDisk: func() (int64, error) { return 1 << 30, nil }, Committed: func() { r.woken++ },
	}
	change(&cfg)
	r.server = api.New(cfg)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.base = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(listener) }()
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.server.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	r.router = documentRouter(t, r.base)
	return r
}

func documentRouter(t testing.TB, base string) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: base}}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// request is a call; zero fields take what a well-behaved caller sends.
type request struct {
	method, path, body string
	header             map[string]string // "" removes a header
	host               string
}

type response struct {
	status int
	header http.Header
	body   []byte
}

func (r *rig) do(q request) response {
	r.t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(context.Background(), q.method, r.base+q.path, strings.NewReader(q.body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = q.host
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Idempotency-Key", "key-1")
	if q.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	out := response{resp.StatusCode, resp.Header, body}
	r.validate(req, out)
	return out
}

// validate holds an answer against the document; addresses the document does not
// have must answer with a problem.
func (r *rig) validate(req *http.Request, got response) {
	r.t.Helper()
	route, params, err := r.router.FindRoute(&http.Request{Method: req.Method, URL: &url.URL{
		Scheme: req.URL.Scheme, Host: req.URL.Host, Path: req.URL.Path, RawQuery: req.URL.RawQuery,
	}})
	if err != nil {
		if got.header.Get("Content-Type") != "application/problem+json" {
			r.t.Fatalf("%s %s is not in the document and answers %s", req.Method, req.URL.Path, got.body)
		}
		return
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route, PathParams: params},
		Status:                 got.status, Header: got.header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(got.body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		r.t.Fatalf("%s %s answers %d %s\nagainst the document: %v", req.Method, req.URL.Path, got.status, got.body, err)
	}
}

// code is the problem's code, or empty for an answer that is none.
func (r response) code(t testing.TB) problem.Code {
	t.Helper()
	if r.header.Get("Content-Type") != "application/problem+json" {
		return ""
	}
	var body problem.Body
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
	if body.Say == "" {
		t.Fatalf("%s has nothing a cashier can act on", body.Code)
	}
	return body.Code
}

func (f *fakeTill) Paper(_ context.Context, seq uint64) (till.Paper, error) {
	f.paper = seq
	found := f.found()
	return till.Paper{Entry: found.Sale.Entry, Terminal: "Lane 1", Store: "High Street", Zone: time.UTC, Sale: &found}, f.err
}

func (f *fakeTill) ReadReceipt(context.Context, string) (till.ReadReceipt, error) {
	found := f.found()
	return till.ReadReceipt{Reference: wire.Reference{Terminal: knownQuote, Epoch: 2, Seq: 3, Sale: knownSale}, Matched: true, Found: &found}, f.err
}
