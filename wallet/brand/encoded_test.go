package brand

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"testing"
)

// Noise is the worst there is: it is made smaller until it may be kept.
func TestWhatDoesNotCompressIsKeptSmaller(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 120, 60))
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(dice.Uint32())
	}
	kept, size, err := encoded(noise, 100, 4000)
	if err != nil || len(kept) > 4000 || size != [2]int{25, 13} {
		t.Errorf("%v, %d bytes, %v", size, len(kept), err)
	}
	if _, err := png.Decode(bytes.NewReader(kept)); err != nil {
		t.Error(err)
	}
}
