package ingest_test

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A terminal may sign any number as its head. The lane that saw it still delivers.
func TestG5_AWitnessOfAnImpossibleNumberBlocksNobody(t *testing.T) {
	hq := books.New(t)
	honest, bad := hq.Till(t, "honest"), hq.Till(t, "bad")
	saw(t, honest, entry.WitnessSeen, bad.HeadAt(t, math.MaxUint64, 1), wire.SignedHead{})
	saw(t, honest, entry.WitnessFork, bad.HeadAt(t, math.MaxUint64, 1), bad.HeadAt(t, math.MaxUint64, 2))
	push(t, honest, 1, 3)
	if hq.Quarantined(honest.ID) {
		t.Error("the lane that saw it is shut out")
	}
}
