package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
)

// TestSandboxStory is what a maker of till software does first: the real journal,
// cache, till and API, and only HQ's data made up.
func TestSandboxStory(t *testing.T) {
	r := start(t, "run", "--sandbox", "--listen", "127.0.0.1:0", "--log-level", "error")
	good := r.code("good")
	scan := r.post("/v1/scan", "", fmt.Sprintf(`{"code":%q}`, good))
	if scan["kind"] != "member" || scan["freshness"] != "static" || len(scan["vouchers"].([]any)) != 1 {
		t.Fatalf("%v", scan)
	}
	quoted := fmt.Sprintf(`{"code":%q,"currency":"EUR","total":2000,"redeem":[{"reward":%q},{"voucher":%q}]}`, good, sandboxSmall, sandboxVoucher)
	quote := r.post("/v1/quotes", "", quoted)
	if quote["discount"] != 800.0 || quote["to_pay"] != 1200.0 {
		t.Fatalf("%v", quote)
	}
	commit := fmt.Sprintf(`{"quote":%q,"pos_receipt":"R1","cashier":"7"}`, quote["id"])
	sale := r.post("/v1/sales", "k1", commit)
	if again := r.post("/v1/sales", "k1", commit); again["id"] != sale["id"] || again["seq"] != sale["seq"] {
		t.Fatalf("sent again: %v, first %v", again, sale)
	}
	if other := r.call(http.MethodPost, "/v1/sales", "k1", `{"request":{"currency":"EUR","total":1}}`); other["code"] != string(problem.IdempotencyReused) {
		t.Fatalf("%v", other)
	}
	found := r.call(http.MethodGet, "/v1/sales?pos_receipt=R1", "", "")["sales"].([]any)
	if len(found) != 1 || found[0].(map[string]any)["id"] != sale["id"] {
		t.Fatalf("%v", found)
	}
	path := fmt.Sprintf("/v1/sales/%s", sale["id"])
	if void := r.post(path+"/void", "k2", `{}`); void["sale"] != sale["id"] {
		t.Fatalf("%v", void)
	}
	if twice := r.call(http.MethodPost, path+"/void", "k3", `{}`); twice["code"] != string(problem.SaleVoided) {
		t.Fatalf("%v", twice)
	}
	if after := r.call(http.MethodGet, path, "", ""); after["state"] != "voided" {
		t.Fatalf("%v", after)
	}
	if none := r.call(http.MethodPost, "/v1/voids", "k4", `{"sale_key":"never sent"}`); none["code"] != string(problem.InvalidField) {
		t.Fatalf("%v", none)
	}
	if none := r.call(http.MethodPost, "/v1/voids", "k4", `{"sale_key":"never-sent"}`); none["code"] != string(problem.SaleUnknown) {
		t.Fatalf("%v", none)
	}
	status := r.call(http.MethodGet, "/v1/status", "", "")
	if status["sandbox"] != true || status["sync"] != "sandbox" || status["store_name"] != "Sandbox" || status["online"] != false {
		t.Fatalf("%v", status)
	}
	if card, has := status["card_url"]; has {
		t.Errorf("a sandbox has no HQ to join at, but says %v", card)
	}
	if code, out, errs := edge(t, "", "--data", r.line.Data, "status", "--address", r.line.Address); code != 0 || !strings.Contains(out, `"sandbox": true`) {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	r.end(0)
	if _, err := os.Stat(r.line.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the sandbox's directory is still there: %v", err)
	}
}

// TestSandboxRefusals walks through bad codes and baskets with the real decisions.
func TestSandboxRefusals(t *testing.T) {
	r := start(t, "run", "--sandbox", "--listen", "127.0.0.1:0", "--log-level", "error")
	good := r.code("good")
	flipped := []byte(good)
	flipped[60] = map[bool]byte{true: '1', false: '0'}[flipped[60] == '0']
	scan := func(code string) string { return fmt.Sprintf(`{"code":%q}`, code) }
	basket := func(rest string) string { return fmt.Sprintf(`{"code":%q,"currency":"EUR",%s}`, good, rest) }
	const scans, quotes = "/v1/scan", "/v1/quotes"
	for name, tc := range map[string]struct {
		path, body string
		want       problem.Code
	}{
		"expired":              {scans, scan(r.code("expired")), problem.CodeExpired},
		"blocked":              {scans, scan(r.code("blocked")), problem.CodeBlocked},
		"cut short":            {scans, scan(good[:80]), problem.CodeTruncated},
		"bit flipped":          {scans, scan(string(flipped)), problem.CodeForged},
		"somebody else's":      {scans, scan("https://example.com"), problem.CodeUnreadable},
		"over the cap":         {quotes, fmt.Sprintf(`{"code":%q,"currency":"EUR","total":9000,"redeem":[{"reward":%q}]}`, r.code("over_cap"), sandboxLarge), problem.CapPerSale},
		"zero":                 {quotes, basket(`"total":0`), problem.AmountInvalid},
		"negative":             {quotes, basket(`"total":-1`), problem.AmountInvalid},
		"negative line":        {quotes, basket(`"total":1,"lines":[{"amount":2},{"amount":-1}]`), problem.AmountInvalid},
		"lines overflow":       {quotes, basket(`"total":1,"lines":[{"amount":9223372036854775807},{"amount":9223372036854775807}]`), problem.AmountOverflow},
		"number overflows":     {quotes, basket(`"total":9223372036854775808`), problem.AmountOverflow},
		"another currency":     {quotes, fmt.Sprintf(`{"code":%q,"currency":"USD","total":1}`, good), problem.CurrencyMismatch},
		"unknown reward":       {quotes, basket(fmt.Sprintf(`"total":900,"redeem":[{"reward":%q}]`, sandboxGood)), problem.RewardUnknown},
		"unknown voucher":      {quotes, basket(fmt.Sprintf(`"total":900,"redeem":[{"voucher":%q}]`, sandboxGood)), problem.VoucherUnknown},
		"discount too large":   {quotes, basket(fmt.Sprintf(`"total":100,"redeem":[{"reward":%q}]`, sandboxSmall)), problem.DiscountTooLarge},
		"quote never made":     {"/v1/sales", fmt.Sprintf(`{"quote":%q}`, sandboxGood), problem.QuoteUnknown},
		"sale never made":      {"/v1/sales/" + sandboxGood.String() + "/void", `{}`, problem.SaleUnknown},
		"redeems for nobody":   {quotes, fmt.Sprintf(`{"currency":"EUR","total":900,"redeem":[{"reward":%q}]}`, sandboxSmall), problem.MemberUnknown},
		"scan that is unknown": {quotes, fmt.Sprintf(`{"scans":[%q],"currency":"EUR","total":900}`, sandboxGood), problem.QuoteUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.call(http.MethodPost, tc.path, "key", tc.body)
			if got["code"] != string(tc.want) || got["say"] == nil {
				t.Fatalf("%v, want %s", got, tc.want)
			}
		})
	}
	// The first entries are the enrolment, the new cache, and the policy.
	if status := r.call(http.MethodGet, "/v1/status", "", ""); status["head_seq"].(float64) > 3 {
		t.Fatalf("a refused call was journalled: %v", status)
	}
}

// TestTheDocumentedCalls runs the examples of docs/edge-api.md as they stand there.
func TestTheDocumentedCalls(t *testing.T) {
	for _, program := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on this machine", program)
		}
	}
	page, err := os.ReadFile("../../docs/edge-api.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "set -eu\n"
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1)
	for _, block := range blocks {
		script += string(block[1]) + "\necho\n"
	}
	r := start(t, "run", "--sandbox", "--listen", "127.0.0.1:0", "--log-level", "error")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Env = append(os.Environ(), "AGENT="+r.line.Address, "TOKEN="+r.token, "CODE="+r.code("good"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"kind":"member"`, `"to_pay":1200`, `"state":"committed"`, `"sales":[{`, `"sale":"`, `"head_seq":`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the answers do not have %s:\n%s", want, out)
		}
	}
	for _, id := range []string{sandboxSmall.String(), sandboxVoucher.String(), sandboxLarge.String()[24:][8:]} {
		if !strings.Contains(string(page), id) {
			t.Errorf("the page does not name %s", id)
		}
	}
}
