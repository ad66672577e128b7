package google_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/wallet/google"
)

// published is Google's discovery document; nil where it cannot be had, which is said
// aloud.
var published = sync.OnceValue(func() *googledouble.Discovery {
	d, err := googledouble.LoadDiscovery(context.Background())
	if errors.Is(err, googledouble.ErrNoDiscovery) {
		os.Stderr.WriteString("SKIPPED ALOUD: bodies are not checked by Google's discovery document: " + err.Error() + "\n")
		return nil
	}
	if err != nil {
		panic(err)
	}
	return d
})

// rig is a client before a double.
type rig struct {
	*google.Client
	double  *googledouble.Double
	clock   *clock.Fake
	account google.Account
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{clock: clock.NewFake(noon)}
	var err error
	r.double, err = googledouble.Start(googledouble.Options{Issuer: issuer.ID, Now: r.clock.Now, Discovery: published()})
	must(t, err)
	t.Cleanup(r.double.Close)
	raw, err := r.double.Account()
	must(t, err)
	r.account, err = google.ReadAccount(raw)
	must(t, err)
	r.Client = google.NewClient(google.ClientOptions{
		Account: r.account, API: r.double.URL(), HTTP: r.double.Client(), Now: r.clock.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			r.clock.Advance(d)
			return ctx.Err()
		},
	})
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fields(t *testing.T, body any) google.Fields {
	t.Helper()
	f, err := google.FieldsOf(body)
	must(t, err)
	return f
}

// insert brings both classes and a member's card to the double.
func (r *rig) insert(t *testing.T) {
	t.Helper()
	must(t, r.Insert(t.Context(), google.LoyaltyClasses, fields(t, issuer.CardClass(look))))
	must(t, r.Insert(t.Context(), google.OfferClasses, fields(t, issuer.OfferClass(look, *voucher().Voucher))))
	must(t, r.Insert(t.Context(), google.LoyaltyObjects, fields(t, card(t, member(), noon))))
}

func (r *rig) stored(t *testing.T, resource google.Resource, id string) google.Object {
	t.Helper()
	var o google.Object
	must(t, json.Unmarshal(r.double.Stored(string(resource), id), &o))
	return o
}
