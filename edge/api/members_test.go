package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Enrol implements api.Till.
func (f *fakeTill) Enrol(_ context.Context, n till.NewMember) (till.EnrolledMember, error) {
	f.commit.Key, f.commit.Cashier = n.Key, n.Cashier
	var token passtoken.Token
	token[0] = 1 << 4
	copy(token[2:], knownSale[:])
	return till.EnrolledMember{
		Entry: till.Entry{OccurredAt: moment, BusinessDate: 20260301}, Token: token,
		Body: entry.EnrolMember{Member: knownSale, Account: knownQuote, Issue: 1, Cashier: n.Cashier},
	}, f.err
}

// Claim implements api.Till.
func (f *fakeTill) Claim(_ context.Context, c till.NewClaim) (till.ClaimedReceipt, error) {
	f.commit.Key, f.commit.Receipt, f.commit.Cashier = c.Key, c.Receipt+" "+c.Code, c.Cashier
	return till.ClaimedReceipt{
		Entry: till.Entry{OccurredAt: moment, BusinessDate: 20260301}, Body: entry.Claim{Claim: knownQuote, Member: knownSale, Matched: true},
	}, f.err
}

func TestAClaimReachesTheTill(t *testing.T) {
	r := newRig(t)
	got := r.do(request{path: "/v1/claims", body: `{"receipt_code":"R","code":"C","cashier":"7"}`})
	if got.status != http.StatusCreated || !strings.Contains(string(got.body), knownQuote.String()) || r.woken != 1 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if r.till.commit.Key != "key-1" || r.till.commit.Receipt != "R C" || r.till.commit.Cashier != "7" {
		t.Errorf("the till was asked with %+v", r.till.commit)
	}
	for _, body := range []string{`{"receipt_code":"","code":"C"}`, `{"receipt_code":"R","code":""}`} {
		if got := r.do(request{path: "/v1/claims", body: body}); got.status == http.StatusCreated {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}

func TestAnEnrolmentReachesTheTill(t *testing.T) {
	r := newRig(t)
	got := r.do(request{path: "/v1/members", body: `{"cashier":"7"}`})
	var out struct {
		ID        string `json:"id"`
		Account   string `json:"account"`
		Code      string `json:"code"`
		SVG       string `json:"code_svg"`
		PNG       []byte `json:"code_png"`
		ExpiresOn string `json:"expires_on"`
	}
	if err := json.Unmarshal(got.body, &out); err != nil || got.status != http.StatusCreated {
		t.Fatalf("%d %s, %v", got.status, got.body, err)
	}
	if r.till.commit.Key != "key-1" || r.till.commit.Cashier != "7" || r.woken != 1 {
		t.Errorf("the till was asked with %+v, the syncer woken %d times", r.till.commit, r.woken)
	}
	if out.ID != knownSale.String() || out.Account != knownQuote.String() || !strings.HasPrefix(out.Code, "TS1") || len(out.Code) != 141 ||
		!strings.HasPrefix(out.SVG, "<svg ") || !strings.HasPrefix(string(out.PNG), "\x89PNG") || out.ExpiresOn != "2024-01-01" {
		t.Errorf("answered %+v", out)
	}
	r.till.err = problem.New(problem.IdentitiesExhausted, "")
	if got := r.do(request{path: "/v1/members", body: `{}`}); got.status != http.StatusConflict || !strings.Contains(string(got.body), "identities_exhausted") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
