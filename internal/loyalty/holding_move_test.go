package loyalty

import (
	"errors"
	"testing"
)

func TestSendTakesFromTheLotsAndAnUndoneEarningIsOwed(t *testing.T) {
	h := Holding{Unit: "points"}
	for _, lot := range []Lot{
		{ID: ID{1}, Amount: 30, ExpiresAt: 20},
		{ID: ID{2}, Amount: 40, ExpiresAt: 10},
		{ID: ID{3}, Amount: 50, VestsAt: 99},
	} {
		if _, err := h.Earn(lot, BookIssue, 0); err != nil {
			t.Fatal(err)
		}
	}
	takes := h.Choose(50)
	if len(takes) != 2 || takes[0] != (Take{ID{2}, 40}) || takes[1] != (Take{ID{1}, 10}) {
		t.Fatalf("chose %+v", takes)
	}
	moves, err := h.Send(append(takes, Take{ID{3}, 50}), BookClearing)
	if err != nil || len(moves) != 3 || moves[2] != (Move{BookPending, BookClearing, 50, ID{3}}) {
		t.Fatalf("%+v, %v", moves, err)
	}
	if h.Free != 20 || h.Pending != 0 || h.Check() != nil {
		t.Errorf("%+v, %v", h, h.Check())
	}
	if _, err := h.Send([]Take{{ID{2}, 1}}, BookClearing); !errors.Is(err, ErrLots) {
		t.Errorf("sent what is gone: %v", err)
	}
	if _, short, err := h.Unearn(ID{2}, BookIssue); err != nil || short != 20 || h.Overdraft != 20 {
		t.Errorf("short %d, %v, %+v", short, err, h)
	}
	if h.Check() != nil {
		t.Error(h.Check())
	}
}
