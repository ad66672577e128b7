package edgeclient_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
)

func TestSellQuotesThenCommitsUnderTheReceipt(t *testing.T) {
	quote := uuid.New()
	var committed edgeclient.SaleRequest
	var key string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/quotes", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		wish := in["redeem"].([]any)[0].(map[string]any)
		if _, ok := wish["voucher"]; ok {
			t.Error("an empty voucher id was sent")
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": quote, "to_pay": 500})
	})
	mux.HandleFunc("POST /v1/sales", func(w http.ResponseWriter, r *http.Request) {
		key = r.Header.Get("Idempotency-Key")
		if err := json.NewDecoder(r.Body).Decode(&committed); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": uuid.New(), "seq": 3, "state": edgeclient.Committed})
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := edgeclient.New(server.URL, "t")
	defer c.Close()
	sale, err := c.Sell(t.Context(), "r-1", edgeclient.QuoteRequest{
		Currency: "EUR", Total: 1000, Redeem: []edgeclient.Wish{{Reward: uuid.New(), Times: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sale.Seq != 3 || sale.State != edgeclient.Committed || key != "r-1" || committed.Quote != quote || committed.Receipt != "r-1" {
		t.Fatalf("sale %+v, key %q, sent %+v", sale, key, committed)
	}
}

// What is left out must not be sent: the agent refuses an empty id, and an amount of
// zero.
func TestReturnSendsOnlyWhatIsSaid(t *testing.T) {
	sale := uuid.New()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/returns", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		want := `{"sale":"` + sale.String() + `","lines":[{"no":1,"quantity":500}]}`
		if got := strings.TrimSpace(string(raw)); got != want || r.Header.Get("Idempotency-Key") != "b-1" {
			t.Errorf("sent %s, want %s", got, want)
		}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"sale": sale, "matched": true, "left": map[string]any{"refund": 5}})
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := edgeclient.New(server.URL, "t")
	defer c.Close()
	back, err := c.Return(t.Context(), "b-1", edgeclient.ReturnRequest{Sale: sale, Lines: []edgeclient.GoodsLine{{No: 1, Quantity: 500}}})
	if err != nil || back.Sale != sale || !back.Matched || back.Left == nil || back.Left.Refund != 5 {
		t.Fatalf("%+v, %v", back, err)
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := edgeclient.ReadToken(dir)
	if err != nil || token != "abc" {
		t.Fatalf("%q, %v", token, err)
	}
	if _, err := edgeclient.ReadToken(filepath.Join(dir, "none")); err == nil {
		t.Fatal("read a token that is not there")
	}
}

func TestFree(t *testing.T) {
	s := edgeclient.Scan{Balances: []edgeclient.Balance{{Unit: "points", Free: 7}}}
	if s.Free("points") != 7 || s.Free("stamps") != 0 {
		t.Fatalf("free %d and %d", s.Free("points"), s.Free("stamps"))
	}
}
