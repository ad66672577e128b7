package brand

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/draw"
)

// upright is the orientation of a picture that is stored as it is seen.
const upright = 1

// orientation returns how a camera held a JPEG, 1 to 8: the tag Orientation of Exif
// (CIPA DC-008, 4.6.5), in the first directory of an APP1 segment. What says nothing, or
// cannot be read, is upright.
func orientation(raw []byte) int {
	if !bytes.HasPrefix(raw, jpegStart) {
		return upright
	}
	const app1, startOfScan = 0xe1, 0xda
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff && raw[at+1] != startOfScan; {
		if raw[at+1] == 0xff { // filler
			at++
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(raw[at+2:]))
		if end > len(raw) || end < at+4 {
			return upright
		}
		if tiff, is := bytes.CutPrefix(raw[at+4:end], []byte("Exif\x00\x00")); is && raw[at+1] == app1 {
			return orientationOf(tiff)
		}
		at = end
	}
	return upright
}

// orientationOf reads the tag from a TIFF header and its first directory.
func orientationOf(tiff []byte) int {
	const header, entry, tag, short = 8, 12, 0x0112, 3
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(tiff) < header {
		return upright
	}
	first := uint64(order.Uint32(tiff[4:]))
	if first+2 > uint64(len(tiff)) {
		return upright
	}
	rest := tiff[first:]
	n := int(order.Uint16(rest))
	for rest = rest[2:]; n > 0 && len(rest) >= entry; n, rest = n-1, rest[entry:] {
		if order.Uint16(rest) != tag || order.Uint16(rest[2:]) != short {
			continue
		}
		if o := int(order.Uint16(rest[8:])); o >= upright && o <= 8 {
			return o
		}
	}
	return upright
}

// turned is a picture as it is seen, of one that a camera stored with an orientation.
func turned(read image.Image, o int) image.Image {
	if o == upright {
		return read
	}
	from := image.NewRGBA(image.Rectangle{Max: read.Bounds().Size()})
	draw.Draw(from, from.Bounds(), read, read.Bounds().Min, draw.Src)
	w, h := from.Bounds().Dx(), from.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o >= 5 { // lying on a side
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch o {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(tx, ty):][:4], from.Pix[from.PixOffset(x, y):][:4])
		}
	}
	return out
}
