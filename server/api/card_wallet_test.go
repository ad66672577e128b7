package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/expiry"
	"github.com/tallystick/tallystick/server/programme"
)

// wallets makes passes that say what they are of, and remembers what it is told.
type wallets struct {
	offers card.Offers
	told   []string
	fails  error // what a lost phone ends with
}

func (w *wallets) tell(what string, member uuid.UUID) error {
	w.told = append(w.told, what+" "+member.String())
	return nil
}

func (w *wallets) Offers() card.Offers                              { return w.offers }
func (w *wallets) Joined(_ context.Context, member uuid.UUID) error { return w.tell("joined", member) }

func (w *wallets) Changed(_ context.Context, member uuid.UUID) error {
	return w.tell("changed", member)
}

func (w *wallets) Lost(_ context.Context, member uuid.UUID) error {
	if w.fails != nil {
		return w.fails
	}
	return w.tell("lost", member)
}

func (w *wallets) TakenBack(_ context.Context, v programme.Voucher) error {
	return w.tell("taken back", v.ID)
}

func (w *wallets) Replaced(_ context.Context, member uuid.UUID) error {
	return w.tell("replaced", member)
}

func (w *wallets) Left(_ context.Context, member uuid.UUID) error { return w.tell("left", member) }
func (w *wallets) Apple(_ context.Context, member, voucher uuid.UUID) ([]byte, error) {
	return fmt.Appendf(nil, "pass of %s %s", member, voucher), nil
}

func (w *wallets) Google(_ context.Context, member, voucher uuid.UUID) (string, error) {
	if !w.offers.Google {
		return "", problem.New(problem.StateConflict, "Google Wallet is not set up")
	}
	return "https://pay.example/save/" + member.String() + voucher.String(), nil
}

func TestCardInWallets(t *testing.T) {
	r := newRig(t)
	r.wallets.offers = card.Offers{Apple: true, SelfMade: true}
	b := &browser{rig: r}
	b.refused(call{method: "GET", path: "/api/v1/card/passes/apple"}, http.StatusUnauthorized, problem.Unauthenticated)
	me := b.join(annJoins).Member
	if a := b.ask(call{method: "GET", path: "/api/v1/card/programme"}); !strings.Contains(string(a.body), `{"apple":true,"google":false,"self_made":true}`) {
		t.Errorf("offers: %s", a.body)
	}
	a := b.ask(call{method: "GET", path: "/api/v1/card/passes/apple"})
	if string(a.body) != fmt.Sprintf("pass of %s %s", me, uuid.Nil) || a.header.Get("Content-Type") != "application/vnd.apple.pkpass" ||
		a.header.Get("Content-Disposition") != `attachment; filename="card.pkpass"` || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a pass: %s %v", a.body, a.header)
	}
	b.refused(call{method: "POST", path: "/api/v1/card/passes/google"}, http.StatusConflict, problem.StateConflict)
	r.wallets.offers.Google = true
	if a := b.ask(call{method: "POST", path: "/api/v1/card/passes/google"}); !strings.Contains(string(a.body), `"https://pay.example/save/`+me.String()) {
		t.Errorf("a save link: %s", a.body)
	}
	b.refused(call{method: "POST", path: "/api/v1/card/passes/google", header: map[string]string{"Origin": "https://evil.example"}}, http.StatusForbidden, problem.ForeignOrigin)
	b.ask(call{method: "PATCH", path: "/api/v1/card/me", body: `{"locale":"tr"}`})
	// The first link confirms the address; the second is for a lost phone.
	for range 2 {
		b.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"ann@example.org"}`})
		if a := b.open(r.mails("ann@example.org")[0]); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	b.ask(call{method: "DELETE", path: "/api/v1/card/me"})
	var want []string
	for _, what := range []string{"joined", "changed", "lost", "left"} {
		want = append(want, what+" "+me.String())
	}
	if !slices.Equal(r.wallets.told, want) {
		t.Errorf("told %q, want %q", r.wallets.told, want)
	}
}

// A link that could not void the passes of the lost phone was not used: it opens the card
// when it is opened again, and voids them then.
func TestALinkIsUsedOnceThePassesAreVoid(t *testing.T) {
	r := newRig(t)
	b := &browser{rig: r}
	me := b.join(annJoins).Member
	ask := func() string {
		b.ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"ann@example.org"}`})
		return r.mails("ann@example.org")[0]
	}
	if a := b.open(ask()); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	link := ask()
	r.wallets.fails = errors.New("the database is gone")
	if a := b.open(link); a.status != http.StatusInternalServerError {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.wallets.fails = nil
	if a := b.open(link); a.status != http.StatusOK {
		t.Errorf("opened again: %d %s", a.status, a.body)
	}
	if !slices.Contains(r.wallets.told, "lost "+me.String()) {
		t.Errorf("the passes were not voided: told %q", r.wallets.told)
	}
}

// aVoucher gives a member a voucher for a coffee.
func (r *rig) aVoucher(member uuid.UUID) string {
	r.t.Helper()
	reward := r.made("/api/v1/rewards", `{"name":"Free Coffee","unit":"points","cost":0,"discount":500,"currency":"EUR","active":true}`)
	return r.made("/api/v1/vouchers", jsonOf(map[string]any{"member": member, "reward": reward}))
}

// gives gives a voucher away and returns the secret of its address.
func (b *browser) gives(voucher string) string {
	b.t.Helper()
	var sent struct{ URL string }
	a := b.ask(call{method: "POST", path: "/api/v1/card/vouchers/" + voucher + "/gift"})
	a.into(b.t, &sent)
	secret, ok := strings.CutPrefix(sent.URL, "https://hq.example/card/#/gift/")
	if !ok {
		b.t.Fatalf("the address is %q: %d %s", sent.URL, a.status, a.body)
	}
	return secret
}

// Who has the address of a gift has the voucher, and nothing else of the shopper's.
func TestGiftedVoucher(t *testing.T) {
	r := newRig(t)
	r.wallets.offers = card.Offers{Apple: true, Google: true}
	owner, other, stranger := &browser{rig: r}, &browser{rig: r}, &browser{rig: r}
	me := owner.join(`{"locale":"en"}`).Member
	other.join(`{"locale":"en"}`)
	voucher := r.aVoucher(me)
	gift := call{method: "POST", path: "/api/v1/card/vouchers/" + voucher + "/gift"}
	other.refused(gift, http.StatusNotFound, problem.NotFound)
	stranger.refused(gift, http.StatusUnauthorized, problem.Unauthenticated)
	var sent struct{ URL string }
	owner.ask(gift).into(t, &sent)
	secret, ok := strings.CutPrefix(sent.URL, "https://hq.example/card/#/gift/")
	if !ok || strings.Contains(sent.URL, me.String()) {
		t.Fatalf("the address is %s", sent.URL)
	}
	var shown struct {
		Programme, Name, Code string
		Left                  int
	}
	a := stranger.ask(call{method: "GET", path: "/api/v1/card/gifts/" + secret})
	a.into(t, &shown)
	if shown.Programme != "Corner Shop" || shown.Name != "Free Coffee" || shown.Left != 1 || len(shown.Code) != 141 || strings.Contains(string(a.body), me.String()) {
		t.Errorf("the gift is %s", a.body)
	}
	if a := stranger.ask(call{method: "GET", path: "/api/v1/card/gifts/" + secret + "/apple"}); string(a.body) != fmt.Sprintf("pass of %s %s", me, voucher) ||
		a.header.Get("Content-Type") != "application/vnd.apple.pkpass" {
		t.Errorf("the pass is %s", a.body)
	}
	if a := stranger.ask(call{method: "POST", path: "/api/v1/card/gifts/" + secret + "/google"}); !strings.Contains(string(a.body), voucher) {
		t.Errorf("the save link is %s", a.body)
	}
	// A secret with one character changed is none.
	for i := range secret {
		changed := []byte(secret)
		if changed[i] = 'x'; secret[i] == 'x' {
			changed[i] = 'y'
		}
		stranger.refused(call{method: "GET", path: "/api/v1/card/gifts/" + string(changed)}, http.StatusNotFound, problem.NotFound)
	}
	for _, bad := range []string{"x", strings.Repeat("A", 43), strings.Repeat("A", 5000)} {
		if a := stranger.ask(call{method: "GET", path: "/api/v1/card/gifts/" + bad}); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
			t.Errorf("a secret of %d: %d %s", len(bad), a.status, a.body)
		}
	}
	// What is used up is no gift any more: its code would be taken by a till without HQ.
	r.do(call{method: "PUT", path: "/api/v1/programme/rule-set", body: `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`})
	used := r.aVoucher(me)
	spent := owner.gives(used)
	if a := stranger.ask(call{method: "GET", path: "/api/v1/card/gifts/" + spent}); a.status != http.StatusOK {
		t.Fatalf("before it is used: %d %s", a.status, a.body)
	}
	r.made("/api/v1/sales", jsonOf(map[string]any{"basket": map[string]any{
		"store": r.made("/api/v1/stores", storeBody), "member": me, "currency": "EUR", "total": 900, "redeem": []any{map[string]any{"voucher": used}},
	}}))
	stranger.refused(call{method: "GET", path: "/api/v1/card/gifts/" + spent}, http.StatusNotFound, problem.NotFound)
	// A shopper who leaves takes the gift away.
	owner.ask(call{method: "DELETE", path: "/api/v1/card/me"})
	stranger.refused(call{method: "GET", path: "/api/v1/card/gifts/" + secret}, http.StatusNotFound, problem.NotFound)
	stranger.refused(call{method: "GET", path: "/api/v1/card/gifts/" + secret + "/apple"}, http.StatusNotFound, problem.NotFound)
}

// What was given can be taken back, by the shopper and by support, and given again at
// another address.
func TestAGiftIsTakenBack(t *testing.T) {
	r := newRig(t)
	r.wallets.offers = card.Offers{Apple: true, Google: true}
	owner, other, friend := &browser{rig: r}, &browser{rig: r}, &browser{rig: r}
	me := owner.join(`{"locale":"en"}`).Member
	other.join(`{"locale":"en"}`)
	voucher := r.aVoucher(me)
	back := call{method: "DELETE", path: "/api/v1/card/vouchers/" + voucher + "/gift"}
	at := func(secret string) string { return "/api/v1/card/gifts/" + secret }
	given := func() bool {
		var me struct {
			Vouchers []struct {
				GivenAt string `json:"given_at"`
			}
		}
		owner.ask(call{method: "GET", path: "/api/v1/card/me"}).into(t, &me)
		return len(me.Vouchers) == 1 && me.Vouchers[0].GivenAt != ""
	}
	code := func(secret string) string {
		var gift struct{ Code string }
		friend.ask(call{method: "GET", path: at(secret)}).into(t, &gift)
		return gift.Code
	}
	owner.refused(back, http.StatusConflict, problem.StateConflict)
	if given() {
		t.Error("the card says it is given before it is")
	}
	first := owner.gives(voucher)
	if again := owner.gives(voucher); again != first || !given() {
		t.Errorf("given twice it has two addresses, or the card does not say so")
	}
	firstCode := code(first)
	other.refused(back, http.StatusNotFound, problem.NotFound)
	friend.refused(back, http.StatusUnauthorized, problem.Unauthenticated)
	if a := owner.ask(back); a.status != http.StatusNoContent || given() {
		t.Errorf("taken back: %d %s", a.status, a.body)
	}
	owner.refused(back, http.StatusConflict, problem.StateConflict)
	for _, c := range []call{{method: "GET", path: at(first)}, {method: "GET", path: at(first) + "/apple"}, {method: "POST", path: at(first) + "/google"}} {
		friend.refused(c, http.StatusGone, problem.GiftTakenBack)
	}
	second := owner.gives(voucher)
	if c := code(second); second == first || len(c) != 141 || c == firstCode {
		t.Errorf("given again it has the address %s and the code %s", second, c)
	}
	friend.refused(call{method: "GET", path: at(first)}, http.StatusGone, problem.GiftTakenBack)
	// A secret of the new kind is sealed like one of the old.
	for i := range second {
		changed := []byte(second)
		if changed[i] = 'x'; second[i] == 'x' {
			changed[i] = 'y'
		}
		friend.refused(call{method: "GET", path: at(string(changed))}, http.StatusNotFound, problem.NotFound)
	}
	var v struct {
		Issue   int
		GivenAt string `json:"given_at"`
	}
	r.do(call{method: "POST", path: "/api/v1/vouchers/" + voucher + "/take-back", key: uuid.NewString()}).into(t, &v)
	if v.Issue != 3 || v.GivenAt != "" {
		t.Errorf("support took it back: %+v", v)
	}
	friend.refused(call{method: "GET", path: at(second)}, http.StatusGone, problem.GiftTakenBack)
	if told := strings.Join(r.wallets.told, ", "); strings.Count(told, "taken back "+voucher) != 2 {
		t.Errorf("the wallets were told %s", told)
	}
}

// A certificate that ends soon stands on the first page, and each in the metrics.
func TestEndingCertificatesAreShown(t *testing.T) {
	r := newRig(t)
	now := r.clock.Now()
	r.close()
	r.ending = []expiry.Certificate{{Name: "the pass certificate", EndsAt: now.AddDate(0, 0, 59)}, {Name: "the issuer", EndsAt: now.AddDate(1, 0, 0)}}
	r.start()
	var home struct{ Ending []struct{ Name string } }
	r.do(call{method: "GET", path: "/api/v1/console/home"}).into(t, &home)
	if len(home.Ending) != 1 || home.Ending[0].Name != "the pass certificate" {
		t.Errorf("the first page shows %+v", home.Ending)
	}
	text := string(r.do(call{method: "GET", path: "/metrics"}).body)
	for _, c := range r.ending {
		if !strings.Contains(text, fmt.Sprintf("tallystick_hq_wallet_certificate_expiry_seconds{certificate=%q} %g", c.Name, float64(c.EndsAt.Unix()))) {
			t.Errorf("the metrics miss %s: %s", c.Name, text)
		}
	}
}
