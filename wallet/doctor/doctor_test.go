package doctor_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/doctor"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func in(days float64) time.Time { return now.Add(time.Duration(days * 24 * float64(time.Hour))) }

func TestExpiryIsSpokenOfAt60And30And7Days(t *testing.T) {
	for _, c := range []struct {
		days  float64
		due   int
		level doctor.Level
		says  string
	}{
		{400, -1, doctor.OK, "for 400 days"},
		{60.1, -1, doctor.OK, "for 60 days"},
		{60, 60, doctor.Warn, "in 60 days"},
		{30.5, 60, doctor.Warn, "in 30 days"},
		{30, 30, doctor.Warn, "in 30 days"},
		{7, 7, doctor.Error, "in 7 days"},
		{0.5, 7, doctor.Error, "in 0 days"},
		{0, 0, doctor.Error, "has expired"},
		{-3, 0, doctor.Error, "has expired"},
	} {
		if got := doctor.Due(now, in(c.days)); got != c.due {
			t.Errorf("%v days: due %d, want %d", c.days, got, c.due)
		}
		f := doctor.Expiry(now, "the certificate", in(-100), in(c.days))
		if f.Level != c.level || !strings.Contains(f.What, c.says) {
			t.Errorf("%v days: %s %q", c.days, f.Level, f.What)
		}
	}
	if f := doctor.Expiry(now, "it", in(1), in(100)); f.Level != doctor.Error || !strings.Contains(f.What, "only from 2026-11-23") {
		t.Errorf("not yet good: %+v", f)
	}
}

func TestAddresses(t *testing.T) {
	for address, level := range map[string]doctor.Level{
		"https://loyalty.example.org": doctor.OK, "http://loyalty.example.org": doctor.Warn, "loyalty": doctor.Error, "ftp://a.example": doctor.Error,
	} {
		if f := doctor.Public(address); f.Level != level {
			t.Errorf("%s: %+v", address, f)
		}
	}
	for address, level := range map[string]doctor.Level{
		"https://loyalty.example.org/wallet/apple": doctor.OK, "http://loyalty.example.org": doctor.Error,
		"https://localhost:8080": doctor.Error, "https://10.1.2.3": doctor.Error, "https://[::1]": doctor.Error, "https://hq": doctor.Error, "https://hq.local": doctor.Error,
	} {
		if f := doctor.Service(address, false); f.Level != level {
			t.Errorf("%s: %+v", address, f)
		}
		if f := doctor.Service(address, true); level == doctor.Error && f.Level != doctor.Warn {
			t.Errorf("%s, self-made: %+v", address, f)
		}
	}
	if f := doctor.Callback("https://a.example.org/wallet/google", false); f.Level != doctor.OK {
		t.Errorf("%+v", f)
	}
	if f := doctor.Callback("http://127.0.0.1/wallet/google", false); f.Level != doctor.Warn {
		t.Errorf("%+v", f)
	}
	if f := doctor.Callback("http://127.0.0.1/wallet/google", true); f.Level != doctor.Unknown {
		t.Errorf("%+v", f)
	}
	for _, c := range []struct {
		status int
		err    error
		level  doctor.Level
	}{{200, nil, doctor.OK}, {404, nil, doctor.Warn}, {0, errors.New("no such host"), doctor.Warn}} {
		if f := doctor.Reach("https://a.example.org/healthz", c.status, c.err); f.Level != c.level {
			t.Errorf("%+v", f)
		}
	}
}

// What the way there took never counts as an error of the clock, and silence is not agreement.
func TestClock(t *testing.T) {
	read := func(off, took time.Duration) doctor.Reading {
		return doctor.Reading{Who: "apple", Mine: now.Add(off), Their: now, Took: took, Exact: time.Second}
	}
	for name, c := range map[string]struct {
		readings []doctor.Reading
		level    doctor.Level
	}{
		"nobody asked":    {nil, doctor.Unknown},
		"nobody answered": {[]doctor.Reading{{Who: "apple", Mine: now}}, doctor.Unknown},
		"right":           {[]doctor.Reading{read(2*time.Second, 0)}, doctor.OK},
		"a slow way":      {[]doctor.Reading{read(14*time.Second, 5*time.Second)}, doctor.OK},
		"ahead":           {[]doctor.Reading{read(15*time.Second, 0)}, doctor.Warn},
		"behind":          {[]doctor.Reading{read(-time.Hour, 0)}, doctor.Error},
		"one of two":      {[]doctor.Reading{read(0, 0), read(-time.Minute, 0)}, doctor.Warn},
	} {
		if f := doctor.Clock(c.readings...); f.Level != c.level {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func images(change func(map[string]*brand.Image)) []brand.Image {
	all := map[string]*brand.Image{}
	for scale, suffix := range []string{"", "@2x", "@3x"} {
		n := scale + 1
		all["icon"+suffix] = &brand.Image{Name: "icon" + suffix + ".png", Width: 29 * n, Height: 29 * n}
		all["logo"+suffix] = &brand.Image{Name: "logo" + suffix + ".png", Width: 50 * n, Height: 50 * n}
		all["strip"+suffix] = &brand.Image{Name: "strip" + suffix + ".png", Width: 375 * n, Height: 144 * n}
	}
	change(all)
	var out []brand.Image
	for _, i := range all {
		out = append(out, *i)
	}
	return out
}

func TestImages(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]*brand.Image)
		level  doctor.Level
		says   string
	}{
		"right":          {func(map[string]*brand.Image) {}, doctor.OK, "9 pictures"},
		"no icon at 2x":  {func(m map[string]*brand.Image) { delete(m, "icon@2x") }, doctor.Error, "missing: icon@2x.png"},
		"no logo at 3x":  {func(m map[string]*brand.Image) { delete(m, "logo@3x") }, doctor.Warn, "missing: logo@3x.png"},
		"no strip":       {func(m map[string]*brand.Image) { delete(m, "strip"); delete(m, "strip@2x"); delete(m, "strip@3x") }, doctor.OK, "6 pictures"},
		"a wide logo":    {func(m map[string]*brand.Image) { m["logo"].Width = 161 }, doctor.Warn, "logo.png is 161x50, at most 160x50"},
		"half size":      {func(m map[string]*brand.Image) { m["icon@2x"].Width = 29 }, doctor.Warn, "icon@2x.png is 29x58, it must be 58x58"},
		"a strange name": {func(m map[string]*brand.Image) { m["x"] = &brand.Image{Name: "x.png"} }, doctor.OK, "10 pictures"},
	} {
		found := doctor.Images(images(c.change))
		if doctor.Worst(found) != c.level || !strings.Contains(found[0].What, c.says) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestAccounts(t *testing.T) {
	no := errors.New("no")
	for _, c := range []struct {
		right, wrong doctor.Finding
	}{
		{doctor.Token("a@b", nil), doctor.Token("a@b", no)},
		{doctor.Issuer("338", nil), doctor.Issuer("338", no)},
		{doctor.Push("https://p", nil), doctor.Push("https://p", no)},
		{doctor.Files(doctor.AppleFiles, nil, "fine"), doctor.Files(doctor.AppleFiles, no, "fine")},
		{doctor.Signs(93_001, nil), doctor.Signs(0, no)},
	} {
		if c.right.Level != doctor.OK || c.right.Do != "" || c.wrong.Level != doctor.Error || c.wrong.Why == "" || c.wrong.Do == "" || !strings.Contains(c.wrong.What, "no") {
			t.Errorf("%+v\n%+v", c.right, c.wrong)
		}
	}
	if w := doctor.Worst([]doctor.Finding{doctor.Clock(), doctor.Nothing(), doctor.OwnAuthority("d")}); w != doctor.Warn {
		t.Errorf("worst is %s", w)
	}
	if w := doctor.Worst(nil); w != doctor.OK {
		t.Errorf("worst of none is %s", w)
	}
}

// The table of troubles in the guide has a row for every code, and none for others.
func TestTheGuideHasARowForEveryCode(t *testing.T) {
	text, err := os.ReadFile("../../docs/wallet-setup.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = true
	}
	for _, code := range doctor.Codes() {
		if !rows[string(code)] {
			t.Errorf("docs/wallet-setup.md has no row for %s", code)
		}
		delete(rows, string(code))
	}
	for code := range rows {
		t.Errorf("docs/wallet-setup.md has a row for %s, which the doctor never says", code)
	}
}
