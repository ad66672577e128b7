package e2e

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// A shopper becomes a member while HQ is off, earns at two lanes, through a crash of the
// one and before the other has heard of them, and HQ then has them with every point.
func TestG1_EnrolledWithHQOff(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first, second := s.lane(t, "lane1"), s.lane(t, "lane2")
	var early edgeclient.EnrolledMember
	must(t, stage.Until(t.Context(), "the first lane may enrol members", func() (done bool, err error) {
		early, err = first.Enrol(t.Context(), "early")
		if problem.CodeOf(err) == problem.IdentitiesExhausted {
			return false, nil
		}
		return err == nil, err
	}))
	must(t, s.HQ.Stop(t.Context()))
	ben, err := first.Enrol(t.Context(), "ben")
	must(t, err)
	if ben.ID == early.ID || !strings.HasPrefix(ben.CodeSVG, "<svg ") || len(ben.CodePNG) == 0 {
		t.Fatalf("enrolled %+v after %s", ben, early.ID)
	}
	sell(t, first, "r1", edgeclient.QuoteRequest{Code: ben.Code, Total: 20_00})
	must(t, first.Kill())
	must(t, first.Start(t.Context()))
	again, err := first.Enrol(t.Context(), "ben")
	must(t, err)
	if again.ID != ben.ID || again.Code != ben.Code || again.Seq != ben.Seq {
		t.Fatalf("after the crash the same key made %+v, not %+v", again, ben)
	}
	sell(t, first, "r2", edgeclient.QuoteRequest{Code: ben.Code, Total: 5_00})
	sell(t, second, "r3", edgeclient.QuoteRequest{Code: ben.Code, Total: 7_00})

	must(t, s.HQ.Start(t.Context()))
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	s.settle(t)
	m, err := s.Office.Member(t.Context(), ben.ID)
	must(t, err)
	if m.Member.Account != ben.Account || m.Member.Blocked || m.Holding(stage.Points).Free != 20+5+7 {
		t.Errorf("HQ has %+v", m)
	}
	all, err := s.Office.Exceptions(t.Context())
	must(t, err)
	for _, e := range all {
		if e.State == "open" {
			t.Errorf("exception %+v", e)
		}
	}
	must(t, stage.Until(t.Context(), "the second lane knows the points", func() (bool, error) {
		scan, err := second.Scan(t.Context(), ben.Code)
		return err == nil && scan.Free(stage.Points) == 32, err
	}))
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
