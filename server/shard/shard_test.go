package shard_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
)

// The numbers are part of stored keys, so they are written down here.
func TestOfNeverChanges(t *testing.T) {
	for id, want := range map[string]int{
		"00000000-0000-0000-0000-000000000000": 55,
		"0192f0c4-9a7e-7cc3-8000-000000000001": 198,
		"ffffffff-ffff-ffff-ffff-ffffffffffff": 90,
	} {
		if got := shard.Of(uuid.MustParse(id)); got != want {
			t.Errorf("Of(%s) = %d, want %d", id, got, want)
		}
	}
}

func TestOfSpreadsNeighbours(t *testing.T) {
	base := uuid.MustParse("0192f0c4-9a7e-7cc3-8000-000000000000")
	var counts [shard.Count]int
	for i := range 256 * 64 {
		base[14], base[15] = byte(i>>8), byte(i)
		counts[shard.Of(base)]++
	}
	for s, n := range counts {
		if n < 24 || n > 120 {
			t.Errorf("shard %d got %d of %d neighbours, want about 64", s, n, 256*64)
		}
	}
}
