package brand_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// exif is a JPEG with a mark in one corner that says how the camera was held.
func exif(t *testing.T, order binary.AppendByteOrder, orientation uint16, mark image.Point) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for y := range 32 {
		for x := range 64 {
			img.Set(x, y, color.NRGBA{200, 200, 200, 255})
			if x/16 == mark.X && y/16 == mark.Y {
				img.Set(x, y, color.NRGBA{255, 0, 0, 255})
			}
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	tiff := []byte("MM")
	if order.AppendUint16(nil, 1)[0] == 1 {
		tiff = []byte("II")
	}
	tiff = order.AppendUint32(order.AppendUint16(tiff, 42), 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range [][3]uint16{{0x0100, 3, 64}, {0x0112, 3, orientation}} {
		tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, e[0]), e[1]), 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, e[2]), 0)
	}
	tiff = order.AppendUint32(tiff, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+8))
	segment = append(append(segment, "Exif\x00\x00"...), tiff...)
	raw := out.Bytes()
	return append(append(append([]byte{}, raw[:2]...), segment...), raw[2:]...)
}

// A photograph that a phone took standing is kept standing: what was at the top left of
// what its owner saw is there, however the sensor lay.
func TestPhotographsAreTurnedAsTheyWereTaken(t *testing.T) {
	// Where the sensor has what is seen at the top left: 4 by 2 fields.
	corners := map[uint16]image.Point{1: {0, 0}, 2: {3, 0}, 3: {3, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {3, 1}, 8: {3, 0}, 0: {0, 0}, 9: {0, 0}}
	for o, corner := range corners {
		for name, order := range map[string]binary.AppendByteOrder{"big": binary.BigEndian, "little": binary.LittleEndian} {
			kept, size, err := brand.ReadPicture(exif(t, order, o, corner))
			if err != nil {
				t.Fatal(err)
			}
			want := [2]int{64, 32}
			if o >= 5 && o <= 8 {
				want = [2]int{32, 64}
			}
			r, g, _, _ := decoded(t, kept).At(4, 4).RGBA()
			if size != want || r>>8 < 200 || g>>8 > 60 {
				t.Errorf("orientation %d, %s endian: %v with %d, %d at the top left", o, name, size, r>>8, g>>8)
			}
		}
	}
}

// What is cut short or lies about its lengths is refused, or taken as it is stored or turned.
func TestBrokenOrientationsBreakNothing(t *testing.T) {
	whole := exif(t, binary.BigEndian, 6, image.Point{})
	for at := 20; at < 60; at++ {
		for _, b := range []byte{0, 0xff} {
			raw := bytes.Clone(whole)
			raw[at] = b
			if _, size, err := brand.ReadPicture(raw); err == nil && size != [2]int{64, 32} && size != [2]int{32, 64} {
				t.Errorf("with %#x at %d it has %v", b, at, size)
			}
		}
	}
}

// noise is a photograph that no palette fits and nothing compresses.
func noise(t *testing.T, w, h int) []byte {
	t.Helper()
	img, random := image.NewRGBA(image.Rect(0, 0, w, h)), rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A pass made of photographs stays small, even of noise.
func TestAPassOfPhotographsIsSmall(t *testing.T) {
	kept, _, err := brand.ReadPicture(noise(t, 600, 600))
	if err != nil {
		t.Fatal(err)
	}
	b := brand.Default("Corner Shop")
	b.Strip, b.Logo, b.Icon = kept, kept, kept
	images, err := brand.Render(b, face.Face{Kind: face.KindMember})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, img := range images {
		sum += len(img.PNG)
	}
	if sum > brand.MostPictures {
		t.Errorf("the pictures have %d bytes, at most %d are meant", sum, brand.MostPictures)
	}
}
