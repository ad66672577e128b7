package google_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/wallet/google"
)

func TestObjectsAreWrittenByREST(t *testing.T) {
	r := newRig(t)
	r.insert(t)
	before := fields(t, card(t, member(), noon))
	if err := r.Insert(t.Context(), google.LoyaltyObjects, before); google.KindOf(err) != google.Exists {
		t.Errorf("again: %v", err)
	}
	f := member()
	f.Balances[0].Amount, f.Rotating = 130, nil
	patch := fields(t, card(t, f, noon)).Since(before.Sent())
	must(t, r.Patch(t.Context(), google.LoyaltyObjects, issuer.ObjectID(pass), patch))
	if o := r.stored(t, google.LoyaltyObjects, issuer.ObjectID(pass)); *o.LoyaltyPoints.Balance.Int != 130 || o.RotatingBarcode != nil || o.Barcode == nil || o.AccountName != "Żaneta" {
		t.Errorf("%+v", o)
	}
	var got google.Object
	must(t, r.Get(t.Context(), google.LoyaltyObjects, issuer.ObjectID(pass), &got))
	if got.ClassID != issuer.CardClassID() {
		t.Errorf("%+v", got)
	}
	told := google.Telling{ID: "m1", Header: map[string]string{"en": "A reward", "pl": "Nagroda"}, Body: map[string]string{"en": "Coffee is yours."}}
	must(t, r.AddMessage(t.Context(), google.LoyaltyObjects, issuer.ObjectID(pass), told.Message("pl", true)))
	if n := r.double.Notified("loyaltyObject", issuer.ObjectID(pass)); n != 1 {
		t.Errorf("the phone was told %d times", n)
	}
	if r.double.Tokens() != 1 {
		t.Errorf("%d tokens for one hour", r.double.Tokens())
	}
	if bad := r.double.Refusals(); len(bad) != 0 {
		t.Errorf("refused: %v", bad)
	}
}

func TestATokenIsFetchedShortlyBeforeItsEndAndWhenItIsTakenAway(t *testing.T) {
	r := newRig(t)
	class := fields(t, issuer.CardClass(look))
	must(t, r.Insert(t.Context(), google.LoyaltyClasses, class))
	ask := func(want int) {
		t.Helper()
		must(t, r.Patch(t.Context(), google.LoyaltyClasses, issuer.CardClassID(), class))
		if got := r.double.Tokens(); got != want {
			t.Errorf("%d tokens, want %d", got, want)
		}
	}
	r.clock.Advance(58 * time.Minute)
	ask(1)
	r.clock.Advance(90 * time.Second) // a minute before its end
	ask(2)
	r.double.Revoke()
	ask(3)
	r.double.Always(&googledouble.Fault{Status: http.StatusUnauthorized})
	if err := r.Patch(t.Context(), google.LoyaltyClasses, issuer.CardClassID(), class); google.KindOf(err) != google.Unauthorized {
		t.Errorf("refused twice: %v", err)
	}
	if got := r.double.Tokens(); got != 4 {
		t.Errorf("%d tokens: one more is tried, and no third", got)
	}
}

func TestAnswersHaveTheirKind(t *testing.T) {
	r := newRig(t)
	class := fields(t, issuer.CardClass(look))
	for _, c := range []struct {
		fault googledouble.Fault
		kind  google.Kind
		after time.Duration
	}{
		{googledouble.Fault{Status: 403}, google.Denied, 0},
		{googledouble.Fault{Status: 404}, google.Missing, 0},
		{googledouble.Fault{Status: 409}, google.Exists, 0},
		{googledouble.Fault{Status: 400}, google.Refused, 0},
		{googledouble.Fault{Status: 429, After: "7"}, google.Later, 7 * time.Second},
		{googledouble.Fault{Status: 429, After: "99999999999"}, google.Later, time.Hour},
		{googledouble.Fault{Status: 500}, google.Later, 0},
		{googledouble.Fault{Status: 503, After: "9999"}, google.Later, time.Hour},
		{googledouble.Fault{Status: 302}, google.Later, 0},
		{googledouble.Fault{Silence: true}, google.Later, 0},
	} {
		r.double.Next(c.fault)
		err := r.Insert(t.Context(), google.LoyaltyClasses, class)
		if google.KindOf(err) != c.kind || google.AfterOf(err) != c.after {
			t.Errorf("%+v: %v, to wait %s", c.fault, err, google.AfterOf(err))
		}
	}
	r.double.Close()
	if err := r.Insert(t.Context(), google.LoyaltyClasses, class); google.KindOf(err) != google.Later {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Insert(ctx, google.LoyaltyClasses, class); !errors.Is(err, context.Canceled) || google.KindOf(err) != "" {
		t.Errorf("given up by us: %v", err)
	}
}

func TestTwentyRequestsASecond(t *testing.T) {
	r := newRig(t)
	must(t, r.Insert(t.Context(), google.LoyaltyClasses, fields(t, issuer.CardClass(look))))
	r.clock.Advance(time.Minute)
	for range 60 {
		var c google.LoyaltyClass
		must(t, r.Get(t.Context(), google.LoyaltyClasses, issuer.CardClassID(), &c))
	}
	if peak := r.double.Peak(); peak < google.PerSecond-2 || peak > google.PerSecond+5 {
		t.Errorf("%d requests in a second", peak)
	}
	if took := r.clock.Now().Sub(noon.Add(time.Minute)); took < 2500*time.Millisecond {
		t.Errorf("60 requests took %s", took)
	}
}

func TestBadAccountFilesAreNamedWithoutTheKey(t *testing.T) {
	r := newRig(t)
	good, err := r.double.Account()
	must(t, err)
	change := func(name, value string) []byte {
		var f map[string]string
		must(t, json.Unmarshal(good, &f))
		f[name] = value
		raw, err := json.Marshal(f)
		must(t, err)
		return raw
	}
	for name, raw := range map[string][]byte{
		"not JSON": []byte("-----BEGIN"), "huge": make([]byte, 1<<20), "a user's": change("type", "authorized_user"),
		"no name": change("client_email", ""), "no key": change("private_key", "SECRET"), "plain http": change("token_uri", "http://x"),
	} {
		if _, err := google.ReadAccount(raw); !errors.Is(err, google.ErrAccount) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := r.account.String(); strings.Contains(text, "KEY") || text != googledouble.Email {
		t.Errorf("an account prints as %q", text)
	}
}

// The TOTP key and the code never travel in a link, whoever the member is.
func TestASaveLinkOnlyNamesTheObject(t *testing.T) {
	r := newRig(t)
	r.insert(t)
	link, err := google.SaveLink(r.account, issuer, "member", pass, []string{"https://loyalty.example.org"}, r.clock.Now())
	must(t, err)
	phone, err := r.double.Save(link)
	must(t, err)
	o := r.stored(t, google.LoyaltyObjects, phone.Object())
	claims := decodeClaims(t, link)
	var payload map[string][]map[string]any
	must(t, json.Unmarshal(claims["payload"], &payload))
	if len(payload) != 1 || len(payload["loyaltyObjects"]) != 1 || len(payload["loyaltyObjects"][0]) != 1 || payload["loyaltyObjects"][0]["id"] != issuer.ObjectID(pass) {
		t.Errorf("the payload is %s", claims["payload"])
	}
	for _, raw := range claims {
		for _, secret := range []string{o.RotatingBarcode.TOTP.Parameters[0].Key, member().Code, "Żaneta"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("the link has %q", secret)
			}
		}
	}
	if _, err := google.SaveLink(r.account, issuer, "member", pass, []string{"https://" + strings.Repeat("x", 900)}, r.clock.Now()); !errors.Is(err, google.ErrLink) {
		t.Errorf("a long link: %v", err)
	}
	offer, err := google.SaveLink(r.account, issuer, "voucher", pass, nil, r.clock.Now())
	must(t, err)
	if _, err := r.double.Save(offer); err == nil {
		t.Error("an offer that is not at Google was saved")
	}
	t.Logf("a Save link has %d characters", len(link))
}
