package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

var update = flag.Bool("update", false, "write openapi.json from openapi.yaml")

// TestDocumentIsCurrent checks that what is served is what was written.
func TestDocumentIsCurrent(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	compact, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, compact, "", " "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatal("openapi.json is behind openapi.yaml; run go generate ./edge/api")
	}
}

func TestAccess(t *testing.T) {
	r := newRig(t)
	port := r.base[strings.LastIndex(r.base, ":"):]
	status := func(header map[string]string, host string) request {
		return request{method: http.MethodGet, path: "/v1/status", header: header, host: host}
	}
	for name, tc := range map[string]struct {
		request
		want problem.Code
	}{
		"with the token":             {status(nil, ""), ""},
		"by name":                    {status(nil, "localhost"+port), ""},
		"by IPv6":                    {status(nil, "[::1]"+port), ""},
		"own page":                   {status(map[string]string{"Origin": r.base, "Sec-Fetch-Site": "same-origin"}, ""), ""},
		"no token":                   {status(map[string]string{"Authorization": ""}, ""), problem.Unauthenticated},
		"wrong token":                {status(map[string]string{"Authorization": "Bearer " + testToken + "x"}, ""), problem.Unauthenticated},
		"other scheme":               {status(map[string]string{"Authorization": "Basic " + testToken}, ""), problem.Unauthenticated},
		"empty token":                {status(map[string]string{"Authorization": "Bearer "}, ""), problem.Unauthenticated},
		"rebound name":               {status(nil, "evil.example"+port), problem.ForeignOrigin},
		"other port":                 {status(nil, "127.0.0.1:1"), problem.ForeignOrigin},
		"no port":                    {status(nil, "127.0.0.1"), problem.ForeignOrigin},
		"name that looks alike":      {status(nil, "localhost.evil.example"+port), problem.ForeignOrigin},
		"foreign page":               {status(map[string]string{"Origin": "https://evil.example"}, ""), problem.ForeignOrigin},
		"sandboxed page":             {status(map[string]string{"Origin": "null"}, ""), problem.ForeignOrigin},
		"own page by another scheme": {status(map[string]string{"Origin": "https://127.0.0.1" + port}, ""), problem.ForeignOrigin},
		"image on a foreign page":    {status(map[string]string{"Sec-Fetch-Site": "cross-site"}, ""), problem.ForeignOrigin},
		"preflight of a foreign page": {request{method: http.MethodOptions, path: "/v1/sales", header: map[string]string{
			"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Authorization": "",
		}}, problem.ForeignOrigin},
		"health without a token":    {request{method: http.MethodGet, path: "/healthz", header: map[string]string{"Authorization": ""}}, ""},
		"health by a rebound name":  {request{method: http.MethodGet, path: "/healthz", host: "evil.example" + port}, problem.ForeignOrigin},
		"health, spelled otherwise": {request{method: http.MethodGet, path: "/HEALTHZ", header: map[string]string{"Authorization": ""}}, problem.Unauthenticated},
		"a sale that decodes to health": {request{
			method: http.MethodGet, path: "/v1/sales/%2e%2e%2f%2e%2e%2fhealthz", header: map[string]string{"Authorization": ""},
		}, problem.Unauthenticated},
		"metrics without a token":  {request{method: http.MethodGet, path: "/metrics", header: map[string]string{"Authorization": ""}}, problem.Unauthenticated},
		"document without a token": {request{method: http.MethodGet, path: "/v1/openapi.json", header: map[string]string{"Authorization": ""}}, problem.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.do(tc.request)
			if code := got.code(t); code != tc.want {
				t.Fatalf("%d %q, want %q", got.status, code, tc.want)
			}
			for header := range got.header {
				if strings.HasPrefix(header, "Access-Control-") {
					t.Fatalf("answers with %s", header)
				}
			}
			if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
				t.Fatal("security headers are missing")
			}
		})
	}
}

func TestCallsReachTheTill(t *testing.T) {
	r := newRig(t)
	ok := func(q request, status int) response {
		t.Helper()
		got := r.do(q)
		if got.status != status {
			t.Fatalf("%s: %d %s", q.path, got.status, got.body)
		}
		return got
	}
	ok(request{path: "/v1/scan", body: `{"code":"x"}`, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}}, 200)
	ok(request{path: "/v1/quotes", body: `{"code":"x","scans":["` + knownQuote.String() + `"],"currency":"EUR","total":5,
		"lines":[{"amount":2},{"amount":3,"no":9,"quantity":500}],"redeem":[{"reward":"` + knownReward.String() + `"}]}`}, 201)
	q := r.till.quoted
	if len(q.Codes) != 1 || len(q.Scans) != 1 || q.Basket.Lines[0].No != 1 || q.Basket.Lines[0].Quantity != 1000 ||
		q.Basket.Lines[1].No != 9 || q.Basket.Lines[1].Quantity != 500 || q.Wishes[0].Times != 1 {
		t.Fatalf("%+v", q)
	}
	ok(request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `","pos_receipt":"R1"}`}, 201)
	first := r.till.commit
	ok(request{path: "/v1/sales", body: "{ \"pos_receipt\":\"R1\",\n\"quote\":\"" + knownQuote.String() + `"}`}, 201)
	if r.till.commit.KeyHash != first.KeyHash {
		t.Fatal("the same request, spaced otherwise, has another hash")
	}
	ok(request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `","pos_receipt":"R2"}`}, 201)
	if r.till.commit.KeyHash == first.KeyHash {
		t.Fatal("another request has the same hash")
	}
	ok(request{method: http.MethodGet, path: "/v1/sales/" + knownSale.String()}, 200)
	ok(request{method: http.MethodGet, path: "/v1/sales?pos_receipt=R1"}, 200)
	for key, sales := range map[string]string{"made": `"sales":[{`, "lost": `"sales":[]`} {
		if got := ok(request{method: http.MethodGet, path: "/v1/sales?key=" + key}, 200); !strings.Contains(string(got.body), sales) {
			t.Fatalf("by the key %s: %s", key, got.body)
		}
	}
	ok(request{path: "/v1/sales/" + knownSale.String() + "/void", body: `{"cashier":"7"}`}, 201)
	if r.till.void.Sale != knownSale || r.till.void.Cashier != "7" {
		t.Fatalf("%+v", r.till.void)
	}
	ok(request{path: "/v1/voids", body: `{"sale_key":"lost"}`}, 201)
	if r.till.void.SaleKey != "lost" || r.woken != 5 {
		t.Fatalf("%+v, woken %d times", r.till.void, r.woken)
	}
	ok(request{method: http.MethodGet, path: "/v1/status"}, 200)
	ok(request{method: http.MethodGet, path: "/v1/openapi.json"}, 200)
	if text := string(ok(request{method: http.MethodGet, path: "/metrics"}, 200).body); !strings.Contains(text, `tallystick_edge_call_seconds_count{method="GET",route="/v1/sales/:id",status="200"} 1`) {
		t.Fatalf("the call is not in the metrics:\n%s", text)
	}
}

func TestReturnsReachTheTill(t *testing.T) {
	r := newRig(t)
	send := func(body string) (till.Return, map[string]any) {
		t.Helper()
		got := r.do(request{path: "/v1/returns", body: body})
		var out map[string]any
		if err := json.Unmarshal(got.body, &out); err != nil || got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", body, got.status, got.body)
		}
		return r.till.back, out
	}
	all, answer := send(`{"sale":"` + knownSale.String() + `"}`)
	if all.Sale != knownSale || all.Refund != nil || all.Lines != nil || answer["matched"] != true || answer["left"] == nil {
		t.Fatalf("%+v answered %v", all, answer)
	}
	const body = `{"pos_receipt":"R1","origin":{"terminal":"0190e7a0-0000-7000-8000-0000000000b3","epoch":2,"seq":9},
		"lines":[{"no":1,"quantity":500},{"no":65535,"quantity":1,"amount":7}],"refund":{"currency":"EUR","minor":0},"receipt":"B1","cashier":"7"}`
	got, answer := send(body)
	want := till.Return{
		SaleReceipt: "R1", Origin: till.Origin{Terminal: knownReward, Epoch: 2, Seq: 9}, Refund: &entry.Money{Currency: "EUR"},
		Lines:   []till.ReturnLine{{No: 1, Quantity: 500}, {No: 65535, Quantity: 1, Amount: 7}},
		Receipt: "B1", Cashier: "7", Key: "key-1", KeyHash: got.KeyHash,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if answer["matched"] != false || answer["left"] != nil || answer["sale"] != nil || answer["receipt"] != "B1" || answer["pos_receipt"] != "R1" {
		t.Fatalf("%v", answer)
	}
	if other, _ := send(`{"pos_receipt":"R1"}`); other.KeyHash == got.KeyHash || all.KeyHash == got.KeyHash {
		t.Fatal("another request has the same hash")
	}
	if again, _ := send(body); again.KeyHash != got.KeyHash || r.woken != 4 {
		t.Fatalf("the same request has another hash, or %d calls woke the syncer", r.woken)
	}
	sale := r.do(request{method: http.MethodGet, path: "/v1/sales?pos_receipt=R1"})
	if text := string(sale.body); !strings.Contains(text, `"left":{"lines":[{"amount":2,"no":2,"quantity":1,"sku":"x"}],"refund":300}`) ||
		!strings.Contains(text, `"returned":{`) {
		t.Fatalf("%s", text)
	}
}

func TestRefusalsOfTheTillKeepTheirCode(t *testing.T) {
	r := newRig(t)
	for code, row := range problem.Table {
		if row.Say == "" {
			continue // only HQ answers with it
		}
		r.till.err = problem.New(code, "because")
		if got := r.do(request{path: "/v1/scan", body: `{"code":"x"}`}); got.code(t) != code || got.status != row.Status {
			t.Fatalf("%s became %d %s", code, got.status, got.body)
		}
	}
	r.till.err = fmt.Errorf("secret detail")
	if got := r.do(request{path: "/v1/scan", body: `{"code":"x"}`}); got.code(t) != problem.Internal || bytes.Contains(got.body, []byte("secret")) {
		t.Fatalf("%s", got.body)
	}
}

// stream opens /v1/events and returns a function that reads the next event's name.
func (r *rig) stream(ctx context.Context) (next func() (string, error), end func()) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/v1/events", http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("%d %s", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewReader(resp.Body)
	return func() (string, error) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return "", err
			}
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok {
				return name, nil
			}
		}
	}, func() { _ = resp.Body.Close() }
}

func TestEventsAndTheirStop(t *testing.T) {
	r := newRig(t)
	next, end := r.stream(t.Context())
	defer end()
	expect := func(want string) {
		t.Helper()
		if got, err := next(); got != want {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	}
	expect("status")
	r.do(request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `"}`})
	expect("sale")
	r.do(request{path: "/v1/voids", body: `{"sale_key":"lost"}`})
	expect("void")
	r.do(request{path: "/v1/returns", body: `{"pos_receipt":"R1"}`})
	expect("return")
	r.server.Synced(3, 0)
	expect("sync")
	if err := r.server.StatusChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("status")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := r.server.Stop(ctx); err != nil {
		t.Fatalf("an open stream held the stop up: %v", err)
	}
	if name, err := next(); err == nil {
		t.Fatalf("%q after the stop", name)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	r := newRig(t)
	for range 16 {
		next, end := r.stream(t.Context())
		defer end()
		if _, err := next(); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.do(request{method: http.MethodGet, path: "/v1/events"}); got.code(t) != problem.TooManyRequests {
		t.Fatalf("%d %s", got.status, got.body)
	}
}

// FuzzAPIBody sends any bytes as each body: the answer is always one of the
// document, and nothing but a well-formed request reaches the till.
func FuzzAPIBody(f *testing.F) {
	for _, seed := range []string{
		`{"code":"TS1"}`, `{"code":"x","code":"y"}`, `{"currency":"EUR","total":1,"lines":[{"amount":1}]}`,
		`{"currency":"EUR","total":9223372036854775808}`, `{"currency":"EUR","total":1,"redeem":[{"reward":"0190e7a0-0000-7000-8000-0000000000b3","times":-1}]}`,
		`{"quote":"0190e7a0-0000-7000-8000-0000000000b2","pos_receipt":"1","cashier":"7"}`, `{"sale_key":"k"}`, `null`, `[]`, `"`, "\xff", `{"a":` + strings.Repeat("[", 100),
		`{"request":{"currency":"EUR","total":1e2}}`, `{"request":null,"quote":null}`,
		`{"sale":"0190e7a0-0000-7000-8000-0000000000b1","lines":[{"no":1,"quantity":1000,"amount":1}],"refund":{"currency":"EUR","minor":1}}`,
		`{"pos_receipt":"R","origin":{"terminal":"0190e7a0-0000-7000-8000-0000000000b3","epoch":4294967296,"seq":-1},"refund":null}`,
	} {
		f.Add([]byte(seed))
	}
	r := newRig(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		inner := *r
		inner.t = t
		for _, path := range []string{"/v1/scan", "/v1/quotes", "/v1/sales", "/v1/voids", "/v1/returns"} {
			got := inner.do(request{path: path, body: string(body)})
			if got.status >= 500 {
				t.Fatalf("%s: %d %s", path, got.status, got.body)
			}
		}
	})
}
