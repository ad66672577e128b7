package apple_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// passJSON is pass.json of a request, read strictly.
func passJSON(t *testing.T, i *apple.Issuer, r apple.Request) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(unpack(t, pass(t, i, r))["pass.json"], &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// fieldsOf returns the fields of one style by key.
func fieldsOf(t *testing.T, document map[string]any, style string) map[string]map[string]any {
	t.Helper()
	groups, is := document[style].(map[string]any)
	if !is {
		t.Fatalf("no %s in %v", style, slices.Sorted(maps.Keys(document)))
	}
	out := map[string]map[string]any{}
	for group, list := range groups {
		for _, f := range list.([]any) {
			field := f.(map[string]any)
			field["group"] = group
			out[field["key"].(string)] = field
		}
	}
	return out
}

func checkFields(t *testing.T, got map[string]map[string]any, want map[string]map[string]any) {
	t.Helper()
	for key, values := range want {
		for name, value := range values {
			if got[key][name] != value {
				t.Errorf("%s: %s is %v, want %v", key, name, got[key][name], value)
			}
		}
	}
}

// A member's card says what the face says: amounts as numbers, money with its currency,
// moments without fractions, and tells what changes.
func TestMembersCard(t *testing.T) {
	d := passJSON(t, issuer(t, nil), request(t, member(), look()))
	checkFields(t, fieldsOf(t, d, "storeCard"), map[string]map[string]any{
		"balance0":       {"group": "primaryFields", "label": "Points", "value": 1240.0, "numberStyle": "PKNumberStyleDecimal", "changeMessage": "Your balance is now %@"},
		"balance1":       {"group": "headerFields", "label": "Stamps", "value": 7.0},
		"vouchers":       {"group": "headerFields", "value": 2.0, "changeMessage": "Your vouchers: %@"},
		"next":           {"group": "secondaryFields", "value": "Breakfast 1240/2000"},
		"expiring":       {"group": "secondaryFields", "value": 200.0, "changeMessage": "Expiring soon: %@"},
		"expiresOn":      {"group": "secondaryFields", "value": "2026-12-31T23:00:00Z", "dateStyle": "PKDateStyleMedium"},
		"asOf":           {"group": "auxiliaryFields", "value": "2026-11-22T11:15:30Z", "dateStyle": "PKDateStyleShort", "timeStyle": "PKDateStyleShort", "changeMessage": nil},
		"tier":           {"group": "auxiliaryFields", "label": "Tier", "value": "Silver", "changeMessage": "Your tier is now %@"},
		"nextTier":       {"group": "auxiliaryFields", "label": "To reach: Gold", "value": 260.0, "changeMessage": nil},
		"back.tierUntil": {"value": "2027-12-31T00:00:00Z", "ignoresTimeZone": true},
		"back.balance2":  {"group": "backFields", "label": "credit", "value": 12.5, "currencyCode": "EUR", "numberStyle": nil},
		"back.pending0":  {"value": 15.0},
		"back.pending2":  {"value": 0.05, "currencyCode": "EUR"},
		"back.voucher0":  {"label": "Voucher: Free coffee", "value": "2026-12-01T00:00:00Z"},
		"back.voucher1":  {"label": "Voucher: Cake", "value": 1.0},
		"back.expiring1": {"label": "Expiring: 12.50 EUR", "value": "2027-01-31T23:00:00Z"},
		"back.number":    {"value": "1234 5678 9012 3456"},
		"back.asOf":      {"label": "Last change"},
		"back.terms":     {"value": look().Texts["en"].Terms},
		"back.website":   {"attributedValue": `<a href="https://corner.example/?a=1&amp;b=2">https://corner.example/?a=1&amp;b=2</a>`},
	})
	checkFields(t, fieldsOf(t, d, "posterGeneric"), map[string]map[string]any{
		"poster.balance0": {"group": "primaryFields", "value": 1240.0},
		"poster.vouchers": {"group": "headerFields"},
		"poster.tier":     {"group": "backFields", "value": "Silver", "changeMessage": "Your tier is now %@"},
		"poster.number":   {"group": "footerFields", "value": "1234 5678 9012 3456"},
	})
	poster := d["posterGeneric"].(map[string]any)
	if len(poster["headerFields"].([]any)) != 1 || len(poster["primaryFields"].([]any)) > 4 || len(poster["footerFields"].([]any)) != 1 {
		t.Errorf("the poster has more than fits: %v", poster)
	}
	if d["voided"] != nil || d["coupon"] != nil || d["backgroundColor"] != "rgb(20, 89, 74)" || d["description"] != "Corner Café card" {
		t.Errorf("top level is %v", d)
	}
	if got := d["locations"].([]any); len(got) != 1 || got[0].(map[string]any)["relevantText"] != "Market square" {
		t.Errorf("locations are %v", got)
	}
	if got := d["relevantDates"].([]any)[0].(map[string]any); got["startDate"] != "2026-12-29T23:00:00Z" || got["endDate"] != "2026-12-31T23:00:00Z" {
		t.Errorf("relevant dates are %v", got)
	}
}

// A stamp card lies where the balance would stand, so that goes to the header.
func TestStampCardKeepsThePictureFree(t *testing.T) {
	d := passJSON(t, issuer(t, nil), request(t, member(), stamped()))
	if d["storeCard"].(map[string]any)["primaryFields"] != nil {
		t.Error("a field lies over the stamps")
	}
	checkFields(t, fieldsOf(t, d, "storeCard"), map[string]map[string]any{"balance0": {"group": "headerFields", "value": 1240.0, "changeMessage": "Your balance is now %@"}})
}

// A voucher is a coupon with what it is worth and when it ends.
func TestVouchersCoupon(t *testing.T) {
	d := passJSON(t, issuer(t, nil), request(t, voucher(), look()))
	checkFields(t, fieldsOf(t, d, "coupon"), map[string]map[string]any{
		"discount": {"group": "primaryFields", "label": "Welcome", "value": 5.0, "currencyCode": "EUR"},
		"validTo":  {"group": "secondaryFields", "value": "2026-12-22T11:15:30Z"},
	})
	if d["storeCard"] != nil || d["posterGeneric"] != nil {
		t.Error("a voucher is a card")
	}
	many := voucher()
	many.Voucher = &face.Voucher{Name: "Free coffee", Left: 3}
	checkFields(t, fieldsOf(t, passJSON(t, issuer(t, nil), request(t, many, look())), "coupon"), map[string]map[string]any{
		"name": {"group": "primaryFields", "label": "Voucher", "value": "Free coffee"},
		"left": {"group": "headerFields", "value": 3.0, "changeMessage": "Uses left: %@"},
	})
}

// A pass ends with its code, and a coupon with its voucher when that is sooner.
func TestExpirationDate(t *testing.T) {
	day, noon := time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 10, 12, 0, 0, 5, time.FixedZone("", 3600))
	for _, tc := range []struct {
		name            string
		code, voucherTo time.Time
		want            any
	}{
		{"neither", time.Time{}, time.Time{}, nil},
		{"the code alone", day, time.Time{}, "2027-01-10T23:59:59Z"},
		{"the voucher alone", time.Time{}, noon, "2027-01-10T11:00:00Z"},
		{"the voucher sooner", day, noon, "2027-01-10T11:00:00Z"},
		{"the code sooner", day, noon.AddDate(0, 0, 2), "2027-01-10T23:59:59Z"},
	} {
		f := voucher()
		f.ExpiresOn, f.Voucher.ValidTo = tc.code, tc.voucherTo
		if got := passJSON(t, issuer(t, nil), request(t, f, look()))["expirationDate"]; got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// A pass without updates carries no token, one that is void says so, and neither is shared.
func TestTopLevel(t *testing.T) {
	f := member()
	f.Voided = true
	d := passJSON(t, issuer(t, func(o *apple.Options) { o.ServiceURL = "" }), request(t, f, look()))
	if d["voided"] != true || d["sharingProhibited"] != true || d["webServiceURL"] != nil || d["authenticationToken"] != nil || d["relevantDates"] != nil {
		t.Errorf("top level is %v", d)
	}
	actions := d["featuredActions"].([]any)
	if len(actions) != 2 || actions[0].(map[string]any)["type"] != "viewOffersRewards" || actions[1].(map[string]any)["url"] != look().Website {
		t.Errorf("actions are %v", actions)
	}
}

// More stores than Wallet takes do not make it drop the pass.
func TestTenLocations(t *testing.T) {
	f := member()
	f.Stores = nil
	for n := range 25 {
		f.Stores = append(f.Stores, face.Place{Name: "Store", Latitude: float64(n + 1), Longitude: -180})
	}
	if got := passJSON(t, issuer(t, nil), request(t, f, look()))["locations"].([]any); len(got) != 10 {
		t.Errorf("%d locations", len(got))
	}
}

// Whatever texts hold, every kind of pass is valid JSON with one key each, lines on the
// front, limits kept, and no fraction of a second.
func TestNoTextBreaksAPass(t *testing.T) {
	i := issuer(t, nil)
	for name, r := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			raw := unpack(t, pass(t, i, r))["pass.json"]
			if !utf8.Valid(raw) || bytes.Contains(raw, []byte(`\u003c`)) {
				t.Error("pass.json is not plain UTF-8")
			}
			d := passJSON(t, i, r)
			seen := map[string]bool{}
			for _, style := range []string{"storeCard", "posterGeneric", "coupon"} {
				if d[style] == nil {
					continue
				}
				for key, f := range fieldsOf(t, d, style) {
					if seen[key] {
						t.Errorf("key %s stands twice", key)
					}
					seen[key] = true
					checkText(t, key, f)
				}
			}
		})
	}
}

func checkText(t *testing.T, key string, f map[string]any) {
	t.Helper()
	text, is := f["value"].(string)
	if !is {
		return
	}
	if f["dateStyle"] != nil {
		if at, err := time.Parse("2006-01-02T15:04:05Z", text); err != nil {
			t.Errorf("%s: %v (%v)", key, err, at)
		}
		return
	}
	if f["group"] != "backFields" && (strings.Contains(text, "\n") || utf8.RuneCountInString(text) > 2000) {
		t.Errorf("%s is %q", key, text)
	}
	for _, bad := range []string{"\x00", "\x1b", "\u202E", "\r", "\uFEFF"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s has %q", key, bad)
		}
	}
}

// What phones take no pass with is refused when the issuer or the pass is made.
func TestOptionsThatPhonesDoNotTake(t *testing.T) {
	c, err := authority().Credentials(now)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	for name, o := range map[string]apple.Options{
		"no credentials":    {Now: clock},
		"no clock":          {Credentials: c},
		"service not https": {Credentials: c, Now: clock, ServiceURL: "http://hq.example"},
		"card not https":    {Credentials: c, Now: clock, CardURL: "hq.example/card"},
		"unknown barcode":   {Credentials: c, Now: clock, Barcodes: []apple.Barcode{"PKBarcodeFormatMaxi"}},
		"barcode twice":     {Credentials: c, Now: clock, Barcodes: []apple.Barcode{apple.QR, apple.QR}},
	} {
		if _, err := apple.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestRequestsThatMakeNoPass(t *testing.T) {
	i := issuer(t, nil)
	base := request(t, member(), look())
	big := slices.Clone(base.Images)
	big[0].PNG = append(slices.Clone(big[0].PNG), make([]byte, 50<<20)...)
	resized := slices.Clone(base.Images)
	resized[0].PNG = resized[1].PNG
	for name, tc := range map[string]struct {
		change func(*apple.Request)
		says   string
	}{
		"no serial":        {func(r *apple.Request) { r.Serial = "" }, "serial number"},
		"a path as serial": {func(r *apple.Request) { r.Serial = "../x" }, "serial number"},
		"a long serial":    {func(r *apple.Request) { r.Serial = strings.Repeat("x", 5000) }, "serial number"},
		"a short token":    {func(r *apple.Request) { r.AuthToken = "short" }, "5 characters"},
		"no code":          {func(r *apple.Request) { r.Face.Code = "" }, "no code"},
		"an accented code": {func(r *apple.Request) { r.Face.Code = "TS1é" }, "ASCII"},
		"no voucher":       {func(r *apple.Request) { r.Face.Kind = face.KindVoucher }, "no voucher"},
		"unknown kind":     {func(r *apple.Request) { r.Face.Kind = "x" }, "kind"},
		"no icon":          {func(r *apple.Request) { r.Images = r.Images[1:] }, "icon.png is missing"},
		"an image twice":   {func(r *apple.Request) { r.Images = append(slices.Clone(r.Images), r.Images[0]) }, "twice"},
		"a foreign name":   {func(r *apple.Request) { r.Images = append(slices.Clone(r.Images), brand.Image{Name: "../pass.json"}) }, "not named"},
		"a strange image":  {func(r *apple.Request) { r.Images = append(slices.Clone(r.Images), brand.Image{Name: "footer.png"}) }, "not one that"},
		"not a PNG":        {func(r *apple.Request) { r.Images = []brand.Image{{Name: "icon.png", PNG: []byte("GIF89a")}} }, "PNG"},
		"50 MB":            {func(r *apple.Request) { r.Images = big }, "bytes"},
		"another size":     {func(r *apple.Request) { r.Images = resized }, "58×58"},
	} {
		t.Run(name, func(t *testing.T) {
			r := base
			tc.change(&r)
			if _, err := i.Pass(r); err == nil || !strings.Contains(err.Error(), tc.says) || len(err.Error()) > 400 {
				t.Errorf("error is %.500v, want %q", err, tc.says)
			}
		})
	}
}

// Codes come in the order of preference, the card number where a laser reads, and never
// for a voucher, whose number is none.
func TestBarcodes(t *testing.T) {
	odd, named, without := member(), member(), member()
	odd.Number, named.Number, without.Number = "123 4567", "ß", ""
	for _, tc := range []struct {
		name string
		list []apple.Barcode
		face face.Face
		want string
	}{
		{"an odd number of digits", []apple.Barcode{apple.ITF, apple.Code39}, odd, "Code39:1234567 QR:token"},
		{"a number that no laser reads", []apple.Barcode{apple.Code39, apple.Code128}, named, "QR:token"},
		{"no number", []apple.Barcode{apple.Code128, apple.PDF417}, without, "PDF417:token"},
		{"none", nil, member(), "QR:token"},
		{"lasers first", []apple.Barcode{apple.ITF, apple.Code128}, member(), "I2of5:number Code128:number"},
		{"new ones alone", []apple.Barcode{apple.ITF}, member(), "I2of5:number QR:token"},
		{"two-dimensional", []apple.Barcode{apple.Aztec, apple.PDF417}, member(), "Aztec:token PDF417:token"},
		{"a voucher", []apple.Barcode{apple.Code128, apple.Aztec}, voucher(), "Aztec:token"},
		{"a voucher and lasers alone", []apple.Barcode{apple.Code128}, voucher(), "QR:token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := passJSON(t, issuer(t, func(o *apple.Options) { o.Barcodes = tc.list }), request(t, tc.face, look()))
			var got []string
			for _, b := range d["barcodes"].([]any) {
				code := b.(map[string]any)
				what := code["message"].(string)
				if named := map[string]string{tc.face.Code: "token", "1234567890123456": "number"}[what]; named != "" {
					what = named
				}
				got = append(got, strings.TrimPrefix(code["format"].(string), "PKBarcodeFormat")+":"+what)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("codes are %q, want %q", got, tc.want)
			}
		})
	}
}
