package apple_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

const (
	passType = "pass.example.tally"
	team     = "ABCDE12345"
)

var now = time.Date(2026, 11, 22, 11, 15, 30, 123456789, time.UTC)

// authority is one for all tests: its keys take a while to make.
var authority = sync.OnceValue(func() *apple.Authority {
	a, err := apple.SelfMade(passType, team, now, rand.Reader)
	if err != nil {
		panic(err)
	}
	return a
})

var painter = brand.NewPainter()

func issuer(t testing.TB, change func(*apple.Options)) *apple.Issuer {
	t.Helper()
	c, err := authority().Credentials(now)
	if err != nil {
		t.Fatal(err)
	}
	o := apple.Options{
		Credentials: c, ServiceURL: "https://hq.example/wallet/apple/", CardURL: "https://hq.example/card",
		Now: func() time.Time { return now },
	}
	if change != nil {
		change(&o)
	}
	i, err := apple.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// member is a face with everything on it.
func member() face.Face {
	return face.Face{
		Kind: face.KindMember, Subject: uuid.UUID{1}, Name: "Ada Lovelace", Number: "1234 5678 9012 3456", Locale: "en",
		Code: "TS1" + strings.Repeat("0123456789ABCDEFGHJKMNPQRSTVWX", 5)[:138],
		Balances: []face.Balance{
			{Unit: "points", Amount: 1240, Pending: 15},
			{Unit: "stamps", Amount: 7},
			{Unit: "credit", Amount: 1250, Currency: "EUR", Pending: 5},
		},
		Expiring: []face.Expiring{
			{Unit: "points", Amount: 200, At: time.Date(2026, 12, 31, 23, 0, 0, 999, time.UTC)},
			{Unit: "credit", Amount: 1250, Currency: "EUR", At: time.Date(2027, 1, 31, 23, 0, 0, 0, time.UTC)},
		},
		Vouchers: []face.Voucher{{ID: uuid.UUID{2}, Name: "Free coffee", Left: 2, ValidTo: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}, {ID: uuid.UUID{3}, Name: "Cake", Left: 1}},
		Next:     &face.Next{Name: "Breakfast", Unit: "points", Have: 1240, Cost: 2000},
		Tier: &face.Tier{
			Key: "silver", Names: map[string]string{"en": "Silver", "tr": "Gümüş", "pl": "Srebrny"}, KeptUntil: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC),
			NextKey: "gold", NextNames: map[string]string{"en": "Gold", "pl": "Złoty"}, Missing: 260, Unit: "points",
		},
		Stores: []face.Place{
			{Name: "Market square", Latitude: 52.2297, Longitude: 21.0122},
			{Name: "nowhere"},
			{Name: "beyond", Latitude: 91, Longitude: 10},
			{Name: "not a number", Latitude: math.NaN(), Longitude: 10},
		},
		AsOf: now, ExpiresOn: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC),
	}
}

func voucher() face.Face {
	return face.Face{
		Kind: face.KindVoucher, Subject: uuid.UUID{9}, Number: "V 1234", Code: member().Code,
		Voucher: &face.Voucher{Name: "Welcome", Discount: 500, Currency: "EUR", Left: 1, ValidTo: now.AddDate(0, 1, 0)}, AsOf: now,
	}
}

// look is a brand with texts in three languages.
func look() brand.Brand {
	b := brand.Default("Corner Café")
	b.Company, b.Website = "Corner GmbH", "https://corner.example/?a=1&b=2"
	b.Texts = map[string]brand.Texts{
		"en": {Description: "Corner Café card", Terms: "One cup = one \"stamp\".\nC:\\cups & saucers."},
		"tr": {Description: "Corner Café kartı", Terms: "Bir fincan = bir damga."},
		"pl": {Description: "Karta Corner Café", Terms: "Jedna filiżanka = jedna pieczątka."},
	}
	return b
}

func stamped() brand.Brand {
	b := look()
	b.Stamps = &brand.Stamps{Unit: "stamps", Goal: 10}
	return b
}

// request is a pass of that face and brand, with the pictures of look, since pictures take
// long to draw.
func request(t testing.TB, f face.Face, b brand.Brand) apple.Request {
	t.Helper()
	images, err := painter.Images(look(), f)
	if err != nil {
		t.Fatal(err)
	}
	return apple.Request{Face: f, Brand: b, Images: images, Serial: "018f-pass.1_A", AuthToken: "0123456789abcdef"}
}

// hostile is what people and other systems put into texts.
var hostile = map[string]string{
	"quotes":        `Ada "the \ first" O'Brien; = "x";`,
	"emoji":         "👩‍👩‍👧‍👦 🏳️‍🌈 🇵🇱 👍🏽",
	"right to left": "سلمى \u202Eevil\u202C שלום",
	"long":          strings.Repeat("ż", 10_000),
	"control":       "a\x00b\x1b[31mc\r\nd\te\u2028f",
	"not UTF-8":     "a\xff\xfeb",
	"zalgo":         "Z" + strings.Repeat("\u0301", 5_000),
	"format":        "100 %@ %s %n",
	"markup":        "<a href='x'>&amp;</a>",
	"empty":         "",
	"spaces":        " \u00a0\t ",
}

// kinds are the requests of every kind of pass.
func kinds(t testing.TB) map[string]apple.Request {
	t.Helper()
	bare := face.Face{Kind: face.KindMember, Code: "TS1"}
	voided := member()
	voided.Voided = true
	endless := voucher()
	endless.Voucher = &face.Voucher{Name: "Free coffee", Left: 3}
	all := map[string]apple.Request{
		"bare":     request(t, bare, brand.Brand{Programme: "X"}),
		"member":   request(t, member(), look()),
		"stamps":   request(t, member(), stamped()),
		"voided":   request(t, voided, look()),
		"voucher":  request(t, voucher(), look()),
		"endless":  request(t, endless, look()),
		"no words": request(t, member(), brand.Brand{}),
	}
	for name, text := range hostile {
		f, b := member(), look()
		f.Name, f.Vouchers[0].Name, f.Next.Name, f.Balances[1].Unit, f.Stores[0].Name = text, text, text, text, text
		b.Programme, b.Company = text, text
		b.Texts = map[string]brand.Texts{"en": {Description: text, Terms: text}, "tr": {Description: text + "t", Terms: text + "t"}}
		all["hostile "+name] = request(t, f, b)
	}
	return all
}

// unpack reads an archive with the standard library.
func unpack(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte, len(z.File))
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		out[f.Name] = content
	}
	return out
}

var (
	random  = rand.Reader
	unixNow = strconv.FormatInt(now.Unix(), 10)
)
