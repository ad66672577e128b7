package brand_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
)

func jpegOf(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.NRGBA{uint8(x), uint8(y), 7, 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// claiming is a PNG of a few bytes that says it is so large.
func claiming(w, h uint32, kind, depth byte) []byte {
	head := append([]byte{0, 0, 0, 13}, "IHDR"...)
	head = binary.BigEndian.AppendUint32(head, w)
	head = binary.BigEndian.AppendUint32(head, h)
	head = append(head, depth, kind, 0, 0, 0)
	head = binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(head[4:]))
	return append([]byte("\x89PNG\r\n\x1a\n"), head...)
}

func TestUploadsAreKeptAsSmallPNGs(t *testing.T) {
	withPlace := jpegOf(t, 400, 300)
	withPlace = append(append(append([]byte{}, withPlace[:2]...), "\xff\xe1\x00\x16Exif\x00\x00here I live!"...), withPlace[2:]...)
	for name, c := range map[string]struct {
		raw  []byte
		want [2]int
	}{
		"PNG": {drawn(t, 300, 200), [2]int{300, 200}}, "JPEG": {withPlace, [2]int{400, 300}},
		"a large one": {drawn(t, 3000, 100), [2]int{1500, 50}}, "a high one": {drawn(t, 40, 4000), [2]int{16, 1600}},
	} {
		kept, size, err := brand.ReadPicture(c.raw)
		if name == "a high one" {
			c.want = [2]int{15, 1500}
		}
		if err != nil || size != c.want || bytes.Contains(kept, []byte("here I live")) {
			t.Errorf("%s: %v, %v", name, size, err)
			continue
		}
		img, err := png.Decode(bytes.NewReader(kept))
		if err != nil || img.Bounds().Dx() != size[0] || img.Bounds().Dy() != size[1] {
			t.Errorf("%s: what is kept: %v", name, err)
		}
		b := brand.Default("x")
		b.Logo = kept
		if _, err := brand.Check(b); err != nil {
			t.Errorf("%s: what is kept cannot be saved: %v", name, err)
		}
		if _, err := brand.Draw(b, brand.DrawLogo, 0); err != nil {
			t.Errorf("%s: what is kept cannot be drawn: %v", name, err)
		}
	}
}

func TestUploadsAreRefused(t *testing.T) {
	many := jpegOf(t, 64, 64)
	many = append(many[:len(many)-2], bytes.Repeat([]byte("\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"), 70)...)
	for name, c := range map[string]struct {
		raw  []byte
		code problem.Code
		says string
	}{
		"50 MB":            {append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 50<<20)...), problem.BodyTooLarge, "50.0 MB"},
		"nothing":          {nil, problem.UnsupportedMedia, "neither"},
		"a GIF":            {[]byte("GIF89a"), problem.UnsupportedMedia, "neither"},
		"an SVG":           {[]byte("<svg/>"), problem.UnsupportedMedia, "neither"},
		"100,000 a side":   {claiming(100_000, 100_000, 2, 8), problem.InvalidField, "100000 × 100000"},
		"all of 32 bits":   {claiming(1<<31-1, 1<<31-1, 6, 16), problem.InvalidField, ""},
		"too many":         {claiming(5000, 5000, 6, 8), problem.InvalidField, "too many"},
		"too deep":         {claiming(3500, 3500, 6, 16), problem.InvalidField, "too many"},
		"one pixel":        {claiming(1, 1, 2, 8), problem.InvalidField, "1 × 1"},
		"a torn PNG":       {drawn(t, 100, 100)[:60], problem.InvalidField, "damaged"},
		"a torn JPEG":      {jpegOf(t, 100, 100)[:300], problem.InvalidField, "damaged"},
		"a JPEG of passes": {many, problem.InvalidField, "passes"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := brand.ReadPicture(c.raw)
		runtime.ReadMemStats(&after)
		var p *problem.Error
		if !asProblem(err, &p) || p.Code != c.code || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s took %d bytes before it was refused", name, used)
		}
	}
}

// FuzzReadPicture feeds what anybody may upload. What is kept must be a PNG within the
// limits that a pass can be drawn with.
func FuzzReadPicture(f *testing.F) {
	f.Add(drawn(f, 30, 20))
	f.Add(jpegOf(f, 33, 17))
	f.Add(claiming(60_000, 60_000, 6, 16))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xc2"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept, size, err := brand.ReadPicture(raw)
		if err != nil {
			var p *problem.Error
			if !asProblem(err, &p) {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if size[0] > 1500 || size[1] > 1500 || len(kept) > brand.MaxUpload {
			t.Fatalf("kept: %v, %d bytes", size, len(kept))
		}
		b := brand.Default("x")
		b.Logo = kept
		if _, err := brand.Draw(b, brand.DrawLogo, 0); err != nil {
			t.Fatal(err)
		}
	})
}
