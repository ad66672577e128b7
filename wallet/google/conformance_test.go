package google_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

func decodeClaims(t *testing.T, link string) map[string]json.RawMessage {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(link, ".")[3])
	must(t, err)
	var claims map[string]json.RawMessage
	must(t, json.Unmarshal(raw, &claims))
	return claims
}

// Every body we make is one that Google's discovery document describes.
func TestBodiesAreAsGooglePublishes(t *testing.T) {
	d := published()
	if d == nil {
		t.Skip("no discovery document; see above")
	}
	located, stamped := member(), look
	located.Stores, stamped.Stamps = make([]face.Place, 30), &brand.Stamps{Unit: "points", Goal: 10}
	offer := func(f face.Face) google.Object {
		o, err := issuer.Offer(pass, f, noon)
		must(t, err)
		return o
	}
	voided, big, plain := member(), member(), member()
	voided.Voided = true
	big.Balances[0].Amount, big.Balances[1].Amount = 1<<53, 1<<53
	plain.Rotating = nil
	used := voucher()
	used.Voucher.Left = 0
	linked, err := issuer.Card(pass, located, stamped, []string{pass}, noon)
	must(t, err)
	told := google.Telling{ID: "m", Header: map[string]string{"en": "h"}, Body: map[string]string{"en": "b"}}
	notify, err := fields(t, card(t, member(), noon)).Notifying()
	must(t, err)
	for _, c := range []struct {
		schema string
		body   any
	}{
		{"LoyaltyClass", issuer.CardClass(look)},
		{"OfferClass", issuer.OfferClass(look, *voucher().Voucher)},
		{"LoyaltyObject", card(t, member(), noon)},
		{"LoyaltyObject", card(t, voided, noon)},
		{"LoyaltyObject", card(t, big, noon)},
		{"LoyaltyObject", card(t, plain, noon)},
		{"LoyaltyObject", linked},
		{"LoyaltyObject", card(t, member(), noon.AddDate(3, 0, 0))},
		{"LoyaltyObject", notify},
		{"OfferObject", offer(voucher())},
		{"OfferObject", offer(used)},
		{"AddMessageRequest", map[string]any{"message": told.Message("tr", true)}},
		{"AddMessageRequest", map[string]any{"message": told.Message("de", false)}},
	} {
		raw, err := json.Marshal(c.body)
		must(t, err)
		if found := d.Check(c.schema, raw); len(found) != 0 {
			t.Errorf("%s: %s\n%s", c.schema, strings.Join(found, "\n"), raw)
		}
	}
	t.Logf("checked by revision %s", d.Revision)
}
