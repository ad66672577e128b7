package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// again enrols a lane once more, under its next epoch.
func (s *scene) again(t *testing.T, lane *stage.Lane, terminal uuid.UUID) {
	t.Helper()
	must(t, lane.AwaitDrained(t.Context()))
	must(t, lane.Stop(t.Context()))
	code, err := s.Office.EnrolmentCode(t.Context(), terminal)
	must(t, err)
	out, err := process.Run(t.Context(), process.Spec{
		Path: s.Bin.Path("edge"), Log: s.Log, Stdin: strings.NewReader(code + "\n"),
		Args: []string{"enroll", "--data", lane.Data, "--hq", "http://" + s.WAN.Addr(), "--code-file", "-", "--again"},
	})
	must(t, err)
	t.Logf("edge enroll --again: %s", out)
	must(t, lane.Start(t.Context()))
	must(t, lane.AwaitOnline(t.Context()))
}

// kinds counts the exceptions of HQ that nothing has explained.
func (s *scene) kinds(t *testing.T) map[string]int {
	t.Helper()
	list, err := s.Office.Exceptions(t.Context())
	must(t, err)
	out := map[string]int{}
	for _, e := range list {
		if e.State != "withdrawn" {
			out[e.Cause]++
			t.Logf("exception %s: %s", e.Cause, e.Detail)
		}
	}
	return out
}

// HQ is restored to a time before one lane was enrolled and another got its next
// epoch: it knows its own signature again, takes both in, is offered the earlier
// epoch once more, and says which of its own facts are lost.
func TestG4_TerminalsEnrolledAfterTheBackup(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first := s.lane(t, "lane1")
	crowd := s.crowd(t, []string{"Anna", "Bert"}, 600)
	anna, bert := crowd[0], crowd[1]
	coffee := []edgeclient.Wish{{Reward: s.programme.Coffee.ID}}
	sell(t, first, "before", edgeclient.QuoteRequest{Code: anna.Code, Total: 20_00, Redeem: coffee})
	s.settle(t)
	file := filepath.Join(t.TempDir(), "hq.backup")
	s.hq(t, "backup", "--data", s.HQ.Data, file)

	sell(t, first, "after", edgeclient.QuoteRequest{Code: bert.Code, Total: 30_00})
	must(t, s.Office.Adjust(t.Context(), anna.ID, hqclient.Adjustment{Unit: stage.Points, Amount: 50, Reason: "goodwill"}))
	s.again(t, first, terminalOf(t, first))
	second := s.lane(t, "lane2")
	for i, lane := range []*stage.Lane{first, second} {
		must(t, lane.AwaitMember(t.Context(), anna.Code, stage.Points, 1))
		sell(t, lane, "new"+string(rune('1'+i)), edgeclient.QuoteRequest{Code: anna.Code, Total: 10_00})
		sell(t, lane, "more"+string(rune('1'+i)), edgeclient.QuoteRequest{Code: bert.Code, Total: 50_00})
	}
	s.settle(t)
	annas, berts := s.free(t, anna)-50, s.free(t, bert) // the goodwill is a fact of HQ, and lost
	terminal := terminalOf(t, second)
	sold, err := s.Office.Entries(t.Context(), terminal)
	must(t, err)

	must(t, s.HQ.Kill())
	again := filepath.Join(s.Dir, "restored")
	s.hq(t, "restore", "--data", again, "--keys", filepath.Join(s.HQ.Data, "keys.json"), file)
	s.HQ.Data = again
	must(t, s.HQ.Start(t.Context()))
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	must(t, stage.Until(t.Context(), "HQ has everything again", func() (bool, error) {
		a, err := s.Office.Member(t.Context(), anna.ID)
		if err != nil {
			return false, err
		}
		b, err := s.Office.Member(t.Context(), bert.ID)
		return err == nil && a.Holding(stage.Points).Free == annas && b.Holding(stage.Points).Free == berts, err
	}))
	s.settle(t)
	if a, b := s.free(t, anna), s.free(t, bert); a != annas || b != berts {
		t.Errorf("Anna has %d points, want %d; Bert %d, want %d", a, annas, b, berts)
	}
	now, err := s.Office.Entries(t.Context(), terminal)
	must(t, err)
	if len(now) < len(sold) || now[len(now)-1].Seq != sold[len(sold)-1].Seq {
		t.Errorf("HQ has %d entries of the new lane, had %d", len(now), len(sold))
	}
	kinds := s.kinds(t)
	if kinds["terminal_adopted"] != 2 || kinds["hq_facts_lost"] == 0 || kinds["unproven"] != 0 {
		t.Errorf("exceptions: %v, want two adopted terminals and what HQ has lost", kinds)
	}
	if status, err := s.Office.Status(t.Context()); err != nil || status.Adopted != 2 || status.FactsLost == 0 {
		t.Errorf("status: %+v, %v", status, err)
	}
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("hq verify: %v\n%s", err, out)
	}
	must(t, s.HQ.Stop(t.Context()))
	s.hq(t, "rebuild", "--data", s.HQ.Data)
	// The earlier epoch as a file: HQ has all of it.
	out := filepath.Join(t.TempDir(), "epoch1.export")
	_, err = process.Run(t.Context(), process.Spec{
		Path: s.Bin.Path("edge"), Args: []string{"export", "--data", first.Data, "--epoch", "1", "--out", out}, Log: s.Log,
	})
	must(t, err)
	said, err := s.HQ.Import(t.Context(), out)
	if must(t, err); !strings.Contains(said, `"new":0`) || strings.Contains(said, "warning") {
		t.Errorf("hq import: %s", said)
	}
	must(t, s.HQ.Start(t.Context()))
}
