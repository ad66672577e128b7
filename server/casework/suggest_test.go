package casework_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// waiting is the work on an exception of a kind that came some days ago.
func waiting(kind ledger.ExceptionKind, days int) casework.Work {
	return casework.Work{Exception: ledger.Exception{
		Kind: kind, State: ledger.ExceptionOpen, Liable: "store", RecordedAt: now.AddDate(0, 0, -days).UnixMilli(),
	}}
}

// Every cause has a suggestion, whose reason the console has words for.
func TestEachCauseHasASuggestion(t *testing.T) {
	const (
		look, wait      = casework.Investigate, casework.Wait
		release, reject = casework.ActRelease, casework.ActReject
		settle          = casework.ActResolve
	)
	for _, c := range []struct {
		kind       ledger.ExceptionKind
		days       int
		action     casework.Action
		resolution casework.Resolution
		reason     string
	}{
		{ledger.Unproven, 0, release, "", "unproven_alone"},
		{ledger.EarningDiffers, 0, reject, "", "above_rules"},
		{ledger.UnitUnknown, 90, wait, "", "unit_missing"},
		{ledger.UnknownMember, 90, wait, "", "member_missing"},
		{ledger.Fork, 0, look, "", "compare_branches"},
		{ledger.VoidWithoutSale, 29, wait, "", "may_arrive"},
		{ledger.VoidWithoutSale, 30, settle, casework.Charged, "waited_long"},
		{ledger.ReturnUnmatched, 0, wait, "", "may_arrive"},
		{ledger.RightUnknown, 31, settle, casework.Charged, "waited_long"},
		{ledger.ClaimUnmet, 0, wait, "", "may_arrive"},
		{ledger.RightMisused, 0, settle, casework.Explained, "nothing_lost"},
		{ledger.ClaimRepeated, 0, settle, casework.Explained, "nothing_lost"},
		{ledger.ClaimExpired, 0, settle, casework.Explained, "nothing_lost"},
		{ledger.SaleRepeated, 0, settle, casework.Explained, "nothing_lost"},
		{ledger.ClockAhead, 0, settle, casework.Explained, "nothing_lost"},
		{ledger.DayCloseDiffers, 0, settle, casework.Explained, "entries_prove"},
		{ledger.ReturnExceedsSale, 0, settle, casework.Charged, "returned_more"},
		{ledger.TerminalAdopted, 0, look, "", "after_restore"},
		{ledger.HQFactsLost, 0, look, "", "after_restore"},
		{ledger.Overdraw, 0, settle, casework.Charged, "loss"},
		{ledger.VoucherOveruse, 0, settle, casework.Charged, "loss"},
		{ledger.FactSetAside, 0, look, "", "look"},
		{ledger.InvalidEntry, 0, look, "", "look"},
		{ledger.Unreadable, 0, look, "", "look"},
		{ledger.TerminalLost, 0, look, "", "look"},
		{ledger.DayOverdue, 0, look, "", "lane_silent"},
		{ledger.DayCloseAhead, 0, look, "", "clock_wrong"},
		{ledger.ClaimInvalid, 0, look, "", "look"},
		{ledger.EnrolmentInvalid, 0, look, "", "look"},
		{ledger.IdentityRepeated, 0, look, "", "look"},
		{ledger.ApprovalMissing, 0, look, "", "look"},
		{ledger.ApproverInvalid, 0, look, "", "look"},
	} {
		got := casework.Suggest(waiting(c.kind, c.days), casework.History{}, now)
		if got.Action != c.action || got.Resolution != c.resolution || got.Reason != c.reason || !strings.HasSuffix(got.Text, ".") {
			t.Errorf("%s after %d days: %+v", c.kind, c.days, got)
		}
	}
}

// Who answers decides who pays; what it is attributed to says why.
func TestALossIsBorneByWhoAnswers(t *testing.T) {
	for cause, reason := range map[loyalty.LossCause]string{
		loyalty.LossPolicy: "loss_policy", loyalty.LossRecall: "loss_recall", loyalty.LossExpired: "loss_pass",
		loyalty.LossLane: "loss_lane", loyalty.LossClone: "loss_clone",
	} {
		for liable, want := range map[string]casework.Resolution{
			"programme": casework.WrittenOff, "store": casework.Charged, "terminal": casework.Charged, "franchisee": casework.Charged,
		} {
			w := waiting(ledger.Overdraw, 0)
			w.Exception.Attribution, w.Case.Liable = cause, liable
			if got := casework.Suggest(w, casework.History{}, now); got.Reason != reason || got.Resolution != want || !strings.Contains(got.Text, liable) {
				t.Errorf("%s, %s: %+v", cause, liable, got)
			}
		}
	}
}

// What comes again and again is looked at, whatever it is; a fork comes before what a
// terminal delivered; what is done has no suggestion.
func TestAPatternComesBeforeTheCause(t *testing.T) {
	for _, c := range []struct {
		kind    ledger.ExceptionKind
		history casework.History
		reason  string
	}{
		{ledger.Overdraw, casework.History{Cashier: 3, Member: 3}, "cashier_often"},
		{ledger.Overdraw, casework.History{Cashier: 2, Member: 3}, "member_often"},
		{ledger.UnknownMember, casework.History{Member: 3}, "member_missing"},
		{ledger.ClockAhead, casework.History{Terminal: 3}, "terminal_often"},
		{ledger.Overdraw, casework.History{Terminal: 3}, "loss"},
		{ledger.Unproven, casework.History{Forked: true}, "fork_first"},
	} {
		if got := casework.Suggest(waiting(c.kind, 0), c.history, now); got.Reason != c.reason {
			t.Errorf("%s %+v: %+v", c.kind, c.history, got)
		}
	}
	done, gone := waiting(ledger.Overdraw, 0), waiting(ledger.Overdraw, 0)
	done.Case.Resolution, gone.Exception.State = casework.Charged, ledger.ExceptionWithdrawn
	for _, w := range []casework.Work{done, gone} {
		if got := casework.Suggest(w, casework.History{Cashier: 9}, now); got != (casework.Suggestion{}) {
			t.Errorf("%+v", got)
		}
	}
}
