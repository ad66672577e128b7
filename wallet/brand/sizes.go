package brand

import (
	"strconv"

	"github.com/tallystick/tallystick/wallet/face"
)

// part says which of the brand's pictures fills a place.
type part int

const (
	partIcon part = iota
	partLogo
	partStrip
	partPoster
)

// place is where a picture stands in an Apple pass, with its size in points: Apple's
// Human Interface Guidelines, Wallet, "Pass image dimensions".
type place struct {
	name          string
	part          part
	width, height int
	upTo          bool // the picture keeps its shape and is at most so large
}

var (
	icon = place{name: "icon", part: partIcon, width: 29, height: 29}
	logo = place{name: "logo", part: partLogo, width: 160, height: 50, upTo: true}
	// The poster of iOS 27 (posterGeneric).
	poster     = place{name: "artwork", part: partPoster, width: 358, height: 448}
	posterLogo = place{name: "primaryLogo", part: partLogo, width: 126, height: 30, upTo: true}

	storeCardStrip = place{name: "strip", part: partStrip, width: 375, height: 144}
	couponStrip    = place{name: "strip", part: partStrip, width: 375, height: 123}
)

// Sizes of the pictures Google fetches, in pixels: Google Wallet brand guidelines. The
// logo is masked to a circle, so what matters stands in the middle 70 %.
const (
	googleLogoSide   = 660
	googleHeroWidth  = 1032
	googleHeroHeight = 336
	googleSafe       = 0.70
)

// scales are the densities of Apple's screens; the wallet of each phone takes its own.
const scales = 3

func placesOf(kind face.Kind) []place {
	if kind == face.KindVoucher {
		return []place{icon, logo, couponStrip}
	}
	return []place{icon, logo, storeCardStrip, poster, posterLogo}
}

func (p place) file(scale int) string {
	if scale == 1 {
		return p.name + ".png"
	}
	return p.name + "@" + strconv.Itoa(scale) + "x.png"
}
