package brand_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

var update = flag.Bool("update", false, "write the golden pictures")

func stamped(n int64) face.Face {
	return face.Face{Kind: face.KindMember, Balances: []face.Balance{{Unit: "points", Amount: 99}, {Unit: "stamps", Amount: n}}}
}

func withStamps(goal int64) brand.Brand {
	b := brand.Default("Corner Club")
	b.Version, b.Stamps = 1, &brand.Stamps{Unit: "stamps", Goal: goal}
	return b
}

// drawn is a test picture: a diagonal, so that it shows when it is turned or stretched.
func drawn(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), 90, 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decoded(t testing.TB, raw []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if color.NRGBAModel.Convert(a.At(x, y)) != color.NRGBAModel.Convert(b.At(x, y)) {
				return false
			}
		}
	}
	return true
}

// Every picture is there at three densities, in the size that Apple asks for, and says
// of itself what is true.
func TestPicturesHaveApplesSizes(t *testing.T) {
	member := map[string]image.Point{"icon": {29, 29}, "logo": {150, 50}, "strip": {375, 144}, "artwork": {358, 448}, "primaryLogo": {90, 30}}
	voucher := map[string]image.Point{"icon": {29, 29}, "logo": {150, 50}, "strip": {375, 123}}
	b := withStamps(10)
	b.Logo, b.Icon = drawn(t, 300, 100), drawn(t, 100, 60)
	for kind, want := range map[face.Kind]map[string]image.Point{face.KindMember: member, face.KindVoucher: voucher} {
		f := stamped(3)
		f.Kind, b.Strip = kind, nil
		if kind == face.KindVoucher {
			b.Strip = drawn(t, 300, 300)
		}
		all, err := brand.Render(b, f)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 3*len(want) {
			t.Errorf("%s: %d pictures", kind, len(all))
		}
		for _, i := range all {
			name, scale := strings.TrimSuffix(i.Name, ".png"), 1
			for n, suffix := range map[int]string{2: "@2x", 3: "@3x"} {
				if strings.HasSuffix(name, suffix) {
					name, scale = strings.TrimSuffix(name, suffix), n
				}
			}
			size, ok := want[name]
			got := decoded(t, i.PNG).Bounds().Size()
			if !ok || got != size.Mul(scale) || got.X != i.Width || got.Y != i.Height {
				t.Errorf("%s %s: %v, it says %d × %d, want %v", kind, i.Name, got, i.Width, i.Height, size.Mul(scale))
			}
		}
	}
}

// The built-in pictures and the stamp card, as they were looked at by a person.
func TestGoldenPictures(t *testing.T) {
	for name, draw := range map[string]func() (brand.Image, error){
		"strip-7-of-10.png": func() (brand.Image, error) { return brand.Draw(withStamps(10), brand.DrawStrip, 7) },
		"strip-full.png":    func() (brand.Image, error) { return brand.Draw(withStamps(7), brand.DrawStrip, 7) },
		"hero.png":          func() (brand.Image, error) { return brand.Draw(brand.Default("x"), brand.DrawHero, 0) },
		"logo.png":          func() (brand.Image, error) { return brand.Draw(brand.Default("x"), brand.DrawLogo, 0) },
		"icon.png":          func() (brand.Image, error) { return brand.Draw(brand.Default("x"), brand.DrawIcon, 0) },
	} {
		got, err := draw()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got.PNG, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !same(decoded(t, got.PNG), decoded(t, want)) {
			t.Errorf("%s is not as it was; look at what go test -update makes of it", name)
		}
	}
}

// One more stamp is another picture, and more than all is as all.
func TestEachStampShows(t *testing.T) {
	b := withStamps(4)
	var before image.Image
	for n := range int64(5) {
		i, err := brand.Draw(b, brand.DrawStrip, b.Filled(stamped(n)))
		if err != nil {
			t.Fatal(err)
		}
		now := decoded(t, i.PNG)
		if before != nil && same(before, now) {
			t.Errorf("stamp %d does not show", n)
		}
		before = now
	}
	for n, want := range map[int64]int{-5: 0, 0: 0, 4: 4, 5: 4, 1 << 60: 4} {
		if got := b.Filled(stamped(n)); got != want {
			t.Errorf("%d stamps fill %d", n, got)
		}
	}
	if got := b.Filled(face.Face{}); got != 0 {
		t.Errorf("a member without the unit fills %d", got)
	}
	if got := brand.Default("x").Filled(stamped(3)); got != -1 {
		t.Errorf("without a stamp card %d are filled", got)
	}
}

// However many stamps: each is on the picture, as large as the others, and can be counted.
func TestAnyNumberOfStampsFits(t *testing.T) {
	for _, goal := range []int64{1, 7, brand.MaxStamps} {
		i, err := brand.Draw(withStamps(goal), brand.DrawStrip, int(goal))
		if err != nil {
			t.Fatal(err)
		}
		img := decoded(t, i.PNG)
		edge, ground := 0, img.At(0, 0)
		for x := range img.Bounds().Dx() {
			for _, y := range []int{0, img.Bounds().Dy() - 1} {
				if img.At(x, y) != ground {
					edge++
				}
			}
		}
		if edge > 0 {
			t.Errorf("%d stamps touch the edge", goal)
		}
		if got := blobs(img); got != int(goal) {
			t.Errorf("%d stamps look like %d", goal, got)
		}
	}
}

// blobs counts what is not ground and hangs together, seen from afar: every 3rd pixel.
func blobs(img image.Image) int {
	const step = 3
	ground := img.At(0, 0)
	w, h := img.Bounds().Dx()/step, img.Bounds().Dy()/step
	seen := make([]bool, w*h)
	n := 0
	for start := range seen {
		if seen[start] || img.At(start%w*step, start/w*step) == ground {
			continue
		}
		n++
		seen[start] = true
		for todo := []int{start}; len(todo) > 0; {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, next := range []int{at - 1, at + 1, at - w, at + w} {
				if next >= 0 && next < w*h && !seen[next] && img.At(next%w*step, next/w*step) != ground {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	return n
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.48}, {"#767676", "#ffffff", 4.54}, {"#ff0000", "#ffffff", 4.0}} {
		a, errA := brand.ParseColour(c.a)
		b, errB := brand.ParseColour(c.b)
		if got := brand.Contrast(a, b); errA != nil || errB != nil || got < c.want-0.005 || got > c.want+0.005 {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
	for _, bad := range []string{"", "red", "#fff", "#14594", "#14594g", "14594aa", "#14594a ", "#+14594"} {
		if _, err := brand.ParseColour(bad); err == nil {
			t.Errorf("%q is a colour", bad)
		}
	}
}

func TestContrastProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shade := rapid.Custom(func(t *rapid.T) color.NRGBA {
			return color.NRGBA{rapid.Byte().Draw(t, "r"), rapid.Byte().Draw(t, "g"), rapid.Byte().Draw(t, "b"), 255}
		})
		a, b := shade.Draw(t, "a"), shade.Draw(t, "b")
		got := brand.Contrast(a, b)
		if got < 1 || got > 21 || got != brand.Contrast(b, a) || brand.Contrast(a, a) != 1 {
			t.Errorf("%v on %v: %f", a, b, got)
		}
	})
}

func TestCheckWarns(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*brand.Brand)
		want   brand.Code
		field  string
	}{
		{"text", func(b *brand.Brand) { b.Foreground = "#7a8f88" }, brand.WarnForeground, "/foreground"},
		{"label", func(b *brand.Brand) { b.Label = "#5f8f80" }, brand.WarnLabel, "/label"},
		{"stamps", func(b *brand.Brand) { b.Label, b.Stamps = "#1c6a57", &brand.Stamps{Unit: "s", Goal: 5} }, brand.WarnStamps, "/label"},
		{"long name", func(b *brand.Brand) { b.Programme = strings.Repeat("ş", 21) }, brand.WarnName, "/programme"},
		{"a language", func(b *brand.Brand) { delete(b.Texts, "pl") }, brand.WarnTexts, "/texts/pl"},
		{"small logo", func(b *brand.Brand) { b.Logo = drawn(t, 100, 100) }, brand.WarnLogoSmall, "/pictures/logo"},
		{"wide logo", func(b *brand.Brand) { b.Logo = drawn(t, 900, 200) }, brand.WarnLogoWide, "/pictures/logo"},
		{"small strip", func(b *brand.Brand) { b.Strip = drawn(t, 375, 144) }, brand.WarnStripSmall, "/pictures/strip"},
		{"square strip", func(b *brand.Brand) { b.Strip = drawn(t, 1200, 1200) }, brand.WarnStripShape, "/pictures/strip"},
		{"wide icon", func(b *brand.Brand) { b.Icon = drawn(t, 200, 100) }, brand.WarnIconShape, "/pictures/icon"},
	} {
		b := brand.Default("Corner Club")
		c.change(&b)
		found, err := brand.Check(b)
		ok := false
		for _, w := range found {
			ok = ok || w.Code == c.want && w.Field == c.field
		}
		if err != nil || !ok {
			t.Errorf("%s: %+v, %v", c.name, found, err)
		}
	}
	if found, err := brand.Check(brand.Default("Corner Club")); err != nil || len(found) > 0 {
		t.Errorf("the built-in look: %+v, %v", found, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for field, change := range map[string]func(*brand.Brand){
		"/background":           func(b *brand.Brand) { b.Background = "#12345" },
		"/programme":            func(b *brand.Brand) { b.Programme = strings.Repeat("a", brand.MaxName+1) },
		"/company":              func(b *brand.Brand) { b.Company = "a\nb" },
		"/texts/en":             func(b *brand.Brand) { b.Texts = nil },
		"/texts/de":             func(b *brand.Brand) { b.Texts["de"] = brand.Texts{Description: "Karte"} },
		"/texts/tr/terms":       func(b *brand.Brand) { b.Texts["tr"] = brand.Texts{Description: "x", Terms: "a\u202eb"} },
		"/texts/en/description": func(b *brand.Brand) { b.Texts["en"] = brand.Texts{Description: "\xff"} },
		"/website":              func(b *brand.Brand) { b.Website = "javascript:alert(1)" },
		"/stamps/goal":          func(b *brand.Brand) { b.Stamps = &brand.Stamps{Unit: "s"} },
		"/stamps/unit":          func(b *brand.Brand) { b.Stamps = &brand.Stamps{Goal: 3} },
		"/pictures/logo":        func(b *brand.Brand) { b.Logo = []byte("GIF89a") },
	} {
		b := brand.Default("Corner Club")
		change(&b)
		_, err := brand.Check(b)
		var p *problem.Error
		if !asProblem(err, &p) || p.Code != problem.InvalidField || p.Fields[field] == "" {
			t.Errorf("a bad %s: %v", field, err)
		}
	}
}
