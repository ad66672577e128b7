package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

var (
	ana       = till.Cashier{ID: uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c1"), Name: "Ana", Role: wire.RoleCashier}
	bo        = till.Cashier{ID: uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c2"), Name: "Bo", Role: wire.RoleManager}
	sessionID = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c3")
)

// fakeDesk has two cashiers whose PIN is 1234, and one session.
type fakeDesk struct {
	signedIn till.SignIn
	ended    uuid.UUID
	allowed  till.Caller
	approval till.NewApproval
	training bool
}

func (f *fakeDesk) Cashiers() (till.Roster, error) {
	return till.Roster{Cashiers: []till.Cashier{ana, bo}, SignIn: true, Idle: time.Minute}, nil
}

func (f *fakeDesk) Cashier(id uuid.UUID) till.Cashier {
	for _, c := range []till.Cashier{ana, bo} {
		if c.ID == id {
			return c
		}
	}
	return till.Cashier{ID: id}
}

func (f *fakeDesk) SignIn(_ context.Context, s till.SignIn) (till.Session, error) {
	f.signedIn = s
	if s.PIN != "1234" {
		return till.Session{}, &problem.Error{Code: problem.PINLocked, RetryAfter: 30}
	}
	return till.Session{ID: sessionID, Cashier: ana, Training: s.Training, Idle: time.Minute, EndsAt: moment}, nil
}

func (f *fakeDesk) SignOut(session uuid.UUID) { f.ended = session }

func (f *fakeDesk) Session(session uuid.UUID) (till.Session, error) {
	if session != sessionID {
		return till.Session{}, problem.New(problem.CashierSessionEnded, "")
	}
	return till.Session{ID: sessionID, Cashier: bo, Idle: time.Minute, EndsAt: moment}, nil
}

func (f *fakeDesk) Reward(id uuid.UUID) (loyalty.Reward, bool) {
	return loyalty.Reward{ID: id, Name: "Coffee", RegisterKey: "F7", CouponCode: "C-1"}, true
}

func (f *fakeDesk) Allow(c till.Caller) error {
	f.allowed = c
	return nil
}

func (f *fakeDesk) Approve(_ context.Context, n till.NewApproval) (till.Approval, error) {
	f.approval = n
	return till.Approval{ID: knownQuote, For: n.For, Manager: bo, ExpiresAt: moment}, nil
}

func TestSignInOfTillSoftware(t *testing.T) {
	r := newRig(t)
	got := r.do(request{method: http.MethodGet, path: "/v1/cashiers"})
	if got.status != 200 || !strings.Contains(string(got.body), `"name":"Ana"`) || !strings.Contains(string(got.body), `"role":"manager"`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got = r.do(request{path: "/v1/sign-in", body: `{"cashier":"` + ana.ID.String() + `","pin":"9999"}`})
	if got.code(t) != problem.PINLocked || got.header.Get("Retry-After") != "30" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got = r.do(request{path: "/v1/sign-in", body: `{"cashier":"` + ana.ID.String() + `","pin":"1234"}`})
	var session struct{ Session uuid.UUID }
	if err := json.Unmarshal(got.body, &session); err != nil || got.status != 201 || session.Session != sessionID {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got.header.Get("Set-Cookie") != "" {
		t.Error("till software was given a cookie")
	}
	as := map[string]string{"Tallystick-Session": sessionID.String()}
	if got = r.do(request{path: "/v1/scan", body: `{"code":"x"}`, header: as}); got.status != 200 || r.till.allowed != (till.Caller{Session: sessionID}) {
		t.Fatalf("%d %s: %+v", got.status, got.body, r.till.allowed)
	}
	if got = r.do(request{method: http.MethodGet, path: "/v1/session", header: as}); got.status != 200 || strings.Contains(string(got.body), sessionID.String()) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got = r.do(request{method: http.MethodGet, path: "/v1/session"}); got.code(t) != problem.CashierSessionEnded {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got = r.do(request{path: "/v1/sign-out", body: `{}`, header: as}); got.status != 204 || r.till.ended != sessionID {
		t.Fatalf("%d %s: %s", got.status, got.body, r.till.ended)
	}
	// A session that is none is never nobody's.
	for _, text := range []string{"x", uuid.Nil.String()} {
		got = r.do(request{path: "/v1/scan", body: `{"code":"x"}`, header: map[string]string{"Tallystick-Session": text}})
		if got.code(t) != problem.CashierSessionEnded {
			t.Fatalf("%q: %d %s", text, got.status, got.body)
		}
	}
}

// The caller and the approval reach every use case that needs them.
func TestCallerReachesTheTill(t *testing.T) {
	r := newRig(t)
	approval := uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c4")
	want := till.Caller{Session: sessionID, Approval: approval}
	as := map[string]string{"Tallystick-Session": sessionID.String()}
	post := func(path, body string) {
		t.Helper()
		if got := r.do(request{path: path, body: body, header: as}); got.status != 201 {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
	}
	with := `"approval":"` + approval.String() + `"`
	post("/v1/quotes", `{"currency":"EUR","total":5,`+with+`}`)
	if r.till.quoted.Caller != want {
		t.Errorf("quote: %+v", r.till.quoted.Caller)
	}
	post("/v1/sales", `{"request":{"currency":"EUR","total":5,`+with+`}}`)
	if r.till.commit.Caller != want {
		t.Errorf("sale: %+v", r.till.commit.Caller)
	}
	post("/v1/sales/"+knownSale.String()+"/void", `{`+with+`}`)
	if r.till.void.Caller != want {
		t.Errorf("void: %+v", r.till.void.Caller)
	}
	post("/v1/voids", `{"sale_key":"k",`+with+`}`)
	if r.till.void.Caller != want {
		t.Errorf("void by key: %+v", r.till.void.Caller)
	}
	post("/v1/returns", `{"sale":"`+knownSale.String()+`",`+with+`}`)
	if r.till.back.Caller != want {
		t.Errorf("return: %+v", r.till.back.Caller)
	}
}

func TestApprovals(t *testing.T) {
	r := newRig(t)
	got := r.do(request{path: "/v1/approvals", body: `{"manager":"` + bo.ID.String() + `","pin":"1234","for":"return","pos_receipt":"7","refund":5}`})
	want := till.NewApproval{Manager: bo.ID, PIN: "1234", For: till.OpReturn, SaleReceipt: "7", Refund: 5}
	if got.status != 201 || r.till.approval != want {
		t.Fatalf("%d %s: %+v", got.status, got.body, r.till.approval)
	}
	if got = r.do(request{path: "/v1/approvals", body: `{"manager":"` + bo.ID.String() + `","pin":"1234","for":"return","refund":-5}`}); got.code(t) != problem.AmountInvalid {
		t.Fatalf("%d %s", got.status, got.body)
	}
}

// What was taken off must be taken off at the register too.
func TestASaleSaysWhatToDoAtTheRegister(t *testing.T) {
	r := newRig(t)
	got := r.do(request{path: "/v1/sales", body: `{"request":{"currency":"EUR","total":5}}`})
	var sale shownSale
	if err := json.Unmarshal(got.body, &sale); err != nil || got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	want := []registerStep{{Reward: knownReward, Name: "Coffee", Amount: 100, Currency: "EUR", Key: "F7", Coupon: "C-1"}}
	if !slices.Equal(sale.Register, want) || sale.Training || r.woken != 1 {
		t.Errorf("%+v, %d", sale, r.woken)
	}
}

// Training wakes nobody, and is marked.
func TestTrainingIsMarked(t *testing.T) {
	r := newRig(t)
	r.till.training = true
	for path, body := range map[string]string{
		"/v1/sales": `{"request":{"currency":"EUR","total":5}}`, "/v1/quotes": `{"currency":"EUR","total":5}`,
		"/v1/sales/" + knownSale.String() + "/void": `{}`, "/v1/returns": `{"sale":"` + knownSale.String() + `"}`,
		"/v1/sign-in": `{"cashier":"` + ana.ID.String() + `","pin":"1234","training":true}`,
	} {
		got := r.do(request{path: path, body: body})
		if got.status != 201 || !strings.Contains(string(got.body), `"training":true`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if r.woken != 0 {
		t.Errorf("training woke the syncer %d times", r.woken)
	}
}

// shownSale and registerStep are what these tests read of a sale.
type shownSale struct {
	Training bool
	Register []registerStep
}

type registerStep struct {
	Reward                uuid.UUID
	Name                  string
	Amount                int64
	Currency, Key, Coupon string
}

// The page's cashier is a second cookie beside the page's own, and never its token.
func TestSignInOfThePage(t *testing.T) {
	r, _ := pageRig(t)
	page := map[string]string{"Cookie": r.session(), "Origin": r.base}
	resp, body := r.browse(http.MethodPost, "/v1/sign-in", `{"cashier":"`+ana.ID.String()+`","pin":"1234"}`, page)
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusCreated || len(cookies) != 1 || strings.Contains(body, sessionID.String()) {
		t.Fatalf("%d %v %s", resp.StatusCode, cookies, body)
	}
	c := cookies[0]
	if c.Value != sessionID.String() || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || !c.Expires.IsZero() || c.MaxAge != 0 {
		t.Errorf("cookie %+v", c)
	}
	page["Cookie"] += "; " + c.Name + "=" + c.Value
	resp, body = r.browse(http.MethodPost, "/v1/scan", `{"code":"x"}`, page)
	if want := (till.Caller{Page: true, Session: sessionID}); resp.StatusCode != http.StatusOK || r.till.allowed != want {
		t.Errorf("%d %s: %+v", resp.StatusCode, body, r.till.allowed)
	}
	resp, body = r.browse(http.MethodPost, "/v1/sign-out", `{}`, page)
	gone := resp.Cookies()
	if resp.StatusCode != http.StatusNoContent || r.till.ended != sessionID || len(gone) != 1 || gone[0].Name != c.Name || gone[0].MaxAge >= 0 {
		t.Errorf("%d %s %v", resp.StatusCode, body, gone)
	}
	// The cashier's cookie alone opens nothing, and till software is not the page.
	resp, body = r.browse(http.MethodPost, "/v1/scan", `{"code":"x"}`, map[string]string{"Cookie": c.Name + "=" + c.Value, "Origin": r.base})
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	got := r.do(request{path: "/v1/scan", body: `{"code":"x"}`, header: map[string]string{"Cookie": c.Name + "=" + c.Value}})
	if got.status != http.StatusOK || r.till.allowed != (till.Caller{}) {
		t.Errorf("%d %s: %+v", got.status, got.body, r.till.allowed)
	}
}
