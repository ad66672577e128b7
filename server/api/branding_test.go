package api_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/wallet/brand"
)

type lookBody map[string]any

func aLook(version int, change func(lookBody)) string {
	b := lookBody{
		"version": version, "programme": "Corner Club", "company": "Corner Shop", "background": "#14594a", "foreground": "#ffffff", "label": "#cfe8df",
		"texts":    lookBody{"en": lookBody{"description": "Loyalty card", "terms": "Be kind."}, "tr": lookBody{"description": "Sadakat kartı"}},
		"pictures": lookBody{},
	}
	if change != nil {
		change(b)
	}
	return jsonOf(b)
}

func aPicture(t *testing.T, w, h int) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w {
		img.Set(i, i%h, color.NRGBA{200, 30, 30, 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (r *rig) upload(raw string) answer {
	return r.do(call{method: "POST", path: "/api/v1/branding/pictures", body: raw, key: "-", header: map[string]string{"Content-Type": "image/png"}})
}

func TestALookIsSetAndShown(t *testing.T) {
	r := newRig(t)
	get := func() (out struct {
		Version    int
		Background string
		Changed_By string //nolint:revive // as in the document
		Pictures   map[string]string
		Stamps     *brand.Stamps
		Warnings   []struct{ Code, Field string }
	},
	) {
		a := r.do(call{method: "GET", path: "/api/v1/branding"})
		a.into(t, &out)
		return out
	}
	if was := get(); was.Version != 0 || was.Changed_By != "" {
		t.Errorf("before anybody set one: %+v", was)
	}
	a := r.upload(aPicture(t, 600, 200))
	var logo struct {
		ID            string
		Width, Height int
	}
	a.into(t, &logo)
	if a.status != http.StatusCreated || logo.Width != 600 || logo.Height != 200 {
		t.Fatalf("upload: %d %s", a.status, a.body)
	}
	set := aLook(0, func(b lookBody) {
		b["pictures"], b["stamps"] = lookBody{"logo": logo.ID}, lookBody{"unit": "stamps", "goal": 8}
		b["foreground"] = "#2a7a66"
	})
	if a := r.do(call{method: "PUT", path: "/api/v1/branding", body: set}); a.status != http.StatusOK {
		t.Fatalf("put: %d %s", a.status, a.body)
	}
	now := get()
	if now.Version != 1 || now.Changed_By == "" || now.Pictures["logo"] != logo.ID || now.Stamps == nil || now.Stamps.Goal != 8 {
		t.Errorf("%+v", now)
	}
	if len(now.Warnings) == 0 || now.Warnings[0].Code != string(brand.WarnForeground) {
		t.Errorf("a text that cannot be read is not warned of: %+v", now.Warnings)
	}
	if a := r.do(call{method: "PUT", path: "/api/v1/branding", body: aLook(0, nil)}); a.code() != problem.Conflict {
		t.Errorf("made from an old version: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/branding/pictures/" + logo.ID}); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "\x89PNG") {
		t.Errorf("the picture: %d", a.status)
	}
}

func TestALookThatCannotBeUsedIsRefusedByItsFields(t *testing.T) {
	r := newRig(t)
	for field, change := range map[string]func(lookBody){
		"/background":           func(b lookBody) { b["background"] = "red" },
		"/programme":            func(b lookBody) { b["programme"] = " " },
		"/website":              func(b lookBody) { b["website"] = "http://shop.example" },
		"/stamps/goal":          func(b lookBody) { b["stamps"] = lookBody{"unit": "stamps", "goal": 31} },
		"/pictures/strip":       func(b lookBody) { b["pictures"] = lookBody{"strip": strings.Repeat("ab", 32)} },
		"/pictures/icon":        func(b lookBody) { b["pictures"] = lookBody{"icon": "../etc"} },
		"/texts/en/description": func(b lookBody) { b["texts"] = lookBody{"en": lookBody{"description": strings.Repeat("ş", 101)}} },
	} {
		for method, path := range map[string]string{"PUT": "/api/v1/branding", "POST": "/api/v1/branding/check"} {
			var body problem.Body
			a := r.do(call{method: method, path: path, body: aLook(0, change)})
			a.into(t, &body)
			if body.Code != problem.InvalidField || body.Fields[field] == "" {
				t.Errorf("%s of a bad %s: %d %s", method, field, a.status, a.body)
			}
		}
	}
}

// What is no picture, or too much of one, is refused with a reason, even 50 MB.
func TestUploadsAreRefusedWithAReason(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, raw string
		code      problem.Code
		says      string
	}{
		{"a GIF", "GIF89a", problem.UnsupportedMedia, "neither PNG nor JPEG"},
		{"nothing", "", problem.UnsupportedMedia, "neither PNG nor JPEG"},
		{"a torn PNG", aPicture(t, 300, 300)[:400], problem.InvalidField, "damaged"},
		{"one too small", aPicture(t, 15, 15), problem.InvalidField, "15 × 15"},
		{"50 MB", strings.Repeat("\x89PNG\r\n\x1a\n----", 50<<20/12), problem.BodyTooLarge, "5242880"},
	} {
		var body problem.Body
		a := r.upload(c.raw)
		a.into(t, &body)
		if body.Code != c.code || !strings.Contains(body.Detail, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	r.as(people.Support, func() {
		if a := r.upload(aPicture(t, 300, 300)); a.code() != problem.Forbidden {
			t.Errorf("by one who may not: %d %s", a.status, a.body)
		}
	})
}

func TestPreviews(t *testing.T) {
	r := newRig(t)
	const colours = "?background=%23102030&foreground=%23ffffff&label=%23cccccc"
	for name, size := range map[string]image.Point{
		"icon": {87, 87}, "logo": {150, 150}, "strip": {1125, 432}, "round": {660, 660}, "hero": {1032, 336}, "card": {506, 319}, "code": {196, 196},
	} {
		a := r.do(call{method: "GET", path: "/api/v1/branding/preview/" + name + colours + "&goal=10&filled=3&programme=K%C3%B6%C5%9Fe&locale=tr"})
		drawn, err := png.Decode(bytes.NewReader(a.body))
		if err != nil || drawn.Bounds().Size() != size {
			t.Errorf("%s: %d, %v", name, a.status, err)
		}
	}
	for _, bad := range []string{"strip" + colours + "&goal=31", "strip?background=red&foreground=%23ffffff&label=%23cccccc", "strip" + colours + "&logo=abc"} {
		if a := r.do(call{method: "GET", path: "/api/v1/branding/preview/" + bad}); a.code() != problem.InvalidField {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
	if a := r.do(call{method: "GET", path: "/api/v1/branding/preview/other" + colours}); a.code() != problem.NotFound && a.code() != problem.InvalidField {
		t.Errorf("a name of no picture: %d %s", a.status, a.body)
	}
}

// Anybody gets the pictures of a look, and may keep them.
func TestPicturesForGoogle(t *testing.T) {
	r := newRig(t)
	if a := r.do(call{method: "PUT", path: "/api/v1/branding", body: aLook(0, func(b lookBody) { b["stamps"] = lookBody{"unit": "stamps", "goal": 4} })}); a.status != http.StatusOK {
		t.Fatalf("put: %d %s", a.status, a.body)
	}
	r.token = ""
	a := r.do(call{method: "GET", path: brand.PublicPath(1, "hero-3.png")})
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "image/png" || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	if again := r.do(call{method: "GET", path: brand.PublicPath(1, "hero-3.png"), header: map[string]string{"If-None-Match": a.header.Get("Etag")}}); again.status != http.StatusNotModified {
		t.Errorf("the same again: %d", again.status)
	}
	if a := r.do(call{method: "GET", path: brand.PublicPath(0, "logo.png")}); a.status != http.StatusOK || strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("the built-in one: %d %v", a.status, a.header)
	}
	for _, path := range []string{"/wallet/pictures/2/logo.png", "/wallet/pictures/1/hero-5.png", "/wallet/pictures/01/logo.png", "/wallet/pictures/-1/logo.png", "/wallet/pictures/99999999999999999999/logo.png", "/wallet/pictures/1/x"} {
		if a := r.do(call{method: "GET", path: path}); a.code() != problem.NotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestCardsArePrinted(t *testing.T) {
	r := newRig(t)
	ann, bob := r.made("/api/v1/members", `{"alias":"Ann"}`), r.made("/api/v1/members", `{"alias":"Bob"}`)
	for path, start := range map[string]string{
		"/api/v1/members/" + ann + "/card.pdf":                      "%PDF-",
		"/api/v1/members/" + ann + "/card.png?dpi=150":              "\x89PNG",
		"/api/v1/members/" + ann + "/card.svg?locale=pl":            "<svg ",
		"/api/v1/cards.pdf?id=" + ann + "&id=" + bob + "&locale=tr": "%PDF-",
	} {
		if a := r.do(call{method: "GET", path: path}); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), start) {
			t.Errorf("%s: %d %.80s", path, a.status, a.body)
		}
	}
	for path, code := range map[string]problem.Code{
		"/api/v1/members/" + ann + "/card.png?dpi=10000": problem.InvalidField,
		"/api/v1/members/" + ann + "/card.pdf?locale=xx": problem.InvalidField,
		"/api/v1/cards.pdf": problem.InvalidField,
		"/api/v1/cards.pdf?" + strings.Repeat("id="+ann+"&", 101):                             problem.InvalidField,
		"/api/v1/members/" + strings.Repeat("0", 8) + "-0000-0000-0000-000000000001/card.pdf": problem.NotFound,
	} {
		if a := r.do(call{method: "GET", path: path}); a.code() != code {
			t.Errorf("%.80s: %d %s", path, a.status, a.body)
		}
	}
	// Once each, however often it is printed.
	for _, member := range []string{ann, bob} {
		if n := r.printed(member); n != 1 {
			t.Errorf("%d printed cards are known of who has one", n)
		}
	}
	if a := r.do(call{method: "POST", path: "/api/v1/members/" + bob + "/block"}); a.status != http.StatusOK {
		t.Fatalf("block: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/members/" + bob + "/card.pdf"}); a.code() != problem.StateConflict {
		t.Errorf("of a blocked member: %d %s", a.status, a.body)
	}
}

// printed is how many printed cards HQ knows a member to have.
func (r *rig) printed(member string) int {
	r.t.Helper()
	var list struct{ Items []struct{ Member string } }
	r.do(call{method: "GET", path: "/api/v1/passes?channel=printed&member=" + member}).into(r.t, &list)
	return len(list.Items)
}

func TestAShopperPrintsTheOwnCard(t *testing.T) {
	b := &browser{rig: newRig(t)}
	for _, format := range []string{"pdf", "png", "svg"} {
		b.refused(call{method: "GET", path: "/api/v1/card/print." + format}, http.StatusUnauthorized, problem.Unauthenticated)
	}
	me := b.join(annJoins).Member
	for format, start := range map[string]string{"pdf": "%PDF-", "png": "\x89PNG", "svg": "<svg "} {
		if a := b.ask(call{method: "GET", path: "/api/v1/card/print." + format}); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), start) {
			t.Errorf("%s: %d %.80s", format, a.status, a.body)
		}
	}
	if n := b.printed(me.String()); n != 1 {
		t.Errorf("%d printed cards are known of who has one", n)
	}
}
