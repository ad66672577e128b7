package ledger

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// Every field of a holding and its lots is in a snapshot: filled with values of their
// own, they come back as they were. A field added later fails here.
func TestASnapshotHasAllOfAHolding(t *testing.T) {
	var h loyalty.Holding
	next := int64(0)
	fill(t, reflect.ValueOf(&h).Elem(), &next)
	h.Unit = "points"
	for i := range h.Lots {
		h.Lots[i].Voided = h.Lots[i].Back == h.Lots[i].Amount
	}
	h.Rights[0].End = loyalty.RightOpen // those that are over are read where they are stored
	a := newAccount(AccountRow{}, nil)
	*a.holding("points") = h
	state, err := a.held()
	if err != nil {
		t.Fatal(err)
	}
	b := newAccount(AccountRow{}, nil)
	if err := b.hold(state); err != nil {
		t.Fatal(err)
	}
	if got := *b.holding("points"); !reflect.DeepEqual(got, h) {
		t.Errorf("held  %+v\nfound %+v", h, got)
	}
}

// Accounts that are the same have the same snapshot, whatever was in them before: rights
// that came and went leave nothing.
func TestASnapshotHasNoTraceOfRightsThatAreOver(t *testing.T) {
	var states [][]byte
	over := loyalty.HeldRight{ID: loyalty.ID{1}, Kind: loyalty.RightGranted, End: loyalty.RightReleased}
	for _, rights := range [][]loyalty.HeldRight{nil, {}, {over}} {
		a := newAccount(AccountRow{}, nil)
		*a.holding("points") = loyalty.Holding{Unit: "points", Free: 1, Rights: rights}
		state, err := a.held()
		if err != nil {
			t.Fatal(err)
		}
		if states = append(states, state); !bytes.Equal(state, states[0]) {
			t.Errorf("rights %v: %x, want %x", rights, state, states[0])
		}
	}
}

// fill gives all fields under v values that differ.
func fill(t *testing.T, v reflect.Value, next *int64) {
	t.Helper()
	*next++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), next)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), next)
		}
	case reflect.Int64, reflect.Int32:
		v.SetInt(*next)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	default:
		t.Fatalf("a holding has a %s now", v.Kind())
	}
}
