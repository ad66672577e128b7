package loyalty

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const testDay = int64(msPerDay)

func TestTheGraceOfAnUpdate(t *testing.T) {
	replaced := []Replaced{{Issue: 8, At: 10 * testDay}, {Issue: 7, At: 9 * testDay}, {Issue: 6, At: 2 * testDay}}
	for _, c := range []struct {
		name  string
		days  int64
		shown uint16
		at    int64
		want  bool
	}{
		{"the newest", 0, 9, 11 * testDay, true},
		{"one HQ knows and the till not yet", 0, 10, 11 * testDay, true},
		{"the one before, for ever", 0, 8, 900 * testDay, true},
		{"replaced two days ago", 0, 7, 11 * testDay, true},
		{"in the last moment of seven days", 0, 7, 16*testDay - 1, true},
		{"seven days ago", 0, 7, 16 * testDay, false},
		{"nine days ago", 0, 6, 11 * testDay, false},
		{"longer grace", 10, 6, 11 * testDay, true},
		{"shorter grace", 1, 7, 11 * testDay, false},
		{"no grace", -1, 7, 9*testDay + 1, false},
		{"more than the most", 999, 6, 32*testDay - 1, true},
		{"more than the most, later", 999, 6, 32 * testDay, false},
		{"one nothing is known of", 0, 5, 11 * testDay, false},
	} {
		if got := (Policy{IssueGraceDays: c.days}).IssueGood(c.shown, 9, replaced, c.at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestIssuesThatUpdatesReplaced(t *testing.T) {
	all := []Issued{{5, 50, true}, {2, 20, true}, {3, 30, false}, {4, 40, true}}
	for at, want := range map[int64][]Replaced{
		10: nil, 20: {{1, 20}}, 30: nil, 45: {{3, 40}}, 50: {{4, 50}, {3, 40}},
	} {
		newest, got := IssuesAt(all, at)
		if newest != uint16(max(1, at/10)) || !slices.Equal(got, want) {
			t.Errorf("at %d: newest %d, %v; want %v", at, newest, got, want)
		}
	}
	var many []Issued
	for i := uint16(2); i < 100; i++ {
		many = append(many, Issued{i, int64(i), true})
	}
	if _, got := IssuesAt(many, 1000); len(got) != MostReplaced || got[0] != (Replaced{98, 99}) {
		t.Errorf("of 99 issues: %v", got)
	}
}

// What somebody lost is never good again beyond what it was before there was a grace: only
// the one right before the newest is.
func TestG2_ARevokedIssueGetsNoGrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint16Range(2, 30).Draw(t, "issues")
		var all []Issued
		var lost uint16 // the last issue that came because the one before was lost
		at := int64(0)
		for i := uint16(2); i <= n; i++ {
			at += rapid.Int64Range(0, 3*testDay).Draw(t, "wait")
			updated := rapid.Bool().Draw(t, "update")
			if !updated {
				lost = i
			}
			all = append(all, Issued{i, at, updated})
		}
		now := at + rapid.Int64Range(0, 9*testDay).Draw(t, "later")
		policy := Policy{IssueGraceDays: rapid.Int64Range(-1, 40).Draw(t, "grace")}
		newest, replaced := IssuesAt(all, now)
		for shown := uint16(1); shown <= n; shown++ {
			good := policy.IssueGood(shown, newest, replaced, now)
			if good && shown < lost && shown+1 < newest {
				t.Fatalf("issue %d is good, which was lost before %d", shown, lost)
			}
			if !good && shown+1 >= newest {
				t.Fatalf("issue %d of %d is refused", shown, newest)
			}
		}
	})
}
