package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/rest"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

func newSandbox(t *testing.T) *stage.Sandbox {
	t.Helper()
	box, err := stage.StartSandbox(t.Context(), binaries(t), nil)
	must(t, err)
	t.Cleanup(func() { must(t, box.Stop()) })
	return box
}

func TestSandboxServesItsFixedCodes(t *testing.T) {
	t.Parallel()
	box := newSandbox(t)
	scan, err := box.Scan(t.Context(), box.Code("good"))
	must(t, err)
	small, large := rewardByCost(t, scan, 500), rewardByCost(t, scan, 5_000)
	sale, err := box.Sell(t.Context(), "r1", edgeclient.QuoteRequest{
		Code: box.Code("good"), Currency: box.Currency, Total: 20_00,
		Redeem: []edgeclient.Wish{{Reward: small}, {Voucher: box.Voucher}},
	})
	must(t, err)
	if sale.ToPay != 20_00-5_00-3_00 {
		t.Errorf("to pay %d", sale.ToPay)
	}
	undone, err := box.Void(t.Context(), "r1-void", sale.ID)
	must(t, err)
	if undone.Sale != sale.ID {
		t.Errorf("voided %s", undone.Sale)
	}
	_, err = box.Scan(t.Context(), box.Code("expired"))
	wantCode(t, "the expired code", err, problem.CodeExpired)
	_, err = box.Scan(t.Context(), box.Code("blocked"))
	wantCode(t, "the blocked code", err, problem.CodeBlocked)
	_, err = box.Quote(t.Context(), edgeclient.QuoteRequest{
		Code: box.Code("over_cap"), Currency: box.Currency, Total: 100_00, Redeem: []edgeclient.Wish{{Reward: large}},
	})
	wantCode(t, "a redemption over the cap", err, problem.CapPerSale)
	voucher, err := box.Scan(t.Context(), box.Code("voucher"))
	must(t, err)
	if voucher.Kind != "voucher" {
		t.Errorf("the voucher's code is a %s", voucher.Kind)
	}
}

func rewardByCost(t *testing.T, s edgeclient.Scan, cost int64) uuid.UUID {
	t.Helper()
	for _, r := range s.Rewards {
		if r.Cost == cost {
			return r.ID
		}
	}
	t.Fatalf("no reward costs %d: %+v", cost, s.Rewards)
	return uuid.Nil
}

// Each bad input has its own code, and none leaves an entry behind.
func TestBadInputAtTheTill(t *testing.T) {
	t.Parallel()
	box := newSandbox(t)
	before, err := box.Status(t.Context())
	must(t, err)
	good := box.Code("good")
	quote := func(total string) string {
		return `{"code":"` + good + `","currency":"EUR","total":` + total + `}`
	}
	for _, tc := range []struct {
		name, path, body string
		want             []problem.Code
	}{
		{"foreign code", "/v1/scan", `{"code":"https://example.com"}`, []problem.Code{problem.CodeUnreadable}},
		{"truncated code", "/v1/scan", `{"code":"` + good[:70] + `"}`, []problem.Code{problem.CodeTruncated}},
		{"flipped code", "/v1/scan", `{"code":"` + flipped(good) + `"}`, []problem.Code{problem.CodeForged, problem.CodeUnreadable}},
		{"no JSON", "/v1/scan", `{"code"`, []problem.Code{problem.InvalidBody}},
		{"unknown field", "/v1/scan", `{"code":"` + good + `","extra":1}`, []problem.Code{problem.UnknownField}},
		{"negative total", "/v1/quotes", quote("-1"), []problem.Code{problem.AmountInvalid, problem.InvalidField}},
		{"zero total", "/v1/quotes", quote("0"), []problem.Code{problem.AmountInvalid, problem.InvalidField}},
		{"huge total", "/v1/quotes", quote("9223372036854775807"), []problem.Code{problem.AmountOverflow}},
		{"total beyond 64 bits", "/v1/quotes", quote("9223372036854775808"), []problem.Code{problem.AmountOverflow}},
		{"foreign currency", "/v1/quotes", strings.Replace(quote("100"), "EUR", "USD", 1), []problem.Code{problem.CurrencyMismatch}},
		{"a body of 10 MB", "/v1/scan", `{"code":"` + strings.Repeat("A", 10<<20) + `"}`, []problem.Code{problem.BodyTooLarge}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := box.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: tc.path, In: rest.Raw(tc.body)})
			wantCode(t, tc.name, err, tc.want...)
		})
	}
	after, err := box.Status(t.Context())
	must(t, err)
	if after.HeadSeq != before.HeadSeq {
		t.Errorf("bad input left %d entries", after.HeadSeq-before.HeadSeq)
	}
}

// flipped changes one letter in the middle of a code, within its alphabet.
func flipped(code string) string {
	raw := []byte(code)
	at := len(raw) / 2
	if raw[at] == 'A' {
		raw[at] = 'B'
	} else {
		raw[at] = 'A'
	}
	return string(raw)
}

func TestForeignCallersGetNothing(t *testing.T) {
	t.Parallel()
	box := newSandbox(t)
	for name, change := range map[string]func(*http.Request){
		"no token":      func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong token":   func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") },
		"foreign page":  func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"DNS rebinding": func(r *http.Request) { r.Host = "evil.example" },
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, box.Base+"/v1/status", nil)
			must(t, err)
			req.Header.Set("Authorization", "Bearer "+box.Token)
			change(req)
			res, err := http.DefaultClient.Do(req)
			must(t, err)
			defer res.Body.Close()
			var said problem.Body
			must(t, json.NewDecoder(res.Body).Decode(&said))
			if res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden || said.Code == "" {
				t.Errorf("status %d, code %q", res.StatusCode, said.Code)
			}
		})
	}
}
