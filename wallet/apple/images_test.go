package apple

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/wallet/brand"
)

// A picture's name is one that Wallet knows, whole: it stands in the manifest as it is.
func TestNamesOfPictures(t *testing.T) {
	for file, want := range map[string]int{
		"icon.png": 1, "icon@2x.png": 2, "strip@3x.png": 3, "primaryLogo.png": 1,
		"": 0, ".png": 0, "@2x.png": 0, "icon": 0, "icon@1x.png": 0, "icon@4x.png": 0, "icon@2x@2x.png": 0, "icon@2x.PNG": 0, "icon@.png": 0,
	} {
		if _, scale, is := imageName(file); is != (want > 0) || scale != want {
			t.Errorf("%q: scale %d, %v", file, scale, is)
		}
	}
}

// start is the first chunk of a PNG of that size; no more of it is looked at.
func start(width, height uint32) []byte {
	out := binary.BigEndian.AppendUint32(slices.Clone(pngStart), width)
	out = binary.BigEndian.AppendUint32(out, height)
	out = append(out, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[12:]))
}

// FuzzImage reads foreign names and bytes as a picture: what is taken has a name of the
// few there are and a size that fits them.
func FuzzImage(f *testing.F) {
	f.Add("icon.png", start(29, 29))
	names := slices.Collect(maps.Keys(boxes))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if checkImage(brand.Image{Name: name, PNG: data}) != nil {
			return
		}
		bare, _, scaled := strings.Cut(strings.TrimSuffix(name, ".png"), "@")
		times := 1
		if scaled {
			times = int(name[len(bare)+1] - '0')
		}
		width, height, is := pngSize(data)
		if room := boxes[bare]; !slices.Contains(names, bare) || !is || width < 1 || height < 1 || width > room.maxWidth*times || height > room.maxHeight*times {
			t.Errorf("%q with %d×%d pixels is taken", name, width, height)
		}
	})
}
