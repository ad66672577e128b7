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

// A member with 300 buys with 240 of them and earns 178; HQ takes 100 away, 40 of them
// out of what was earned; then all comes back. What HQ took stays taken.
func TestG7_WhatHQTookStaysTakenWhenTheSaleComesBack(t *testing.T) {
	h := Holding{Unit: "points"}
	must := func(err error) {
		t.Helper()
		if err == nil {
			err = h.Check()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.Earn(Lot{ID: ID{1}, Amount: 300, ExpiresAt: 1000}, BookIssue, 1)
	must(err)
	r, _, err := h.Redeem(240, BookIssue)
	must(err)
	_, err = h.Earn(Lot{ID: ID{2}, Amount: 178, ExpiresAt: 2000}, BookIssue, 2)
	must(err)
	_, _, err = h.Remove(100, BookIssue)
	must(err)
	_, err = h.Restore(r, BookIssue, 3)
	must(err)
	_, _, err = h.Unearn(ID{2}, BookIssue)
	must(err)
	if h.Balance() != 200 {
		t.Errorf("the member has %d, want 200", h.Balance())
	}
}
