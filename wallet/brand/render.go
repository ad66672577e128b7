package brand

import (
	"fmt"
	"image"
	"image/color"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/face"
)

// Render draws all pictures of an Apple pass, each at 1×, 2× and 3×: icon, logo, strip,
// and for a member's card the poster of iOS 27 (artwork, primaryLogo). The strip lies
// under the primary field of a storeCard: with a stamp card that field must stay empty.
//
// It draws anew each time, a fifth of a second; [Painter] remembers.
func Render(b Brand, f face.Face) ([]Image, error) {
	a, err := openArt(b)
	if err != nil {
		return nil, err
	}
	var out []Image
	for _, p := range placesOf(f.Kind) {
		drawn, err := a.atAllScales(p, b.Filled(f))
		if err != nil {
			return nil, err
		}
		out = append(out, drawn...)
	}
	return out, nil
}

// The names of the pictures that Google fetches; a stamp card has one hero for each
// number of stamps.
const (
	NameLogo = "logo.png"
	NameHero = "hero.png"

	heroBefore = "hero-"
)

// HeroName is the name of the picture across the card of a face.
func HeroName(b Brand, f face.Face) string {
	if n := b.Filled(f); n >= 0 {
		return heroBefore + strconv.Itoa(n) + ".png"
	}
	return NameHero
}

// PublicPath is where HQ hands out a picture of a brand for Google to fetch. What is
// there never changes: another look has another version.
func PublicPath(version uint64, name string) string {
	return "/wallet/pictures/" + strconv.FormatUint(version, 10) + "/" + name
}

// Picture draws the picture of a public name. An unknown one is problem.NotFound.
func Picture(b Brand, name string) (Image, error) {
	filled, ok := stampsNamed(b, name)
	if name != NameLogo && !ok {
		return Image{}, problem.New(problem.NotFound, "there is no such picture")
	}
	a, err := openArt(b)
	if err != nil {
		return Image{}, err
	}
	if name == NameLogo {
		return asImage(name, a.roundLogo(), mostOf(scales))
	}
	return asImage(name, a.hero(filled), mostOf(scales))
}

// stampsNamed reads the name of a hero picture; -1 for the one without stamps.
func stampsNamed(b Brand, name string) (filled int, ok bool) {
	if name == NameHero {
		return -1, true
	}
	text, is := strings.CutPrefix(name, heroBefore)
	text, png := strings.CutSuffix(text, ".png")
	n, err := strconv.Atoi(text)
	if !is || !png || err != nil || b.Stamps == nil || strconv.Itoa(n) != text || n < 0 || int64(n) > b.Stamps.Goal {
		return 0, false
	}
	return n, true
}

// art is a brand made ready to draw.
type art struct {
	inks
	goal              int
	logo, icon, photo image.Image // nil where the brand has none
}

func openArt(b Brand) (art, error) {
	var a art
	for _, c := range []struct {
		name, text string
		into       *color.NRGBA
	}{{"background", b.Background, &a.background}, {"foreground", b.Foreground, &a.foreground}, {"label", b.Label, &a.label}} {
		read, err := ParseColour(c.text)
		if err != nil {
			return art{}, fmt.Errorf("draw brand: %s %w", c.name, err)
		}
		*c.into = read
	}
	for _, p := range []struct {
		name string
		raw  []byte
		into *image.Image
	}{{"logo", b.Logo, &a.logo}, {"icon", b.Icon, &a.icon}, {"strip", b.Strip, &a.photo}} {
		if len(p.raw) == 0 {
			continue
		}
		read, err := decode(p.raw)
		if err != nil {
			return art{}, fmt.Errorf("draw brand: %s: %w", p.name, err)
		}
		*p.into = read
	}
	if b.Stamps != nil {
		a.goal = int(min(max(b.Stamps.Goal, 1), MaxStamps))
	}
	return a, nil
}

func (a art) atAllScales(p place, filled int) ([]Image, error) {
	p = a.sized(p)
	var out []Image
	for scale := 1; scale <= scales; scale++ {
		drawn, err := a.at(p, scale, filled)
		if err != nil {
			return nil, err
		}
		out = append(out, drawn)
	}
	return out, nil
}

func (a art) at(p place, scale, filled int) (Image, error) {
	c := newCanvas(p.width*scale, p.height*scale)
	switch p.part {
	case partIcon:
		a.square(c, 0.86)
	case partLogo:
		a.bare(c)
	case partStrip:
		a.strip(c, filled)
	case partPoster:
		a.poster(c)
	}
	return asImage(p.file(scale), c.RGBA, mostOf(scale))
}

// sized gives a place whose size is a limit the size of the logo in it, so that all scales
// have one shape.
func (a art) sized(p place) place {
	switch {
	case !p.upTo:
	case a.logo == nil:
		p.width = p.height
	default:
		p.width, p.height = fit(a.logo.Bounds().Dx(), a.logo.Bounds().Dy(), p.width, p.height)
	}
	return p
}

// bare draws the logo on nothing: what is behind it is the pass.
func (a art) bare(c canvas) {
	if a.logo == nil {
		c.mark(a.foreground, point{}, float64(c.Bounds().Dx()))
		return
	}
	c.contain(a.logo, c.Bounds())
}

// square draws the icon: as uploaded, else the logo when its shape lets it be seen
// there, else the mark.
func (a art) square(c canvas, share float64) {
	c.fill(a.background)
	if a.icon != nil {
		c.cover(a.icon)
		return
	}
	a.inMiddle(c, share)
}

func (a art) inMiddle(c canvas, share float64) {
	side := c.Bounds().Dx()
	inset := int(float64(side) * (1 - share) / 2)
	if a.logo != nil {
		if size := a.logo.Bounds().Size(); size.X <= 3*size.Y && size.Y <= 3*size.X {
			c.contain(a.logo, c.Bounds().Inset(inset))
			return
		}
	}
	c.mark(a.foreground, point{float64(inset), float64(inset)}, float64(side-2*inset))
}

// roundLogo is Google's logo: full to the edge, what matters within the circle.
func (a art) roundLogo() *image.RGBA {
	c := newCanvas(googleLogoSide, googleLogoSide)
	c.fill(a.background)
	picture := a.logo
	if picture == nil {
		picture = a.icon
	}
	if picture == nil {
		a.inMiddle(c, googleSafe)
		return c.RGBA
	}
	c.contain(picture, c.Bounds().Inset(googleLogoSide*15/100))
	return c.RGBA
}

// hero is Google's picture across the card: the strip in another shape.
func (a art) hero(filled int) *image.RGBA {
	c := newCanvas(googleHeroWidth, googleHeroHeight)
	a.strip(c, filled)
	return c.RGBA
}

// strip draws the picture across the card, with the member's stamps when filled is not
// negative.
func (a art) strip(c canvas, filled int) {
	switch {
	case a.photo != nil:
		c.fill(a.background)
		c.cover(a.photo)
		if filled >= 0 {
			// The stamps must be counted on any photograph.
			veil := a.background
			veil.A = 217
			c.veil(veil)
		}
	case filled >= 0:
		c.fill(mixed(a.background, color.NRGBA{A: 255}, 0.06))
	default:
		c.blend(mixed(a.background, color.NRGBA{255, 255, 255, 255}, 0.06), mixed(a.background, color.NRGBA{A: 255}, 0.06))
		a.notches(c)
	}
	if filled >= 0 {
		c.stamps(a.goal, filled, a.inks)
	}
}

// notches is the built-in strip: large marks, hardly lighter than the ground, so that
// text on them can be read.
func (a art) notches(c canvas) {
	h := float64(c.Bounds().Dy())
	ink := mixed(a.background, a.foreground, 0.10)
	for x := float64(c.Bounds().Dx()) - h*1.25; x > -h; x -= h * 1.3 {
		c.mark(ink, point{x, -h * 0.1}, h*1.2)
	}
}

// poster is the ground of iOS 27's poster.
func (a art) poster(c canvas) {
	if a.photo != nil {
		c.fill(a.background)
		c.cover(a.photo)
		return
	}
	c.blend(mixed(a.background, color.NRGBA{255, 255, 255, 255}, 0.08), mixed(a.background, color.NRGBA{A: 255}, 0.10))
	w, h := float64(c.Bounds().Dx()), float64(c.Bounds().Dy())
	c.mark(mixed(a.background, a.foreground, 0.10), point{w * 0.1, (h - w*0.8) / 2}, w*0.8)
}

// The pictures that Draw knows: those of a pass, of Google's, and of a printed card.
const (
	DrawIcon  = "icon"
	DrawLogo  = "logo"
	DrawStrip = "strip"
	DrawRound = "round" // Google's logo
	DrawHero  = "hero"
)

// Draw draws one picture at the density of a good screen, for previews and print. filled
// is how many stamps the card has; it counts for nothing without a stamp card. An unknown
// name is problem.NotFound.
func Draw(b Brand, name string, filled int) (Image, error) {
	a, err := openArt(b)
	if err != nil {
		return Image{}, err
	}
	if b.Stamps == nil {
		filled = -1
	} else {
		filled = min(max(filled, 0), a.goal)
	}
	var p place
	switch name {
	case DrawIcon:
		p = icon
	case DrawLogo:
		p = logo
	case DrawStrip:
		p = storeCardStrip
	case DrawRound:
		return asImage(NameLogo, a.roundLogo(), mostOf(scales))
	case DrawHero:
		return asImage(NameHero, a.hero(filled), mostOf(scales))
	default:
		return Image{}, problem.New(problem.NotFound, "there is no such picture")
	}
	return a.at(a.sized(p), scales, filled)
}
