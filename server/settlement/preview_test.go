package settlement_test

import (
	"context"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// A running month has a preview that sums to zero, has no numbers and leaves nothing
// behind. What is drafted later is what the preview said, when nothing came meanwhile.
func TestARunningMonthHasAPreview(t *testing.T) {
	ctx := context.Background()
	r, member := redeemed(t)
	r.lock(202603)
	r.price("points", "EUR", 20260301, 2000) // a note of 4.00
	r.at(day(2026, 4, 10, 12), "B")
	r.tills["B"].Sell(t, member, 100, 50)
	r.sync("B")
	_, err := r.Follow(ctx)
	r.must(err)
	p, err := r.Preview(ctx, 202604)
	r.must(err)
	want := map[string]int64{"NORTH": -500, "SOUTH": 500, "PROGRAMME": 0}
	for _, s := range p.Statements {
		if net(s, "EUR") != want[s.Party.Code] || s.Number != "" || s.State != clearing.Preview || s.CutAt != r.Clock.Now().UnixMilli() {
			t.Errorf("%s: %+v, want %d", s.Party.Code, s, want[s.Party.Code])
		}
	}
	if len(p.Statements) != 3 || len(p.Missing) != 0 {
		t.Errorf("%d statements, missing %v", len(p.Statements), p.Missing)
	}
	if _, err := r.Lock(ctx, bert, 202604); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a preview was locked: %v", err)
	}
	if _, err := r.Draft(ctx, anna, 202604); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("a running month was drafted: %v", err)
	}
	if _, err := r.Preview(ctx, 202603); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("a locked month has a preview: %v", err)
	}
	// May is running, April not locked: the note stands in April only.
	r.at(day(2026, 5, 3, 12))
	months, err := r.Months(ctx, 0, 10)
	r.must(err)
	var listed []string
	for _, m := range months {
		listed = append(listed, m.Month.String()+" "+string(m.State))
	}
	if !slices.Equal(listed, []string{"2026-05 open", "2026-04 open", "2026-03 locked"}) {
		t.Errorf("months %v", listed)
	}
	if two, err := r.Months(ctx, 202605, 1); err != nil || len(two) != 1 || two[0].Month != 202604 {
		t.Errorf("behind May come %+v: %v", two, err)
	}
	if p, err := r.Preview(ctx, 202605); err != nil || len(p.Statements) != 0 {
		t.Errorf("May: %+v, %v", p, err)
	}
	for code, s := range r.draft(202604) {
		if net(s, "EUR") != want[code] {
			t.Errorf("the draft of %s is %+v, the preview said %d", code, s.Totals, want[code])
		}
	}
}
