package api

import (
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// A month whose draft failed says why and when it is tried again; others say nothing of it.
func TestAMonthSaysWhyItIsNotDrafted(t *testing.T) {
	m := settlement.MonthState{MonthRow: settlement.MonthRow{Month: 202603, State: clearing.Drafting}}
	if got := showMonth(m); got.Failure != nil {
		t.Errorf("%+v", got.Failure)
	}
	m.Failure = settlement.Failure{Times: 3, RetryAt: 1_790_000_000_000, Code: problem.AmountOverflow, Detail: "too many points"}
	got := showMonth(m).Failure
	if got == nil || got.Code != "amount_overflow" || got.Detail == nil || *got.Detail != "too many points" || got.Times != 3 || got.RetryAt.Unix() != 1_790_000_000 {
		t.Errorf("%+v", got)
	}
	m.Failure.Detail = ""
	if got := showMonth(m).Failure; got == nil || got.Detail != nil {
		t.Errorf("%+v", got)
	}
}
