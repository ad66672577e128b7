package apple

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/wallet/brand"
)

// maxImage is the largest picture a pass takes; a pass is fetched over slow lines.
const maxImage = 2 << 20

// box is the room a picture has, in points (pixels at 1x).
type box struct{ minWidth, maxWidth, minHeight, maxHeight int }

// boxes are the pictures of the styles made here. Sizes: Human Interface Guidelines,
// Wallet; the icon is 29 points in the older and 38 in the newer edition.
var boxes = map[string]box{
	"icon":        {29, 38, 29, 38},
	"logo":        {1, 160, 1, 50},
	"strip":       {320, 375, 84, 144},
	"artwork":     {358, 358, 448, 448},
	"primaryLogo": {1, 126, 1, 30},
}

// imageName splits a file's name as Wallet has it: icon.png, icon@2x.png, icon@3x.png.
func imageName(file string) (name string, scale int, is bool) {
	name, is = strings.CutSuffix(file, ".png")
	name, times, scaled := strings.Cut(name, "@")
	switch {
	case !is || name == "":
		return "", 0, false
	case !scaled:
		return name, 1, true
	case times == "2x" || times == "3x":
		return name, int(times[0] - '0'), true
	}
	return "", 0, false
}

// checkImages refuses pictures that make Wallet drop the pass or show it wrongly. Each
// refusal names the file.
func checkImages(images []brand.Image) error {
	seen := make(map[string]bool, len(images))
	for _, image := range images {
		if seen[image.Name] {
			return fmt.Errorf("image %s is given twice", image.Name)
		}
		seen[image.Name] = true
		if err := checkImage(image); err != nil {
			return fmt.Errorf("image %s %w", cut(image.Name, 64), err)
		}
	}
	if !seen["icon.png"] {
		return fmt.Errorf("icon.png is missing, without which no iPhone installs a pass")
	}
	return nil
}

func checkImage(image brand.Image) error {
	name, scale, is := imageName(image.Name)
	if !is {
		return fmt.Errorf("is not named as Wallet has it (icon.png, icon@2x.png, icon@3x.png)")
	}
	room, known := boxes[name]
	if !known {
		return fmt.Errorf("is not one that these passes show")
	}
	if len(image.PNG) > maxImage {
		return fmt.Errorf("has %d bytes, at most %d are taken", len(image.PNG), maxImage)
	}
	width, height, is := pngSize(image.PNG)
	if !is {
		return fmt.Errorf("is not a PNG")
	}
	if width < room.minWidth*scale || width > room.maxWidth*scale || height < room.minHeight*scale || height > room.maxHeight*scale {
		return fmt.Errorf("is %d×%d pixels; at %dx it may be %d to %d wide and %d to %d high", width, height, scale,
			room.minWidth*scale, room.maxWidth*scale, room.minHeight*scale, room.maxHeight*scale)
	}
	return nil
}

var pngStart = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")

// pngSize reads the size from a PNG's first bytes (PNG, third edition, §11.2.1).
func pngSize(data []byte) (width, height int, is bool) {
	if len(data) < len(pngStart)+8 || !bytes.HasPrefix(data, pngStart) {
		return 0, 0, false
	}
	size := data[len(pngStart):]
	return int(binary.BigEndian.Uint32(size)), int(binary.BigEndian.Uint32(size[4:])), true
}

// has tells whether a picture of this name is there at any scale.
func has(images []brand.Image, name string) bool {
	for _, image := range images {
		if of, _, is := imageName(image.Name); is && of == name {
			return true
		}
	}
	return false
}
