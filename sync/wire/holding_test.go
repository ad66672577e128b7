package wire_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
)

// The holding of the first releases; both directions must go on working.
type firstHolding struct {
	Unit      string `cbor:"1,keyasint"`
	Free      int64  `cbor:"2,keyasint"`
	Pending   int64  `cbor:"3,keyasint,omitempty"`
	Overdraft int64  `cbor:"4,keyasint,omitempty"`
	Allowance int64  `cbor:"5,keyasint,omitempty"`
}

func TestHoldingsOfOldAndNewReleasesAreRead(t *testing.T) {
	old, err := wire.Marshal(firstHolding{Unit: "points", Free: 7})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.Unmarshal[wire.Holding](old); err != nil || h != (wire.Holding{Unit: "points", Free: 7}) {
		t.Errorf("an old HQ's holding is read as %+v, %v", h, err)
	}
	raw, err := wire.Marshal(wire.Holding{Unit: "points", Free: 7, Expires: loyalty.Expiry{At: 5, Amount: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.Unmarshal[firstHolding](raw); err != nil || h != (firstHolding{Unit: "points", Free: 7}) {
		t.Errorf("an old terminal reads %+v, %v", h, err)
	}
	if raw, err = wire.Marshal(wire.Holding{Unit: "points", Free: 7}); err != nil {
		t.Fatal(err)
	}
	var keys map[int]cbor.RawMessage
	if err := cbor.Unmarshal(raw, &keys); err != nil || len(keys) != 2 {
		t.Errorf("nothing that expires takes room: %x, %v", raw, err)
	}
}
