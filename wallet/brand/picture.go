package brand

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // Apple's manifest is of SHA-1
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"maps"
	"slices"
)

// asImage encodes what was drawn, in at most so many bytes.
func asImage(name string, drawn *image.RGBA, most int) (Image, error) {
	raw, err := small(drawn, most)
	if err != nil {
		return Image{}, fmt.Errorf("encode picture %s: %w", name, err)
	}
	size := drawn.Bounds().Size()
	return Image{
		Name: name, Width: size.X, Height: size.Y, PNG: raw,
		SHA1: sha1.Sum(raw), CRC32: crc32.ChecksumIEEE(raw), //nolint:gosec // as above
	}, nil
}

// Limits of what is given a palette.
const (
	paletteSize = 256
	maxColours  = 4096 // a photograph has more
	maxShift    = 10   // how far a channel may move, of 255
)

// fewColours gives a drawing a palette, which makes its file a third as large: the
// commonest colours, and for each other one of them that nobody can tell from it. A
// photograph, which has no such palette, it leaves to [ofPalette].
func fewColours(drawn *image.RGBA) image.Image {
	counts := map[color.RGBA]int{}
	for i := 0; i < len(drawn.Pix); i += 4 {
		counts[color.RGBA{drawn.Pix[i], drawn.Pix[i+1], drawn.Pix[i+2], drawn.Pix[i+3]}]++
		if len(counts) > maxColours {
			return drawn
		}
	}
	index, palette, ok := paletteOf(counts)
	if !ok {
		return drawn
	}
	out := image.NewPaletted(drawn.Bounds(), palette)
	for i := range out.Pix {
		p := drawn.Pix[4*i:]
		out.Pix[i] = index[color.RGBA{p[0], p[1], p[2], p[3]}]
	}
	return out
}

func paletteOf(counts map[color.RGBA]int) (index map[color.RGBA]uint8, palette color.Palette, ok bool) {
	all := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(packed(a), packed(b)))
	})
	index = make(map[color.RGBA]uint8, len(all))
	common := all[:min(len(all), paletteSize)]
	for i, c := range common {
		index[c], palette = uint8(i), append(palette, c)
	}
	for _, c := range all[len(common):] {
		nearest, least := 0, maxShift+1
		for i, p := range common {
			if d := apart(c, p); d < least {
				nearest, least = i, d
			}
		}
		if least > maxShift {
			return nil, nil, false
		}
		index[c] = uint8(nearest)
	}
	return index, palette, true
}

func packed(c color.RGBA) uint32 {
	return uint32(c.R)<<24 | uint32(c.G)<<16 | uint32(c.B)<<8 | uint32(c.A)
}

// apart is the largest difference of any channel.
func apart(a, b color.RGBA) int {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B), d(a.A, b.A))
}
