package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

func TestCashiersOfAStore(t *testing.T) {
	r := newRig(t)
	one, other := r.enrolledLane("one", 21), r.enrolledLane("two", 22)
	path := "/api/v1/stores/" + one.store.String() + "/cashiers"
	body := `{"name":"Ana","role":"cashier","pin":"4711"}`
	made := r.do(call{method: "POST", path: path, body: body, key: "k1"})
	var ana struct{ ID, Store uuid.UUID }
	made.into(t, &ana)
	if made.status != http.StatusCreated || bytes.Contains(made.body, []byte("4711")) || ana.Store != one.store {
		t.Fatalf("%d %s", made.status, made.body)
	}
	if again := r.do(call{method: "POST", path: path, body: body, key: "k1"}); !bytes.Equal(again.body, made.body) {
		t.Errorf("sent again: %s", again.body)
	}
	if a := r.do(call{method: "POST", path: path, body: strings.Replace(body, "4711", "4712", 1), key: "k1"}); a.code() != problem.IdempotencyReused {
		t.Errorf("another PIN under the same key: %d %s", a.status, a.body)
	}
	r.made(path, `{"name":"Bo","role":"manager","pin":"12345678"}`)
	var list struct {
		Items []struct{ Name, Role string }
		Next  string
	}
	r.do(call{method: "GET", path: path + "?limit=1"}).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].Name != "Ana" || list.Next == "" {
		t.Fatalf("first page %+v", list)
	}
	r.do(call{method: "GET", path: path + "?limit=1&cursor=" + list.Next}).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].Role != "manager" {
		t.Errorf("second page %+v", list)
	}
	at := path + "/" + ana.ID.String()
	if a := r.do(call{method: "PATCH", path: at, body: `{"role":"manager","active":false,"pin":"0000"}`}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"active":false`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: at}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"role":"manager"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	for name, c := range map[string]call{
		"PIN of letters":        {method: "POST", path: path, body: `{"name":"C","role":"cashier","pin":"abcd"}`},
		"PIN too short":         {method: "PATCH", path: at, body: `{"pin":"123"}`},
		"unknown role":          {method: "PATCH", path: at, body: `{"role":"owner"}`},
		"name with line breaks": {method: "PATCH", path: at, body: `{"name":"a\nb"}`},
	} {
		if a := r.do(c); a.code() != problem.InvalidField {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := r.do(call{method: "GET", path: "/api/v1/stores/" + other.store.String() + "/cashiers/" + ana.ID.String()}); a.code() != problem.NotFound {
		t.Errorf("at another store: %d %s", a.status, a.body)
	}
	r.as(people.Support, func() {
		if a := r.do(call{method: "POST", path: path, body: body}); a.code() != problem.Forbidden {
			t.Errorf("support adds a cashier: %d %s", a.status, a.body)
		}
	})
	for l, want := range map[*lane]int{one: 2, other: 0} {
		if got := l.toldOf(wire.ItemCashier); got != want {
			t.Errorf("terminal of store %s is told of %d cashiers", l.store, got)
		}
	}
}

// toldOf counts items of a kind in the first page of the feed.
func (l *lane) toldOf(kind wire.ItemKind) (n int) {
	l.r.t.Helper()
	l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil) // for HQ's nonce
	a := l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil)
	page, err := wire.Open[wire.FeedPage](a.body, wire.DomainFeed, l.statement(), l.r.clock.Now())
	if err != nil {
		l.r.t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	for _, it := range page.Items {
		if it.Kind == kind {
			n++
		}
	}
	return n
}

func TestTillRulesOfAStore(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	path := "/api/v1/stores/" + store + "/till-rules"
	if a := r.do(call{method: "GET", path: path}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"version":0`) || !strings.Contains(string(a.body), `"day_ends_at":"00:00"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	a := r.do(call{method: "PUT", path: path, body: `{"sign_in":true,"idle_seconds":120,"void_over":5000,"return_over":0,"receipt_required":true,"day_ends_at":"-02:30"}`})
	for _, want := range []string{`"sign_in":true`, `"idle_seconds":120`, `"void_over":5000`, `"return_over":0`, `"receipt_required":true`, `"day_ends_at":"-02:30"`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%d %s has no %s", a.status, a.body, want)
		}
	}
	// What is missing is off.
	if a := r.do(call{method: "PUT", path: path, body: `{}`}); strings.Contains(string(a.body), "void_over") || !strings.Contains(string(a.body), `"sign_in":false`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, body := range []string{`{"idle_seconds":1}`, `{"void_over":-1}`, `{"day_ends_at":"12:01"}`, `{"day_ends_at":"4:00"}`, `{"day_ends_at":"--04:00"}`} {
		if a := r.do(call{method: "PUT", path: path, body: body}); a.code() != problem.InvalidField {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := r.do(call{method: "PUT", path: "/api/v1/stores/" + uuid.NewString() + "/till-rules", body: `{}`}); a.code() != problem.NotFound {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// What a cashier needs who can read no code, and has a register that knows nothing of us.
func TestCardNumbersAndRegisterKeys(t *testing.T) {
	r := newRig(t)
	member := r.made("/api/v1/members", `{"alias":"Ann"}`)
	number := passtoken.CardNumberOf(uuid.MustParse(member)).String()
	for _, path := range []string{"/api/v1/members/" + member, "/api/v1/members/" + member + "/pass"} {
		if a := r.do(call{method: "GET", path: path}); !strings.Contains(string(a.body), `"card_number":"`+number+`"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	reward := r.made("/api/v1/rewards", `{"name":"5 off","unit":"points","cost":0,"discount":500,"currency":"EUR","active":true,"register_key":"F7"}`)
	a := r.do(call{method: "PATCH", path: "/api/v1/rewards/" + reward, body: `{"coupon_code":" C-5 "}`})
	if !strings.Contains(string(a.body), `"register_key":"F7"`) || !strings.Contains(string(a.body), `"coupon_code":"C-5"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := r.do(call{method: "PATCH", path: "/api/v1/rewards/" + reward, body: `{"register_key":"` + strings.Repeat("x", 41) + `"}`}); a.code() != problem.InvalidField {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// The entry has ids only; who looks at it at HQ is told the names.
func TestAnEntryTellsWhoDidItAndWhoApproved(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 31)
	ana := r.made("/api/v1/stores/"+l.store.String()+"/cashiers", `{"name":"Ana","role":"cashier","pin":"4711"}`)
	nobody := uuid.New()
	l.add(entry.KindVoid, entry.Void{
		ID: uuid.New(), Sale: uuid.New(), Reason: entry.VoidCashier, Key: "v", KeyHash: make([]byte, 32),
		Hands: entry.Hands{CashierID: uuid.MustParse(ana), Approver: nobody},
	})
	l.proven("POST", wire.PathPush, l.batch()) // for HQ's nonce
	if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := r.do(call{method: "GET", path: "/api/v1/entries/" + l.id.String() + "/1/2"})
	for _, want := range []string{`"done_by":{"id":"` + ana + `","name":"Ana"}`, `"approved_by":{"id":"` + nobody.String() + `"}`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%d %s has no %s", a.status, a.body, want)
		}
	}
	_, err := r.ledger.Apply(t.Context())
	r.must(err)
	if a := r.do(call{method: "GET", path: "/api/v1/exceptions?cause=approver_invalid&state=open"}); !strings.Contains(string(a.body), l.id.String()) {
		t.Errorf("%d %s", a.status, a.body)
	}
}
