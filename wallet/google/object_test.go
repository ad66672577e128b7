package google_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

var (
	noon   = time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)
	pass   = "4a0190a5f07c1e7b3a9d445e6f70819203"
	issuer = google.Issuer{
		ID: "3388000000012345678", Programme: uuid.MustParse("0190a5f0-0000-7000-8000-000000000001"),
		Site: "https://loyalty.example.org", Country: "PL",
	}
	look = brand.Brand{
		Programme: "Corner Shop Club", Company: "Corner Shop", Background: "#203040", Website: "https://shop.example.org",
		Texts: map[string]brand.Texts{"en": {Description: "Card of the Corner Shop Club", Terms: "Be kind."}, "tr": {Terms: "Nazik olun."}},
	}
)

func key(epoch uint32, from, to time.Time) face.RotatingKey {
	k := make([]byte, 20)
	k[19] = byte(epoch)
	return face.RotatingKey{Epoch: epoch, Key: k, NotBefore: from, NotAfter: to}
}

func member() face.Face {
	return face.Face{
		Kind: face.KindMember, Subject: uuid.UUID{7}, Name: "Żaneta", Number: "1234567890", Locale: "pl",
		Code: "TS1" + strings.Repeat("0", 138), Issue: 3, Rotating: []face.RotatingKey{key(1, noon.AddDate(0, -1, 0), noon.AddDate(0, 1, 0))},
		Balances: []face.Balance{{Unit: "points", Amount: 120, Pending: 30}, {Unit: "cashback", Amount: 350, Currency: "EUR"}},
		Expiring: []face.Expiring{{Unit: "points", Amount: 20, At: noon.AddDate(0, 0, 7)}},
		Vouchers: []face.Voucher{{ID: uuid.UUID{9}, Name: "Coffee", Discount: 250, Currency: "EUR", Left: 2, ValidTo: noon.AddDate(0, 1, 0)}},
		Next:     &face.Next{Name: "Cake", Unit: "points", Have: 120, Cost: 200},
		Tier: &face.Tier{
			Key: "silver", Names: map[string]string{"en": "Silver", "pl": "Srebrny"}, KeptUntil: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC),
			NextKey: "gold", NextNames: map[string]string{"en": "Gold", "pl": "Złoty"}, Missing: 80, Unit: "points",
		},
		AsOf: noon, ExpiresOn: noon.AddDate(1, 0, 0),
	}
}

func voucher() face.Face {
	f := member()
	f.Kind, f.Voucher, f.Vouchers, f.Balances, f.Next, f.Expiring = face.KindVoucher, &f.Vouchers[0], nil, nil, nil, nil
	return f
}

func card(t *testing.T, f face.Face, now time.Time) google.Object {
	t.Helper()
	o, err := issuer.Card(pass, f, look, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestACardSaysWhatItsFaceSays(t *testing.T) {
	o := card(t, member(), noon)
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"balance":{"int":120}`, `"money":{"currencyCode":"EUR","micros":"3500000"}`, `"accountName":"Żaneta"`, `"accountId":"1234567890"`,
		"Punkty: 20 w dniu 22.06.2026", "Points: 20 on 22 Jun 2026", "Cake: 120 z 200", `Srebrny, do 31.12.2027\nDo poziomu Złoty brakuje: Punkty: 80`, `Silver, kept until 31 Dec 2027\nTo reach Gold: Points: 80`, "2 × Coffee (2,50 EUR), do 15.07.2026",
		"15.06.2026 12:00 UTC", `"screenshotEligibility":"INELIGIBLE"`, `"end":{"date":"2027-06-15T23:59:59Z"}`, `"state":"ACTIVE"`,
		`{totp_timestamp_seconds}{totp_value_0}"`, `"periodMillis":"30000"`, `"valueLength":8`, `"language":"tr"`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
	if o.Barcode != nil {
		t.Error("a static code stands beside the rotating one, where it can be copied")
	}
}

func TestAVoidedPassShowsNoCode(t *testing.T) {
	f := member()
	f.Voided = true
	if o := card(t, f, noon); o.State != google.StateInactive || o.Barcode != nil || o.RotatingBarcode != nil {
		t.Errorf("%+v", o)
	}
}

// The key of an epoch is shown from a while after its beginning to its end, and the
// channel knows when to change it.
func TestTheKeyFollowsTheEpoch(t *testing.T) {
	begin := noon.AddDate(0, 0, 10)
	f := member()
	f.Rotating = []face.RotatingKey{key(1, noon.AddDate(0, -1, 0), begin.AddDate(0, 0, 8)), key(2, begin, begin.AddDate(1, 0, 0))}
	f.ExpiresOn = noon.AddDate(2, 0, 0)
	for _, at := range []struct {
		now  time.Time
		want uint32
		next time.Time
	}{
		{noon, 1, begin},
		{begin, 1, begin.Add(google.Settle)},
		{begin.Add(google.Settle - time.Second), 1, begin.Add(google.Settle)},
		{begin.Add(google.Settle), 2, begin.AddDate(0, 0, 8)},
		{begin.AddDate(0, 0, 8), 2, begin.AddDate(1, 0, 0)},
	} {
		got, found := google.Current(f.Rotating, at.now)
		if !found || got.Epoch != at.want {
			t.Errorf("at %s: epoch %d, want %d", at.now, got.Epoch, at.want)
		}
		if next := google.NextChange(f, at.now); !next.Equal(at.next) {
			t.Errorf("at %s: changes at %s, want %s", at.now, next, at.next)
		}
	}
	if _, found := google.Current(f.Rotating, begin.AddDate(1, 0, 0)); found {
		t.Error("a key is shown after its end")
	}
	if o := card(t, f, begin.AddDate(1, 0, 0)); o.RotatingBarcode != nil || o.Barcode == nil || o.Barcode.Value != f.Code {
		t.Error("without a key the static code is to be shown")
	}
	// A first epoch has no other to show meanwhile.
	if got, found := google.Current(f.Rotating[:1], noon.AddDate(0, -1, 0)); !found || got.Epoch != 1 {
		t.Error("the first epoch's key is not shown at once")
	}
}

func TestALaterLookIsNoPatch(t *testing.T) {
	fields := func(f face.Face) google.Fields {
		t.Helper()
		out, err := google.FieldsOf(card(t, f, noon))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	sent := fields(member()).Sent()
	f := member()
	f.AsOf = f.AsOf.Add(time.Hour)
	if got := fields(f).Since(sent); len(got) != 0 {
		t.Errorf("a later look sends %v", got)
	}
	f.Balances[0].Amount = 130
	got := fields(f).Since(sent)
	if len(got) != 2 || got["loyaltyPoints"] == nil || !strings.Contains(string(got["textModulesData"]), "13:00 UTC") || !got.Telling() {
		t.Errorf("a sale sends %v", got)
	}
	f = member()
	f.Voided = true
	got = fields(f).Since(sent)
	if string(got["rotatingBarcode"]) != "null" || string(got["state"]) != `"INACTIVE"` || got.Telling() {
		t.Errorf("voiding sends %v", got)
	}
}

func TestNamesOfAnyKindFit(t *testing.T) {
	for _, name := range []string{"", `"quotes" and \`, "👩‍👩‍👧‍👦", "שלום", strings.Repeat("é", 10_000), "line\nand\x00nul", string([]byte{0xff, 0xfe})} {
		f := member()
		f.Name, f.Next.Name = name, name
		raw, err := json.Marshal(card(t, f, noon))
		if err != nil || len(raw) > 16<<10 || strings.Contains(string(raw), `\u0000`) {
			t.Errorf("%.20q: %d bytes, %v", name, len(raw), err)
		}
	}
}

func TestObjectNamesAreReadBack(t *testing.T) {
	if got, ours := issuer.SerialOf(issuer.ObjectID(pass)); !ours || got != pass {
		t.Errorf("%s %t", got, ours)
	}
	for _, not := range []string{"", "1." + pass, issuer.ID + ".", issuer.ID + pass, issuer.ID + "." + strings.Repeat("x", 65), issuer.ID + ".a/b"} {
		if _, ours := issuer.SerialOf(not); ours {
			t.Errorf("%q is taken for ours", not)
		}
	}
}

// An object has no field for a tier: it stands beside the points, where no second balance
// does, and in words; and a member is told of a new one.
func TestATierStandsOnTheCard(t *testing.T) {
	f := member()
	if o := card(t, f, noon); o.SecondaryLoyaltyPoints.Balance.Money == nil {
		t.Errorf("beside the points stands %+v", o.SecondaryLoyaltyPoints)
	}
	f.Balances = f.Balances[:1]
	if o := card(t, f, noon); o.SecondaryLoyaltyPoints.Balance.String != "Srebrny" || o.SecondaryLoyaltyPoints.Label != "Poziom" {
		t.Errorf("beside the points stands %+v", o.SecondaryLoyaltyPoints)
	}
	told := func(f face.Face) bool {
		return slices.ContainsFunc(google.News(f, noon), func(n google.Telling) bool {
			return n.ID == "tier-silver" && n.Body["en"] == "Silver, kept until 31 Dec 2027" && n.Body["tr"] == "Silver, son gün 31.12.2027"
		})
	}
	if !told(f) {
		t.Errorf("the news are %+v", google.News(f, noon))
	}
	f.Tier = &face.Tier{NextKey: "silver", NextNames: map[string]string{"en": "Silver"}, Missing: 10, Unit: "points"}
	if o := card(t, f, noon); o.SecondaryLoyaltyPoints != nil || told(f) {
		t.Errorf("below the first tier stands %+v", o.SecondaryLoyaltyPoints)
	}
}
