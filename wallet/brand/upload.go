package brand

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of a picture that a person uploads. They are looked at before anything is
// decoded.
const (
	MaxUpload = 5 << 20 // bytes
	MaxSide   = 6000    // pixels
	MinSide   = 16      // of an upload; what is kept of a long one may have less
	// maxDecoded is what a picture may hold while it is decoded, in bytes.
	maxDecoded = 64 << 20
	// maxScans bounds the passes of a JPEG that is sent coarse first: each costs the time of
	// the whole picture, and one of nothing has few bytes.
	maxScans = 64
	// keptSide is the longest side that is kept: more than any pass shows.
	keptSide = 1500
)

var pngStart, jpegStart = []byte("\x89PNG\r\n\x1a\n"), []byte{0xff, 0xd8, 0xff}

// ReadPicture takes a picture as uploaded, PNG or JPEG, and returns it as the PNG that is
// kept, and its width and height: at most 1500 pixels a side, turned as the camera says it
// was held, without what cameras write beside the picture (places, names). It is refused with problem.InvalidField,
// problem.UnsupportedMedia or problem.BodyTooLarge and a reason a person can act on.
func ReadPicture(raw []byte) (kept []byte, size [2]int, err error) {
	config, err := limits(raw)
	if err != nil {
		return nil, size, err
	}
	if w, h := config.Width, config.Height; w < MinSide || h < MinSide {
		return nil, size, problem.Newf(problem.InvalidField, "the picture has %d × %d pixels, at least %d a side are needed", w, h, MinSide)
	}
	read, err := decode(raw)
	if err != nil {
		return nil, size, err
	}
	return encoded(turned(within(read, keptSide), orientation(raw)), keptSide, MaxUpload)
}

// encoded makes the PNG that is kept, smaller until it has at most so many bytes: noise
// does not compress, and what is kept must be readable again.
func encoded(read image.Image, side, most int) (kept []byte, size [2]int, err error) {
	for ; ; side /= 2 {
		read = within(read, side)
		var out bytes.Buffer
		if err := png.Encode(&out, read); err != nil {
			return nil, size, fmt.Errorf("encode picture: %w", err)
		}
		if out.Len() <= most {
			return out.Bytes(), [2]int{read.Bounds().Dx(), read.Bounds().Dy()}, nil
		}
	}
}

// within makes a picture smaller, so that no side is longer.
func within(read image.Image, side int) image.Image {
	size := read.Bounds().Size()
	if size.X <= side && size.Y <= side {
		return read
	}
	w, h := fit(size.X, size.Y, side, side)
	smaller := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(smaller, smaller.Bounds(), read, read.Bounds(), draw.Src, nil)
	return smaller
}

// decode reads a picture within the limits.
func decode(raw []byte) (image.Image, error) {
	if _, err := limits(raw); err != nil {
		return nil, err
	}
	read := jpeg.Decode
	if bytes.HasPrefix(raw, pngStart) {
		read = png.Decode
	}
	out, err := read(bytes.NewReader(raw))
	if err != nil {
		return nil, broken(err)
	}
	return out, nil
}

// limits says how large a picture is, and refuses what is not to be decoded.
func limits(raw []byte) (image.Config, error) {
	if len(raw) > MaxUpload {
		return image.Config{}, problem.Newf(problem.BodyTooLarge, "the picture has %.1f MB, at most %d MB are taken", float64(len(raw))/(1<<20), MaxUpload>>20)
	}
	var (
		config   image.Config
		err      error
		perPixel int
	)
	switch {
	case bytes.HasPrefix(raw, pngStart):
		config, err = png.DecodeConfig(bytes.NewReader(raw))
		perPixel = pngBytes(config.ColorModel)
	case bytes.HasPrefix(raw, jpegStart):
		config, err = jpeg.DecodeConfig(bytes.NewReader(raw))
		perPixel = jpegBytes(raw)
		if n := bytes.Count(raw, []byte{0xff, 0xda}); n > maxScans {
			return image.Config{}, problem.Newf(problem.InvalidField, "the picture is sent in %d passes, at most %d are taken; save it as an ordinary JPEG", n, maxScans)
		}
	default:
		return image.Config{}, problem.New(problem.UnsupportedMedia, "the picture is neither PNG nor JPEG")
	}
	if err != nil {
		return image.Config{}, broken(err)
	}
	return config, withinLimits(config, perPixel)
}

func broken(err error) error {
	return problem.Wrap(problem.InvalidField, err, "the picture is damaged or cut short")
}

func withinLimits(config image.Config, perPixel int) error {
	w, h := config.Width, config.Height
	switch {
	case w > MaxSide || h > MaxSide:
		return problem.Newf(problem.InvalidField, "the picture has %d × %d pixels, at most %d a side are taken", w, h, MaxSide)
	case w*h*perPixel > maxDecoded:
		return problem.Newf(problem.InvalidField, "the picture has %d × %d pixels, which is too many of this kind; save it smaller", w, h)
	}
	return nil
}

// pngBytes is how many bytes a pixel takes once decoded.
func pngBytes(model color.Model) int {
	switch model {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.Gray16Model:
		return 2
	case color.GrayModel:
		return 1
	}
	if _, palette := model.(color.Palette); palette {
		return 1
	}
	return 4
}

// jpegBytes is the same of a JPEG: one that is sent coarse first (SOF2) keeps its
// coefficients until the end.
func jpegBytes(raw []byte) int {
	const plain, coarseFirst = 4, 16
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
		switch kind := raw[at+1]; {
		case kind == 0xff: // filler
			at++
		case kind == 0xc2:
			return coarseFirst
		case kind == 0xc0 || kind == 0xc1:
			return plain
		default:
			at += 2 + int(binary.BigEndian.Uint16(raw[at+2:]))
		}
	}
	return coarseFirst
}
