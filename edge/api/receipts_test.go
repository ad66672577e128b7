package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/internal/problem"
)

func TestAReceiptIsShownInThreeFormats(t *testing.T) {
	r := newRig(t)
	get := func(path string) response { return r.do(request{method: http.MethodGet, path: path}) }
	for _, path := range []string{"/v1/receipts/3", "/v1/sales/" + knownSale.String() + "/receipt"} {
		text := get(path + "?format=text&language=pl&columns=32&original=true")
		if text.status != 200 || !strings.HasPrefix(text.header.Get("Content-Type"), "text/plain") || !strings.Contains(string(text.body), "Sprzedaż") ||
			strings.Contains(string(text.body), "KOPIA") || r.till.paper != 3 {
			t.Fatalf("%s: %d %s", path, text.status, text.body)
		}
		raw := get(path + "?format=escpos")
		if raw.header.Get("Content-Type") != "application/vnd.escpos" || !strings.HasPrefix(string(raw.body), "\x1b@") || !strings.Contains(string(raw.body), "COPY") {
			t.Fatalf("%s: %q", path, raw.body)
		}
		var rows struct {
			Seq      int
			Language string
			Rows     []struct{ Kind, Text string }
		}
		if err := json.Unmarshal(get(path).body, &rows); err != nil || rows.Seq != 3 || rows.Language != "en" || rows.Rows[0].Text != "COPY" {
			t.Fatalf("%s: %+v, %v", path, rows, err)
		}
	}
	for _, bad := range []string{"?format=pdf", "?language=de", "?columns=23", "?columns=97"} {
		if got := get("/v1/receipts/3" + bad); got.code(t) != problem.InvalidField {
			t.Errorf("%s: %s", bad, got.body)
		}
	}
	for _, none := range []string{"0", "-1", "9223372036854775807"} {
		if got := get("/v1/receipts/" + none); got.code(t) != problem.NotFound {
			t.Errorf("entry %s: %s", none, got.body)
		}
	}
}

// withPrinter is a rig whose printer is a file.
func withPrinter(t *testing.T, change func(*api.Receipts)) (*rig, string) {
	t.Helper()
	device := filepath.Join(t.TempDir(), "lp0")
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	transport, err := print.Open("file://"+device, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var r *rig
	receipts := api.Receipts{Language: print.Turkish, Columns: 42, Originals: print.NewOriginals(2)}
	receipts.Service = print.Start(transport, time.Now, func(s print.State) { r.server.PrinterChanged(s) })
	if change != nil {
		change(&receipts)
	}
	r = newRigWith(t, func(c *api.Config) { c.Receipts = receipts })
	t.Cleanup(func() {
		if err := receipts.Service.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r, device
}

func TestAReceiptIsPrintedOnceAsTheFirst(t *testing.T) {
	r, device := withPrinter(t, nil)
	path := "/v1/sales/" + knownSale.String() + "/print"
	for n, want := range []string{`{"copy":false,"seq":3}`, `{"copy":true,"seq":3}`} {
		if got := r.do(request{path: path, body: `{"original":true}`}); got.status != 200 || string(got.body) != want {
			t.Fatalf("receipt %d: %d %s", n, got.status, got.body)
		}
	}
	if got := r.do(request{path: "/v1/receipts/2/print", body: `{"original":true,"language":"pl"}`}); string(got.body) != `{"copy":true,"seq":2}` {
		t.Fatalf("of an entry from before the start: %s", got.body)
	}
	raw, err := os.ReadFile(device)
	if err != nil || strings.Count(string(raw), "\x1b@") != 3 || strings.Count(string(raw), "KOPYA") != 2 || strings.Count(string(raw), "KOPIA") != 2 {
		t.Fatalf("%q, %v", raw, err)
	}
	if got := r.do(request{method: http.MethodGet, path: "/v1/printer"}); !strings.Contains(string(got.body), `"state":"ready"`) {
		t.Fatalf("%s", got.body)
	}
}

// A printer that is away costs a receipt: the sale is made, and the first receipt is still
// to be had.
func TestAPrinterThatIsAwayCostsNoSale(t *testing.T) {
	r, device := withPrinter(t, func(s *api.Receipts) { s.After = true })
	if err := os.Remove(device); err != nil {
		t.Fatal(err)
	}
	next, end := r.stream(t.Context())
	defer end()
	sale := request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `"}`}
	if got := r.do(sale); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for name := ""; name != "printer"; {
		var err error
		if name, err = next(); err != nil {
			t.Fatal(err)
		}
	}
	path := "/v1/sales/" + knownSale.String() + "/print"
	if got := r.do(request{path: path, body: `{"original":true}`}); got.code(t) != problem.PrinterAway {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := r.do(request{method: http.MethodGet, path: "/v1/printer"}); !strings.Contains(string(got.body), `"state":"away"`) {
		t.Fatalf("%s", got.body)
	}
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.do(request{path: path, body: `{"original":true}`}); string(got.body) != `{"copy":false,"seq":3}` {
		t.Fatalf("%d %s", got.status, got.body)
	}
}

func TestWithoutAPrinterNothingIsPrinted(t *testing.T) {
	r := newRig(t)
	if got := r.do(request{path: "/v1/receipts/3/print", body: `{}`}); got.code(t) != problem.PrinterNone {
		t.Fatalf("%s", got.body)
	}
	if got := r.do(request{method: http.MethodGet, path: "/v1/printer"}); string(got.body) != `{"queue":0,"state":"absent"}` {
		t.Fatalf("%s", got.body)
	}
}

func TestTheCodeOfAReceiptIsRead(t *testing.T) {
	r := newRig(t)
	got := r.do(request{path: "/v1/receipts/read", body: `{"code":"TSR1"}`})
	var body struct {
		Sale   uuid.UUID
		Origin struct{ Epoch, Seq int }
		Found  struct{ State string }
	}
	if err := json.Unmarshal(got.body, &body); err != nil || got.status != 200 || body.Sale != knownSale || body.Origin.Seq != 3 || body.Found.State != "returned_in_part" {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	if got := r.do(request{path: "/v1/receipts/read", body: `{"code":""}`}); got.code(t) != problem.InvalidField {
		t.Fatalf("%s", got.body)
	}
}
