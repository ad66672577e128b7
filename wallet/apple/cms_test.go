package apple

import (
	"bytes"
	"encoding/asn1"
	"testing"
)

// Lengths of every form are read back by another's decoder, which takes only the shortest.
func TestLengthsOfDER(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 20} {
		want := bytes.Repeat([]byte{7}, size)
		var got []byte
		if rest, err := asn1.Unmarshal(tlv(tagOctets, want[:size/2], want[size/2:]), &got); err != nil || len(rest) != 0 || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d read, %v", size, len(got), err)
		}
	}
}
