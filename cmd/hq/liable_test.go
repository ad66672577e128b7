package main

import (
	"testing"

	"github.com/tallystick/tallystick/internal/loyalty"
)

func TestTheTableOfWhoAnswersForALoss(t *testing.T) {
	got, err := (&cli{Liable: map[string]string{"late_recall": "store"}}).liable()
	if err != nil || got[loyalty.LossRecall] != "store" || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []map[string]string{{"weather": "store"}, {"policy": "nobody"}} {
		if _, err := (&cli{Liable: wrong}).liable(); err == nil {
			t.Errorf("%v was taken", wrong)
		}
	}
}
