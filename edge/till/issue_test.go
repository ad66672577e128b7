package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// A phone in flight mode shows the code of three updates ago.
func TestG1_APhoneThatMissedUpdatesForAWeekLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		grace int64
		after time.Duration
		want  problem.Code
	}{
		"today":                      {0, time.Hour, ""},
		"almost a week":              {0, 7*24*time.Hour - time.Minute, ""},
		"a week":                     {0, 7 * 24 * time.Hour, problem.CodeOutdated},
		"no grace":                   {-1, time.Hour, problem.CodeOutdated},
		"ten days of grace, on nine": {10, 9 * 24 * time.Hour, ""},
	} {
		s := newShop(t, func(s *shop) { s.Policy.IssueGraceDays = c.grace })
		code := s.Token(t, passtoken.KindMember, s.member.ID, 2).Text()
		s.member.Issue = 5
		at := tilltest.Start.UnixMilli()
		s.member.Replaced = []loyalty.Replaced{{Issue: 4, At: at}, {Issue: 3, At: at}, {Issue: 2, At: at}}
		s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
		s.Pass(c.after) // offline
		scan, err := s.till.Identify(context.Background(), code)
		if (err != nil) != (c.want != "") || err != nil && problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (scan.Member.ID != s.member.ID || scan.Member.Holdings[0].Free != 10_000) {
			t.Errorf("%s: %+v", name, scan.Member)
		}
	}
}

// memberOfOld is a member as the first releases know one.
type memberOfOld struct {
	Issue uint16 `cbor:"4,keyasint"`
}

func TestOldTerminalsReadMembersWithReplacedIssues(t *testing.T) {
	raw, err := wire.Marshal(wire.Member{Issue: 5, Replaced: []loyalty.Replaced{{Issue: 4, At: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if old, err := wire.Unmarshal[memberOfOld](raw); err != nil || old.Issue != 5 {
		t.Errorf("read %+v, %v", old, err)
	}
	if raw, err = wire.Marshal(memberOfOld{Issue: 5}); err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Unmarshal[wire.Member](raw); err != nil || m.Issue != 5 || m.Replaced != nil {
		t.Errorf("read %+v, %v", m, err)
	}
}
