package casework

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
)

// History counts other exceptions of the same kind in the time before, of the same member,
// terminal and cashier. Forked says that the terminal's epoch has a fork.
type History struct {
	Member   int64
	Terminal int64
	Cashier  int64
	Forked   bool
}

// historyDays is how far back a suggestion looks, often how many like it are a pattern,
// patience how many days something that may still arrive is waited for.
const (
	historyDays = 180
	often       = 3
	patience    = 30
)

// Suggestion is what is likely to be the right thing to do about an exception. It is shown
// and never done by itself. Action is a deed's, or wait or investigate. Reason is a code,
// Count the number in it, Text says it in words.
type Suggestion struct {
	Action     Action
	Resolution Resolution
	Reason     string
	Count      int64
	Text       string
}

// Actions of suggestions that are no deeds.
const (
	Wait        Action = "wait"
	Investigate Action = "investigate"
)

// Suggest says what to do about an exception at a time, from what is known of it. It is the
// zero suggestion when nothing is left to do.
func Suggest(w Work, h History, now time.Time) Suggestion {
	e := w.Exception
	if !e.Unsettled() || w.Case.Resolution != Unresolved {
		return Suggestion{}
	}
	if pattern, found := repeated(e.Kind, h); found {
		return pattern
	}
	days := int64(now.Sub(entryTime(e.RecordedAt)) / (24 * time.Hour))
	switch e.Kind {
	case ledger.Overdraw, ledger.VoucherOveruse:
		return suggestLoss(w)
	case ledger.Unproven:
		if h.Forked {
			return Suggestion{Action: Investigate, Reason: "fork_first", Text: "The terminal's journal has a fork. Compare its branches before this is decided."}
		}
		return Suggestion{Action: ActRelease, Reason: "unproven_alone", Text: "Nothing contradicts what the terminal had written before it was shut out."}
	case ledger.EarningDiffers:
		return Suggestion{Action: ActReject, Reason: "above_rules", Text: "The rules that the sale cites give less. Nothing else is known for it."}
	case ledger.UnitUnknown:
		return Suggestion{Action: Wait, Reason: "unit_missing", Text: "It is released by itself when the rule set knows the unit. If it never shall, reject it."}
	case ledger.UnknownMember:
		return Suggestion{Action: Wait, Reason: "member_missing", Text: "It is released by itself when the member is enrolled."}
	case ledger.Fork:
		return Suggestion{Action: Investigate, Reason: "compare_branches", Text: "Two journals claim one number. Compare the branches: a copied disk shows sales in both after the first difference, a restored one in one."}
	case ledger.VoidWithoutSale, ledger.ReturnUnmatched, ledger.RightUnknown, ledger.ClaimUnmet:
		if days < patience {
			return Suggestion{Action: Wait, Reason: "may_arrive", Count: days, Text: fmt.Sprintf("What it belongs to may still arrive. It has waited %d days.", days)}
		}
		return byLiable(w, "waited_long", days, fmt.Sprintf("What it belongs to has not come in %d days.", days))
	case ledger.RightMisused, ledger.ClaimRepeated, ledger.ClaimExpired, ledger.SaleRepeated, ledger.ClockAhead:
		return Suggestion{Action: ActResolve, Resolution: Explained, Reason: "nothing_lost", Text: "Nothing was lost: the books count it rightly."}
	case ledger.DayCloseDiffers:
		return Suggestion{Action: ActResolve, Resolution: Explained, Reason: "entries_prove", Text: "The signed entries prove head office's figure; the certificate goes by it."}
	case ledger.DayOverdue:
		return Suggestion{Action: Investigate, Reason: "lane_silent", Text: "Ask the store whether the terminal is on and reaches head office. If it will not come back, retire it or have two people declare it lost: then the day goes on without it."}
	case ledger.DayCloseAhead:
		return Suggestion{Action: Investigate, Reason: "clock_wrong", Text: "Nothing is lost: the date is not believed before it has come. Have the terminal's clock set right."}
	case ledger.ReturnExceedsSale:
		return byLiable(w, "returned_more", 0, "More came back than was left of the sale.")
	case ledger.TerminalAdopted, ledger.HQFactsLost:
		return Suggestion{Action: Investigate, Reason: "after_restore", Text: "Head office was restored from a backup. Confirm what it names, then settle it."}
	}
	return Suggestion{Action: Investigate, Reason: "look", Text: "Look at the signed entry first."}
}

// repeated sees a pattern: then it is not about the one exception any more.
func repeated(kind ledger.ExceptionKind, h History) (Suggestion, bool) {
	switch {
	case h.Cashier >= often:
		return Suggestion{Action: Investigate, Reason: "cashier_often", Count: h.Cashier, Text: fmt.Sprintf("The same cashier had %d like it in the last %d days.", h.Cashier, historyDays)}, true
	case h.Member >= often && kind != ledger.UnknownMember:
		return Suggestion{Action: Investigate, Reason: "member_often", Count: h.Member, Text: fmt.Sprintf("The same member had %d like it in the last %d days. The pass may be in several hands.", h.Member, historyDays)}, true
	case h.Terminal >= often && (kind == ledger.ClockAhead || kind == ledger.DayCloseDiffers || kind == ledger.DayCloseAhead || kind == ledger.EarningDiffers):
		return Suggestion{Action: Investigate, Reason: "terminal_often", Count: h.Terminal, Text: fmt.Sprintf("The same terminal had %d like it in the last %d days. Look at its clock and its software.", h.Terminal, historyDays)}, true
	}
	return Suggestion{}, false
}

// suggestLoss is for more redeemed than there was.
func suggestLoss(w Work) Suggestion {
	switch w.Exception.Attribution {
	case loyalty.LossPolicy:
		return byLiable(w, "loss_policy", 0, "The caps in force allowed it without head office.")
	case loyalty.LossRecall:
		return byLiable(w, "loss_recall", 0, "Head office had taken the right back when its grace was over.")
	case loyalty.LossExpired:
		return byLiable(w, "loss_pass", 0, "The pass had been replaced, and the till could not know.")
	case loyalty.LossLane:
		return byLiable(w, "loss_lane", 0, "The terminal was declared lost, or no terminal made the right.")
	case loyalty.LossClone:
		return byLiable(w, "loss_clone", 0, "The right had been used up, had ended, or is another terminal's.")
	}
	return byLiable(w, "loss", 0, "More was redeemed than there was.")
}

// byLiable has who answers for it bear it.
func byLiable(w Work, reason string, n int64, text string) Suggestion {
	out := Suggestion{Action: ActResolve, Resolution: Charged, Reason: reason, Count: n, Text: text + " The " + w.Liable() + " answers for it."}
	if w.Liable() == "programme" {
		out.Resolution = WrittenOff
	}
	return out
}

// Suggestion says what to do about an exception now.
func (s *Service) Suggestion(ctx context.Context, w Work) (Suggestion, error) {
	if !w.Exception.Unsettled() || w.Case.Resolution != Unresolved {
		return Suggestion{}, nil
	}
	now := s.now()
	h, err := s.env.Store.Before(ctx, w.Exception, now.AddDate(0, 0, -historyDays))
	if err != nil {
		return Suggestion{}, fmt.Errorf("read what was before: %w", err)
	}
	return Suggest(w, h, now), nil
}
