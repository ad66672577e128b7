package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
)

// browser is one that may show a card.
type browser struct {
	*rig
	cookie string
}

// shownCard is what tests read of a card.
type shownCard struct {
	Member     uuid.UUID `json:"member"`
	Name       string    `json:"name"`
	Email      string    `json:"email"`
	EmailState string    `json:"email_state"`
	Blocked    bool      `json:"blocked"`
	Code       *struct {
		Text string `json:"text"`
		Keys []struct {
			Key string `json:"key"`
		} `json:"keys"`
	} `json:"code"`
	Units []struct {
		Unit      string `json:"unit"`
		Spendable int64  `json:"spendable"`
		Expiring  []struct {
			Amount int64 `json:"amount"`
		} `json:"expiring"`
	} `json:"units"`
	Consents []struct {
		Purpose, Wording string
		Given            bool
	} `json:"consents"`
}

func (s shownCard) points() int64 {
	for _, u := range s.Units {
		if u.Unit == "points" {
			return u.Spendable
		}
	}
	return 0
}

// ask sends a call as the page does, and keeps the cookie of the answer.
func (b *browser) ask(c call) answer {
	b.t.Helper()
	staff := b.token
	b.token = ""
	defer func() { b.token = staff }()
	if c.header == nil {
		c.header = map[string]string{"Origin": b.base}
	}
	if b.cookie != "" {
		c.header["Cookie"] = "tallystick_card=" + b.cookie
	}
	if c.key == "" {
		c.key = "-"
	}
	a := b.do(c)
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/api/v1/card/" {
			b.t.Errorf("the cookie is %v", cookie)
		}
		b.cookie = cookie.Value
	}
	return a
}

func (b *browser) card(want int, c call) shownCard {
	b.t.Helper()
	var out shownCard
	a := b.ask(c)
	if a.status != want {
		b.t.Fatalf("%s %s: %d %s", c.method, c.path, a.status, a.body)
	}
	a.into(b.t, &out)
	return out
}

func (b *browser) me() shownCard {
	b.t.Helper()
	return b.card(http.StatusOK, call{method: "GET", path: "/api/v1/card/me"})
}

func (b *browser) join(body string) shownCard {
	b.t.Helper()
	return b.card(http.StatusCreated, call{method: "POST", path: "/api/v1/card/join", body: body, key: uuid.NewString()})
}

func (b *browser) open(secret string) answer {
	b.t.Helper()
	return b.ask(call{method: "POST", path: "/api/v1/card/links/open", body: jsonOf(map[string]string{"secret": secret})})
}

func (b *browser) refused(c call, status int, code problem.Code) {
	b.t.Helper()
	if a := b.ask(c); a.status != status || a.code() != code {
		b.t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
	}
}

var linkPattern = regexp.MustCompile(`https://hq\.example/card/#/open/(\S+)`)

// mails returns the secrets in the mails to an address, newest first.
func (r *rig) mails(to string) []string {
	r.t.Helper()
	all, err := r.outbox.List(r.t.Context(), uuid.Nil, 100)
	r.must(err)
	var out []string
	for _, m := range all {
		if m.To == to {
			found := linkPattern.FindStringSubmatch(m.Text)
			if found == nil {
				r.t.Fatalf("no link in %q", m.Text)
			}
			out = append(out, found[1])
		}
	}
	return out
}

// give puts points on a member's account by hand.
func (r *rig) give(member uuid.UUID, n string) {
	r.t.Helper()
	r.made("/api/v1/members/"+member.String()+"/adjustments", `{"unit":"points","amount":`+n+`,"reason":"goodwill","expires_at":"2027-01-01T00:00:00Z"}`)
}

// withPoints is a rig whose programme knows points.
func withPoints(r *rig) *rig {
	r.t.Helper()
	a := r.do(call{method: "PUT", path: "/api/v1/programme/rule-set", body: `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`})
	if a.status >= 300 {
		r.t.Fatalf("rules: %d %s", a.status, a.body)
	}
	return r
}

const annJoins = `{"name":" Ann  B ","email":"Ann@Example.org","phone":"+48 600 100 200","locale":"pl",` +
	`"consents":[{"purpose":"mail_offers","given":true,"wording":"2026-11"}]}`

func TestAShopperJoinsLosesThePhoneAndGetsTheCardBack(t *testing.T) {
	story := func(t *testing.T, r *rig) {
		withPoints(r)
		phone, laptop := &browser{rig: r}, &browser{rig: r}
		card := phone.join(annJoins)
		if card.Name != "Ann B" || card.Email != "ann@example.org" || card.EmailState != "unconfirmed" || card.Code == nil || len(card.Code.Keys) != 1 {
			t.Fatalf("%+v", card)
		}
		if key, err := base64.StdEncoding.DecodeString(card.Code.Keys[0].Key); err != nil || len(key) != 20 {
			t.Errorf("the key is %d bytes, %v", len(key), err)
		}
		r.give(card.Member, "120")
		if card = phone.me(); card.points() != 120 || len(card.Units[0].Expiring) != 1 {
			t.Errorf("%+v", card)
		}
		links := r.mails("ann@example.org")
		if len(links) != 1 {
			t.Fatalf("%d mails", len(links))
		}
		a := laptop.open(links[0])
		a.into(t, &card)
		if a.status != http.StatusOK || card.EmailState != "confirmed" || phone.me().EmailState != "confirmed" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if a := laptop.open(links[0]); a.status != http.StatusConflict {
			t.Errorf("a link works twice: %d %s", a.status, a.body)
		}

		// The phone is lost.
		fresh := &browser{rig: r}
		if a := fresh.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"ann@example.ORG"}`}); a.status != http.StatusAccepted {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if links = r.mails("ann@example.org"); len(links) != 2 {
			t.Fatalf("%d mails", len(links))
		}
		if a := fresh.open(links[0]); a.status != http.StatusOK || fresh.me().points() != 120 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		phone.refused(call{method: "GET", path: "/api/v1/card/me"}, http.StatusUnauthorized, problem.Unauthenticated)
	}
	t.Run("sqlite", func(t *testing.T) { story(t, newRig(t)) })
	t.Run("postgres", func(t *testing.T) { story(t, newRigOn(t, blank.PostgreSQL(t))) })
}

// Somebody who only knows an address gets nothing of its owner, and their card's code no
// longer works once the owner has opened the link that they had sent.
func TestASecondCardOfAnAddressGoesIntoTheFirst(t *testing.T) {
	r := withPoints(newRig(t))
	owner, other := &browser{rig: r}, &browser{rig: r}
	first := owner.join(annJoins)
	if a := owner.open(r.mails("ann@example.org")[0]); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	second := other.join(`{"name":"Mallory","email":"ann@example.org","locale":"en"}`)
	r.give(first.Member, "100")
	r.give(second.Member, "7")
	gift := other.gives(r.aVoucher(second.Member))
	if second = other.me(); second.points() != 7 || second.EmailState != "unconfirmed" {
		t.Errorf("%+v", second)
	}
	r.clock.Advance(time.Minute)
	a := owner.open(r.mails("ann@example.org")[0])
	var card shownCard
	a.into(t, &card)
	if card.Member != first.Member {
		t.Fatalf("opened %+v", card)
	}
	other.refused(call{method: "GET", path: "/api/v1/card/me"}, http.StatusUnauthorized, problem.Unauthenticated)
	var member struct{ Member struct{ Blocked bool } }
	r.do(call{method: "GET", path: "/api/v1/members/" + second.Member.String()}).into(t, &member)
	if !member.Member.Blocked {
		t.Error("the other card's code still works")
	}
	r.settle()
	if points := owner.me().points(); points != 107 {
		t.Errorf("%d points", points)
	}
	// What the other card gave away is its new owner's, and stays good.
	if a := other.ask(call{method: "GET", path: "/api/v1/card/gifts/" + gift}); a.status != http.StatusOK {
		t.Errorf("a gift of the other card: %d %s", a.status, a.body)
	}
	if a := other.ask(call{method: "GET", path: "/api/v1/card/gifts/" + gift + "/apple"}); !strings.HasPrefix(string(a.body), "pass of "+first.Member.String()) {
		t.Errorf("its pass: %d %s", a.status, a.body)
	}
	if told := strings.Join(r.wallets.told, ", "); strings.Contains(told, "lost") || !strings.Contains(told, "replaced "+second.Member.String()) {
		t.Errorf("the wallets were told %s", told)
	}
}

func TestNobodyLearnsWhoHasACard(t *testing.T) {
	r := newRig(t)
	b := &browser{rig: r}
	b.join(annJoins)
	stranger := &browser{rig: r}
	var bodies []string
	for _, email := range []string{"ann@example.org", "nobody@example.org"} {
		a := stranger.ask(call{method: "POST", path: "/api/v1/card/links", body: jsonOf(map[string]string{"email": email})})
		bodies = append(bodies, string(a.body)+http.StatusText(a.status))
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the answers differ: %q", bodies)
	}
	if n := len(r.mails("nobody@example.org")); n != 0 {
		t.Errorf("%d mails to somebody without a card", n)
	}
	for range 10 {
		stranger.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"ann@example.org"}`})
	}
	if n := len(r.mails("ann@example.org")); n != 5 {
		t.Errorf("%d mails in an hour, want 5", n)
	}
	r.clock.Advance(time.Hour + time.Minute)
	if stranger.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"ann@example.org"}`}); len(r.mails("ann@example.org")) != 6 {
		t.Error("no mail an hour later")
	}
	for range 70 {
		if a := stranger.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"x@example.org"}`}); a.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("70 requests of one stranger in a row are not slowed down")
}

func TestOneKeyMakesOneCard(t *testing.T) {
	r := newRig(t)
	key := uuid.NewString()
	var mu sync.Mutex
	seen := map[uuid.UUID]string{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			req, err := http.NewRequest("POST", r.base+"/api/v1/card/join", strings.NewReader(annJoins))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", key)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			var card shownCard
			if err := json.NewDecoder(resp.Body).Decode(&card); err != nil || resp.StatusCode != http.StatusCreated || len(resp.Cookies()) != 1 {
				t.Errorf("%d, %v", resp.StatusCode, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[card.Member] = resp.Cookies()[0].Value
		})
	}
	all.Wait()
	if len(seen) != 1 || len(r.mails("ann@example.org")) != 1 {
		t.Errorf("%d cards", len(seen))
	}
}

func TestWhoLeavesIsForgotten(t *testing.T) {
	r := withPoints(newRig(t))
	b := &browser{rig: r}
	card := b.join(annJoins)
	r.give(card.Member, "10")
	if a := b.ask(call{method: "DELETE", path: "/api/v1/card/me"}); a.status != http.StatusNoContent || b.cookie != "" {
		t.Fatalf("%d %s, cookie %q", a.status, a.body, b.cookie)
	}
	b.refused(call{method: "GET", path: "/api/v1/card/me"}, http.StatusUnauthorized, problem.Unauthenticated)
	a := r.do(call{method: "GET", path: "/api/v1/members/" + card.Member.String()})
	if text := string(a.body); strings.Contains(text, "Ann") || !strings.Contains(text, `"blocked":true`) {
		t.Errorf("HQ still shows %s", text)
	}
	mails := r.do(call{method: "GET", path: "/api/v1/mails"})
	if strings.Contains(string(mails.body), "example.org") {
		t.Errorf("the outbox still shows %s", mails.body)
	}
	again := (&browser{rig: r}).join(annJoins)
	if again.Member == card.Member {
		t.Error("the same member came back")
	}
}

func TestWhatAShopperChangesAndTakesAway(t *testing.T) {
	r := withPoints(newRig(t))
	b := &browser{rig: r}
	card := b.join(annJoins)
	r.give(card.Member, "10")
	agree := func(given string) shownCard {
		return b.card(http.StatusOK, call{method: "POST", path: "/api/v1/card/consents", body: `{"purpose":"mail_offers","wording":"2026-12","given":` + given + `}`})
	}
	agree("true") // already given: nothing new
	if card = agree("false"); card.Consents[0].Given || card.Consents[0].Wording != "2026-12" {
		t.Errorf("%+v", card.Consents)
	}
	card = b.card(http.StatusOK, call{method: "PATCH", path: "/api/v1/card/me", body: `{"name":"Żaneta","email":"z@example.org","locale":"tr"}`})
	if card.Name != "Żaneta" || card.EmailState != "unconfirmed" || len(r.mails("z@example.org")) != 1 {
		t.Errorf("%+v", card)
	}
	old := r.mails("ann@example.org")[0]
	if a := (&browser{rig: r}).open(old); a.status != http.StatusConflict {
		t.Errorf("a link to the address before still works: %d %s", a.status, a.body)
	}
	var all struct {
		Consents []struct{ Given bool }
		History  []struct {
			Amount int64
			Why    string
		}
		HistoryWhole bool `json:"history_whole"`
	}
	b.ask(call{method: "GET", path: "/api/v1/card/export"}).into(t, &all)
	if len(all.Consents) != 2 || len(all.History) != 1 || all.History[0].Amount != 10 || all.History[0].Why != "earned" || !all.HistoryWhole {
		t.Errorf("%+v", all)
	}
	r.made("/api/v1/stores", storeBody)
	if a := b.ask(call{method: "GET", path: "/api/v1/card/stores"}); !strings.Contains(string(a.body), "Store One") {
		t.Errorf("%s", a.body)
	}
	if a := b.ask(call{method: "GET", path: "/api/v1/card/history"}); !strings.Contains(string(a.body), `"amount":10`) {
		t.Errorf("%s", a.body)
	}
	if a := b.ask(call{method: "DELETE", path: "/api/v1/card/session"}); a.status != http.StatusNoContent || b.cookie != "" {
		t.Errorf("%d, cookie %q", a.status, b.cookie)
	}
}

func TestBadInput_Card(t *testing.T) {
	r := newRig(t)
	b := &browser{rig: r}
	b.join(`{"locale":"en"}`)
	join := func(body string) call {
		return call{method: "POST", path: "/api/v1/card/join", body: body, key: uuid.NewString()}
	}
	b.refused(join(`{"locale":"en","email":"ann"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","email":"Ann <ann@example.org>"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","email":"a@b.c\r\nBcc: x@y.z"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"de"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","phone":"12"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","name":"`+strings.Repeat("ü", 41)+`"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","store":"`+uuid.NewString()+`"}`), http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(join(`{"locale":"en","admin":true}`), http.StatusBadRequest, problem.UnknownField)
	b.refused(join(`{"name":"`+strings.Repeat("x", 5000)+`","locale":"en"}`), http.StatusRequestEntityTooLarge, problem.BodyTooLarge)
	b.refused(call{method: "POST", path: "/api/v1/card/join", body: `{"locale":"en"}`, key: "short"}, http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(call{method: "POST", path: "/api/v1/card/consents", body: `{"purpose":"sell","given":true,"wording":"x"}`}, http.StatusUnprocessableEntity, problem.InvalidField)
	b.refused(call{method: "POST", path: "/api/v1/card/claims", body: `{"code":"https://example.org"}`}, http.StatusUnprocessableEntity, problem.CodeUnreadable)
	b.refused(call{method: "POST", path: "/api/v1/card/links/open", body: `{"secret":"guessed"}`}, http.StatusConflict, problem.StateConflict)
	b.refused(call{method: "DELETE", path: "/api/v1/card/me", header: map[string]string{"Origin": "https://evil.example"}}, http.StatusForbidden, problem.ForeignOrigin)
	b.refused(call{method: "DELETE", path: "/api/v1/card/me", header: map[string]string{"Sec-Fetch-Site": "cross-site"}}, http.StatusForbidden, problem.ForeignOrigin)
	// A card is no way into HQ, and HQ's token none into a card.
	b.refused(call{method: "GET", path: "/api/v1/members"}, http.StatusUnauthorized, problem.Unauthenticated)
	if a := r.do(call{method: "GET", path: "/api/v1/card/me"}); a.status != http.StatusUnauthorized {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A link runs out.
	b.join(annJoins)
	link := r.mails("ann@example.org")[0]
	r.clock.Advance(49 * time.Hour)
	if a := b.open(link); a.status != http.StatusConflict {
		t.Errorf("%d %s", a.status, a.body)
	}
}
