package brand

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"

	"golang.org/x/image/draw"
)

// MostPictures is what the pictures of a pass may have together, in bytes: phones on slow
// networks fetch passes too. A photograph stored without loss has six times as much.
const MostPictures = 3 << 19

// mostOf is what one picture may have by its number of pixels: those of a screen of three
// times the density have nine times as many and get a share by that.
func mostOf(scale int) int { return scale * scale * 26 << 10 }

// small makes the file of a picture with at most so many bytes: a drawing as it is, of a
// photograph one with 256 colours, and one that is still too large with ever less detail.
func small(drawn *image.RGBA, most int) ([]byte, error) {
	raw, err := encodePNG(fewColours(drawn))
	for detail := 1; err == nil && len(raw) > most; detail *= 2 {
		raw, err = encodePNG(ofPalette(coarse(drawn, detail)))
	}
	return raw, err
}

func encodePNG(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// coarse is a picture without its finest detail: made smaller by a factor and as large
// again.
func coarse(drawn *image.RGBA, factor int) *image.RGBA {
	if factor == 1 {
		return drawn
	}
	b := drawn.Bounds()
	less := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()/factor), max(1, b.Dy()/factor)))
	draw.ApproxBiLinear.Scale(less, less.Bounds(), drawn, b, draw.Src, nil)
	out := image.NewRGBA(b)
	draw.ApproxBiLinear.Scale(out, b, less, less.Bounds(), draw.Src, nil)
	return out
}

// bins is how many colours are told apart when a palette is made: five bits of each of the
// four channels.
const bins = 1 << 20

func binOf(p []uint8) int {
	return int(p[0]>>3)<<15 | int(p[1]>>3)<<10 | int(p[2]>>3)<<5 | int(p[3]>>3)
}

// tone is the pixels of one bin: how many, and the sum of each channel.
type tone struct {
	bin int
	n   int
	sum [4]int
}

func (t tone) mean(channel int) int { return t.sum[channel] / t.n }

// ofPalette gives a photograph 256 colours by median cut (Heckbert 1982): the box of tones
// that differ most is cut where half of its pixels lie on each side, until there are enough.
func ofPalette(drawn *image.RGBA) image.Image {
	at := make([]int32, bins)
	var all []tone
	for i := 0; i < len(drawn.Pix); i += 4 {
		p := drawn.Pix[i : i+4]
		bin := binOf(p)
		if at[bin] == 0 {
			all = append(all, tone{bin: bin})
			at[bin] = int32(len(all))
		}
		t := &all[at[bin]-1]
		t.n++
		for c := range 4 {
			t.sum[c] += int(p[c])
		}
	}
	boxes := median(all)
	palette := make(color.Palette, len(boxes))
	for i, b := range boxes {
		palette[i] = mix(b.tones)
		for _, t := range b.tones {
			at[t.bin] = int32(i)
		}
	}
	out := image.NewPaletted(drawn.Bounds(), palette)
	for i := range out.Pix {
		out.Pix[i] = uint8(at[binOf(drawn.Pix[4*i:])])
	}
	return out
}

// box is tones that become one colour, the channel in which they differ most, and by how
// much.
type box struct {
	tones         []tone
	channel, most int
}

func boxOf(tones []tone) box {
	b := box{tones: tones}
	for c := range 4 {
		low, high := 255, 0
		for _, t := range tones {
			low, high = min(low, t.mean(c)), max(high, t.mean(c))
		}
		if high-low > b.most {
			b.channel, b.most = c, high-low
		}
	}
	return b
}

// median cuts tones into as many boxes as a palette has colours, or one for each that
// differs.
func median(all []tone) []box {
	boxes := []box{boxOf(all)}
	for len(boxes) < paletteSize {
		widest := 0
		for i, b := range boxes {
			if b.most > boxes[widest].most {
				widest = i
			}
		}
		if boxes[widest].most == 0 {
			break
		}
		one, other := boxes[widest].cut()
		boxes[widest] = boxOf(one)
		boxes = append(boxes, boxOf(other))
	}
	return boxes
}

// cut makes two of a box whose tones differ, neither of them empty.
func (b box) cut() (one, other []tone) {
	slices.SortFunc(b.tones, func(x, y tone) int { return x.mean(b.channel) - y.mean(b.channel) })
	all := 0
	for _, t := range b.tones {
		all += t.n
	}
	half, at := 0, 0
	for at < len(b.tones)-1 && (at == 0 || half+b.tones[at].n <= all/2) {
		half += b.tones[at].n
		at++
	}
	return b.tones[:at:at], b.tones[at:]
}

// mix is the mean colour of a box, of premultiplied channels as they are drawn.
func mix(tones []tone) color.RGBA {
	n, sum := 0, [4]int{}
	for _, t := range tones {
		n += t.n
		for c := range 4 {
			sum[c] += t.sum[c]
		}
	}
	if n == 0 {
		return color.RGBA{}
	}
	return color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), uint8(sum[3] / n)}
}
