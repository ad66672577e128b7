package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// googleStage starts HQ again with an account at a Google that is a double.
func googleStage(t *testing.T, s *scene) *googledouble.Double {
	t.Helper()
	discovery, err := googledouble.LoadDiscovery(t.Context())
	if errors.Is(err, googledouble.ErrNoDiscovery) {
		t.Log("SKIPPED ALOUD: bodies are not checked by Google's discovery document:", err)
	} else {
		must(t, err)
	}
	double, err := googledouble.Start(googledouble.Options{Issuer: "3388000000012345678", Discovery: discovery})
	must(t, err)
	t.Cleanup(double.Close)
	account, err := double.Account()
	must(t, err)
	file, trust := filepath.Join(s.Dir, "google.json"), filepath.Join(s.Dir, "double.pem")
	must(t, os.WriteFile(file, account, 0o600))
	must(t, os.WriteFile(trust, double.Certificate(), 0o600))
	must(t, s.HQ.Stop(t.Context()))
	s.HQ.More = []string{
		"--public-url", "https://hq.example", "--google-service-account", file, "--google-issuer", "3388000000012345678",
		"--google-api-url", double.URL(), "--google-keys-url", double.RootKeysURL(), "--wallet-trust", trust,
	}
	must(t, s.HQ.Start(t.Context()))
	return double
}

// A shopper joins, saves the card to a Google phone whose clock is a minute behind, and
// pays at a till without HQ; the points come back to the phone. The screenshot taken two
// minutes ago is refused.
func TestAGooglePhoneAtATillWithoutHQ(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	double := googleStage(t, s)
	lane := s.lane(t, "lane-1")
	shopper := hqclient.NewShopper(s.HQ.URL(), nil)
	defer shopper.Close()
	_, err := shopper.Join(t.Context(), "Ann", "en")
	must(t, err)
	link, err := shopper.GoogleLink(t.Context())
	must(t, err)
	phone, err := double.Save(link)
	must(t, err)
	phone.Off = -time.Minute
	tellHQ(t, s, double, phone.Object())

	must(t, s.HQ.Stop(t.Context()))
	show := func(at time.Time) string {
		code, err := phone.Show(at)
		must(t, err)
		return code
	}
	_, err = lane.Sell(t.Context(), "screenshot", edgeclient.QuoteRequest{Code: show(time.Now().Add(-2 * time.Minute)), Currency: stage.Currency, Total: 30_00})
	wantCode(t, "a screenshot of two minutes ago", err, problem.CodeStale)
	sale := sell(t, lane, "live", edgeclient.QuoteRequest{Code: show(time.Now()), Currency: stage.Currency, Total: 30_00})
	if sale.ID == uuid.Nil {
		t.Fatal("no sale")
	}
	must(t, s.HQ.Start(t.Context()))
	must(t, stage.Until(t.Context(), "the points on the phone", func() (bool, error) {
		if err := phone.Sync(); err != nil {
			return false, err
		}
		var object struct {
			Points struct {
				Balance struct{ Int int64 }
			} `json:"loyaltyPoints"`
		}
		err := json.Unmarshal(double.Stored("loyaltyObject", phone.Object()), &object)
		return object.Points.Balance.Int > 0, err
	}))
	if bad := double.Refusals(); len(bad) != 0 {
		t.Errorf("the double refused %v", bad)
	}
}

// tellHQ posts the callback of a saved pass, twice, and a forged one.
func tellHQ(t *testing.T, s *scene, double *googledouble.Double, object string) {
	t.Helper()
	raw, err := double.Sign(googledouble.Callback{Object: object, Event: "save"})
	must(t, err)
	for _, c := range []struct {
		raw  []byte
		want int
	}{{bytes.Replace(raw, []byte("save"), []byte("gone"), 1), 403}, {raw, 200}, {raw, 409}} {
		res, err := http.Post(s.HQ.URL()+"/wallet/google/callback", "application/json", bytes.NewReader(c.raw))
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != c.want {
			t.Errorf("a callback is answered %d, want %d", res.StatusCode, c.want)
		}
	}
}
