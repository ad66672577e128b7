package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const tiersBody = `{"unit":"points","days":365,"zone":"Europe/Warsaw","levels":[` +
	`{"key":"base","names":{"en":"Member","pl":"Uczestnik"},"threshold":0},{"key":"gold","names":{"en":"Gold"},"threshold":500,"colour":"#d4af37"}]}`

func init() {
	scenarios["tiers"] = []step{
		{"GET", "/api/v1/programme/tiers", "", 200, []string{`"version":0`, `"levels":[]`}, nil, "", ""},
		{"POST", "/api/v1/members", `{"alias":"Ann"}`, 201, nil, nil, "ann", anyID},
		{"POST", "/api/v1/members", `{"alias":"Bob"}`, 201, nil, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/tier", "", 200, []string{`"counted":0`}, []string{"tier", "next"}, "", ""},
		{"POST", "/api/v1/programme/tiers/preview", tiersBody, 200, []string{`"levels":[2,0]`, `"none":0`}, nil, "", ""},
		{"GET", "/api/v1/programme/tiers", "", 200, []string{`"version":0`}, nil, "", ""},
		{"PUT", "/api/v1/programme/tiers", tiersBody, 200, []string{`"version":1`, `"pl":"Uczestnik"`}, []string{`"tr"`}, "", ""},
		{"GET", "/api/v1/members/{ann}/tier", "", 200, []string{`"tier":{"key":"base"`, `"next":{"colour":"#d4af37","key":"gold"`, `"missing":500`, `"unit":"points"`}, []string{"kept_until"}, "", ""},
		{"GET", "/api/v1/members/" + nobody + "/tier", "", 404, []string{"not_found"}, nil, "", ""},
		{"PUT", "/api/v1/programme/tiers", strings.Replace(tiersBody, "500", "0", 1), 422, []string{`"/levels/1/threshold"`}, nil, "", ""},
		{"POST", "/api/v1/programme/tiers/preview", strings.Replace(tiersBody, "Warsaw", "Atlantis", 1), 422, []string{`"/zone"`}, nil, "", ""},
		{"PUT", "/api/v1/programme/tiers", strings.Replace(tiersBody, `"en":"Gold"`, `"de":"Gold"`, 1), 400, nil, nil, "", ""},
		{"PUT", "/api/v1/programme/tiers", `{"unit":"points","days":0,"zone":"UTC","levels":[]}`, 200, []string{`"version":2`, `"days":0`}, nil, "", ""},
	}
}

// The shopper's card says which tier it is, once there are any.
func TestAShoppersCardSaysTheTier(t *testing.T) {
	r := newRig(t)
	b := &browser{rig: r}
	b.join(annJoins)
	if a := b.ask(call{method: "GET", path: "/api/v1/card/me"}); strings.Contains(string(a.body), `"tier"`) {
		t.Errorf("without tiers the card says %s", a.body)
	}
	if a := r.do(call{method: "PUT", path: "/api/v1/programme/tiers", body: tiersBody}); a.status != 200 {
		t.Fatalf("put tiers: %d %s", a.status, a.body)
	}
	var card struct {
		Tier struct {
			Tier, Next struct{ Key string }
			Missing    int64
		}
	}
	b.ask(call{method: "GET", path: "/api/v1/card/me"}).into(t, &card)
	if card.Tier.Tier.Key != "base" || card.Tier.Next.Key != "gold" || card.Tier.Missing != 500 {
		t.Errorf("the card says %+v", card.Tier)
	}
}

// How long changes took to phones is answered hour by hour, and what the wallets are set
// up with.
func TestPeopleSeeLagsAndWallets(t *testing.T) {
	r := newRig(t)
	member, _ := r.richMember(10)
	serial, token := r.walletPass(member)
	path := "/wallet/apple/v1/devices/D1/registrations/" + applePassType + "/" + serial
	r.phoneCall("POST", path, token, `{"pushToken":"abc"}`)
	var lags struct {
		Hours int
		Items []struct {
			Count    int64
			MedianMs int64 `json:"median_ms"`
			P95Ms    int64 `json:"p95_ms"`
		}
	}
	r.do(call{method: "GET", path: "/api/v1/passes/lags"}).into(t, &lags)
	if lags.Hours != 24 || len(lags.Items) != 0 {
		t.Errorf("before a change: %+v", lags)
	}
	r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/adjustments", body: `{"unit":"points","amount":5,"reason":"goodwill"}`})
	_, err := r.passes.Round(context.Background())
	r.must(err)
	r.clock.Advance(7 * time.Second)
	r.phoneCall("GET", "/wallet/apple/v1/passes/"+applePassType+"/"+serial, token, "")
	r.must(r.passes.Flush(context.Background()))
	r.do(call{method: "GET", path: "/api/v1/passes/lags?hours=1"}).into(t, &lags)
	if lags.Hours != 1 || len(lags.Items) != 1 || lags.Items[0].Count != 1 || lags.Items[0].MedianMs < 7000 || lags.Items[0].P95Ms < 7000 {
		t.Errorf("after a change that took seven seconds: %+v", lags)
	}
	for _, hours := range []string{"0", "721", "x"} {
		if a := r.do(call{method: "GET", path: "/api/v1/passes/lags?hours=" + hours}); a.status != 422 && a.status != 400 {
			t.Errorf("lags of %s hours: %d", hours, a.status)
		}
		if a := r.do(call{method: "GET", path: "/api/v1/passes/funnel?hours=" + hours}); a.status != 422 && a.status != 400 {
			t.Errorf("funnel of %s hours: %d", hours, a.status)
		}
	}
	var wallets struct {
		Apple, Google bool
		SelfMade      bool `json:"self_made"`
		Certificates  []struct {
			Name     string
			DaysLeft int `json:"days_left"`
		}
	}
	r.do(call{method: "GET", path: "/api/v1/passes/wallets"}).into(t, &wallets)
	if !wallets.Apple || wallets.Google || wallets.SelfMade {
		t.Errorf("the wallets are %+v", wallets)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/passes?state=lost"}); a.status != 422 {
		t.Errorf("an unknown state: %d", a.status)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/passes", body: `{"channel":"google"}`}); a.status != 409 {
		t.Errorf("a pass of a wallet that is not set up: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/members/" + uuid.NewString() + "/passes", body: `{"channel":"apple"}`}); a.status != 404 {
		t.Errorf("a pass of nobody: %d", a.status)
	}
	r.token = ""
	for _, at := range []string{"lags", "wallets", "funnel", "log"} {
		if a := r.do(call{method: "GET", path: "/api/v1/passes/" + at}); a.status != 401 {
			t.Errorf("%s for nobody: %d", at, a.status)
		}
	}
}
