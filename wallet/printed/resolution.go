package printed

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// withResolution says in a PNG how many dots make an inch (chunk pHYs, in dots per metre),
// so that programs print it in its size. The chunk stands after IHDR, which is always 25
// bytes and the first.
func withResolution(png []byte, dpi int) []byte {
	const afterHeader = 8 + 25
	perMetre := uint32(math.Round(float64(dpi) / mmPerInch * 1000))
	chunk := append([]byte{0, 0, 0, 9}, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	out := append([]byte(nil), png[:afterHeader]...)
	return append(append(out, chunk...), png[afterHeader:]...)
}
