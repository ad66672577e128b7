package hqclient_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
)

// fake answers as HQ does, as far as this client can get it wrong.
func fake(t *testing.T) string {
	t.Helper()
	keys := map[string]bool{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/sessions", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in["password"] != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(problem.Render(problem.New(problem.SignInFailed, "")))
			return
		}
		_, _ = w.Write([]byte(`{"token":"t1"}`))
	})
	mux.HandleFunc("POST /api/v1/stores", func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" || keys[key] || r.Header.Get("Authorization") != "Bearer t1" {
			t.Errorf("key %q, authorization %q", key, r.Header.Get("Authorization"))
		}
		keys[key] = true
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		if _, ok := in["id"]; ok {
			t.Error("an empty id was sent")
		}
		in["id"] = uuid.New()
		_ = json.NewEncoder(w).Encode(in)
	})
	mux.HandleFunc("GET /api/v1/entries", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			_, _ = w.Write([]byte(`{"items":[{"seq":1},{"seq":2}],"next":"c2"}`))
			return
		}
		_, _ = w.Write([]byte(`{"items":[{"seq":3}]}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestWrongPasswordIsAProblem(t *testing.T) {
	if _, err := hqclient.SignIn(t.Context(), fake(t), "admin", "wrong"); problem.CodeOf(err) != problem.SignInFailed {
		t.Fatalf("got %v", err)
	}
}

func TestWritesCarryNewKeysAndListsReadAllPages(t *testing.T) {
	c, err := hqclient.SignIn(t.Context(), fake(t), "admin", "right")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		store, err := c.CreateStore(t.Context(), hqclient.Store{Code: "s1", Name: "One", TimeZone: "Europe/Berlin", Currency: "EUR"})
		if err != nil || store.ID == uuid.Nil || store.Code != "s1" {
			t.Fatalf("%+v, %v", store, err)
		}
	}
	entries, err := c.Entries(t.Context(), uuid.New())
	if err != nil || len(entries) != 3 || entries[2].Seq != 3 {
		t.Fatalf("%+v, %v", entries, err)
	}
}

func TestPostingsEffectOnWhatIsFree(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		want     int64
	}{{"programme_issue", "free", 5}, {"free", "store", -5}, {"overdraft", "store", 0}} {
		if got := (hqclient.Posting{Amount: 5, From: tc.from, To: tc.to}).Free(); got != tc.want {
			t.Errorf("%s to %s: %d, want %d", tc.from, tc.to, got, tc.want)
		}
	}
}

func TestHoldingOfAnUnknownUnitIsZero(t *testing.T) {
	m := hqclient.MemberDetail{Holdings: []hqclient.Holding{{Unit: "points", Free: 5}}}
	if m.Holding("points").Free != 5 || m.Holding("stamps").Free != 0 {
		t.Fatalf("%+v", m)
	}
	if _, ok := m.Voucher(uuid.New()); ok {
		t.Fatal("found a voucher that is not there")
	}
}
