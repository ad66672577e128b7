package branding_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/wallet/brand"
)

type clockAt struct{ at time.Time }

func (c *clockAt) Now() time.Time { return c.at }

type rig struct {
	*testing.T
	*branding.Service
	db    *store.DB
	clock *clockAt
}

var ada = branding.Person{ID: uuid.UUID{7}, Name: "Ada"}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), blank.SQLite(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{T: t, db: db, clock: &clockAt{time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)}}
	r.Service = r.another()
	return r
}

// another is a second process over the same database.
func (r *rig) another() *branding.Service {
	return branding.New(branding.Env{Store: r.db, Clock: r.clock, Programme: "Corner Shop"})
}

func picture(w, h int, ink color.Color) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, ink)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func TestBeforeAnybodySetALookItIsTheBuiltIn(t *testing.T) {
	r := newRig(t)
	look, err := r.Look(t.Context())
	if err != nil || look.Brand.Version != 0 || look.Brand.Programme != "Corner Shop" || len(look.Warnings) > 0 {
		t.Errorf("%+v, %v", look, err)
	}
}

// A look is told whole by every process, and says who set it; older ones stay readable,
// since Google may still fetch their pictures.
func TestALookIsPutInForce(t *testing.T) {
	r := newRig(t)
	logo, err := r.AddPicture(t.Context(), picture(480, 150, color.White))
	if err != nil || logo.Width != 480 || logo.Height != 150 {
		t.Fatalf("%+v, %v", logo, err)
	}
	b := brand.Default("Corner Shop")
	b.Background, b.Stamps, b.Website = "#102030", &brand.Stamps{Unit: "stamps", Goal: 10}, "https://shop.example"
	first, err := r.Put(t.Context(), ada, b, branding.Pictures{Logo: logo.ID})
	if err != nil || first.Brand.Version != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	for name, s := range map[string]*branding.Service{"the same": r.Service, "another": r.another()} {
		got, err := s.Look(t.Context())
		if err != nil || got.Brand.Background != "#102030" || *got.Brand.Stamps != *b.Stamps || len(got.Brand.Logo) == 0 ||
			got.By != ada || !got.At.Equal(r.clock.at) || got.Brand.Texts["tr"] != b.Texts["tr"] {
			t.Errorf("%s process: %+v, %v", name, got, err)
		}
	}
	first.Brand.Background = "#ffffff"
	if _, err := r.Put(t.Context(), ada, first.Brand, branding.Pictures{}); err != nil {
		t.Fatal(err)
	}
	if v, err := r.Version(t.Context()); err != nil || v != 2 {
		t.Errorf("version %d, %v", v, err)
	}
	if now, err := r.Current(t.Context()); err != nil || now.Background != "#ffffff" || now.Logo != nil {
		t.Errorf("%+v, %v", now, err)
	}
	if old, err := r.At(t.Context(), 1); err != nil || old.Background != "#102030" || len(old.Logo) == 0 {
		t.Errorf("%+v, %v", old, err)
	}
	if _, err := r.At(t.Context(), 3); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a version that nobody set: %v", err)
	}
}

func TestOfTwoWhoChangeTheSameLookTheSecondIsTold(t *testing.T) {
	r := newRig(t)
	b := brand.Default("Corner Shop")
	if _, err := r.Put(t.Context(), ada, b, branding.Pictures{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(t.Context(), ada, b, branding.Pictures{}); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("the second: %v", err)
	}
	if v, err := r.Version(t.Context()); err != nil || v != 1 {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestWhatCannotBeUsedIsNotPutInForce(t *testing.T) {
	r := newRig(t)
	b := brand.Default("Corner Shop")
	b.Background = "blue"
	if _, err := r.Put(t.Context(), ada, b, branding.Pictures{}); problem.CodeOf(err) != problem.InvalidField {
		t.Errorf("a colour by name: %v", err)
	}
	if _, err := r.Put(t.Context(), ada, brand.Default("x"), branding.Pictures{Strip: branding.PictureID{1}}); problem.CodeOf(err) != problem.InvalidField {
		t.Errorf("a picture that nobody uploaded: %v", err)
	}
	if _, err := r.AddPicture(t.Context(), []byte("GIF89a")); problem.CodeOf(err) != problem.UnsupportedMedia {
		t.Errorf("a GIF: %v", err)
	}
}

// Pictures that no look has are forgotten after two days, those of any look never.
func TestPicturesOfALookStay(t *testing.T) {
	r := newRig(t)
	used, err := r.AddPicture(t.Context(), picture(200, 200, color.White))
	if err != nil {
		t.Fatal(err)
	}
	unused, err := r.AddPicture(t.Context(), picture(200, 200, color.Black))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(t.Context(), ada, brand.Default("Corner Shop"), branding.Pictures{Icon: used.ID}); err != nil {
		t.Fatal(err)
	}
	r.clock.at = r.clock.at.Add(49 * time.Hour)
	if _, err := r.AddPicture(t.Context(), picture(100, 100, color.White)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Picture(t.Context(), used.ID); err != nil {
		t.Error(err)
	}
	if _, err := r.Picture(t.Context(), unused.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a picture of no look: %v", err)
	}
}

// What Google fetches is drawn once and is the same for ever.
func TestPublicPictures(t *testing.T) {
	r := newRig(t)
	b := brand.Default("Corner Shop")
	b.Stamps = &brand.Stamps{Unit: "stamps", Goal: 5}
	if _, err := r.Put(t.Context(), ada, b, branding.Pictures{}); err != nil {
		t.Fatal(err)
	}
	seen := map[[20]byte]string{}
	for _, name := range []string{"logo.png", "hero.png", "hero-0.png", "hero-5.png"} {
		one, err := r.Public(t.Context(), 1, name)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[one.SHA1]; twice {
			t.Errorf("%s is the same as %s", name, other)
		}
		seen[one.SHA1] = name
		again, err := r.Public(t.Context(), 1, name)
		if err != nil || &again.PNG[0] != &one.PNG[0] {
			t.Errorf("%s was drawn again: %v", name, err)
		}
	}
	for _, name := range []string{"hero-6.png", "hero-05.png", "hero--1.png", "hero-+1.png", "strip.png", "../hero.png", ""} {
		if _, err := r.Public(t.Context(), 1, name); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}
