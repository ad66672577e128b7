package entry_test

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
)

func TestDayCloseThatContradictsItselfIsRefused(t *testing.T) {
	good := fullClose()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*entry.DayClose){
		"no date":          func(c *entry.DayClose) { c.Date = 0 },
		"no such date":     func(c *entry.DayClose) { c.Date = 20260230 },
		"number, no date":  func(c *entry.DayClose) { c.Date = 1<<32 - 1 },
		"no first":         func(c *entry.DayClose) { c.First = 0 },
		"last before none": func(c *entry.DayClose) { c.First, c.Last = 9, 7 },
	} {
		c := good
		if change(&c); !errors.Is(c.Check(), entry.ErrUnreadable) {
			t.Errorf("%s: %v", name, c.Check())
		}
	}
	if good.Last = good.First - 1; good.Check() != nil {
		t.Error("a day without entries is one")
	}
}

func TestDatesFollowEachOther(t *testing.T) {
	for date, next := range map[entry.Date]entry.Date{20260228: 20260301, 20280228: 20280229, 20261231: 20270101} {
		if got := date.Next(); got != next || !date.Valid() {
			t.Errorf("%s is followed by %s", date, got)
		}
	}
}
