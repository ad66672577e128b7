package quarter

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/liability"
)

// owedKey is a month of a roll-forward, and the month in which the points expire.
type owedKey struct{ month, expires string } // YYYY-MM

func monthOf(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01") }

// checkOwed holds the roll-forward of what is owed, month by month and by expiry, against
// the truth, as of the moment through which time has passed for all accounts.
func (w *world) checkOwed(ctx context.Context, r *Report) error {
	until := time.UnixMilli(w.sweptTo).UTC().AddDate(0, 0, -1) // the last whole day
	last := until.Truncate(24*time.Hour).AddDate(0, 0, 1).UnixMilli() - 1
	report, err := w.hq.owed.Roll(ctx, liability.Question{
		Unit: points, By: liability.Effective, From: liability.MonthAt(liability.DayAt(w.size.day(-1))), Until: liability.DayAt(until),
	})
	if err != nil {
		return fmt.Errorf("roll what is owed forward: %w", err)
	}
	want := w.owedInTruth(last)
	before, open, lines := len(r.Wrong), map[string]int64{}, 0
	for _, m := range report.Months {
		for _, b := range m.Buckets {
			key := owedKey{m.Month.String(), b.Expires.String()}
			x := lineOf(open[key.expires], want[key])
			delete(want, key)
			if open[key.expires] = x.Closing; b.Line != x {
				r.wrong("owed in %s of what expires in %s: %+v, not %+v", key.month, key.expires, b.Line, x)
			}
			lines++
		}
	}
	for key, moved := range want {
		r.wrong("owed in %s of what expires in %s: nothing, not %+v", key.month, key.expires, moved)
	}
	if before == len(r.Wrong) {
		r.equal("%d lines of what is owed in %d months, each by column: opening, issued, redeemed, expired, reversed, restored, adjusted, closing", lines, len(report.Months))
	}
	return nil
}

// asKnown is what was owed at the end of a month, as it was known then.
type asKnown struct {
	asked liability.Question
	told  []liability.MonthOf
}

// rememberOwed asks what was owed at the end of the month that is over.
func (w *world) rememberOwed(ctx context.Context) error {
	end := liability.DayAt(w.hq.clock.Now().UTC().AddDate(0, 0, -1))
	q := liability.Question{Unit: points, By: liability.Recorded, From: liability.MonthAt(end), Until: end, Known: end}
	report, err := w.hq.owed.Roll(ctx, q)
	if err != nil {
		return fmt.Errorf("ask what is owed: %w", err)
	}
	w.known = append(w.known, asKnown{q, report.Months})
	return nil
}

// checkKnown asks again what was known at the end of each month: whatever came later, the
// answers are the same.
func (w *world) checkKnown(ctx context.Context, r *Report) error {
	same := 0
	for _, was := range w.known {
		now, err := w.hq.owed.Roll(ctx, was.asked)
		if err != nil {
			return fmt.Errorf("ask again what was owed: %w", err)
		}
		if !reflect.DeepEqual(now.Months, was.told) {
			r.wrong("what was known at the end of %s is another today: %+v, not %+v", was.asked.From, now.Months, was.told)
			continue
		}
		same++
	}
	if same == len(w.known) {
		r.equal("what was owed at the end of %d months as known then, asked again at the end", same)
	}
	return nil
}

// owedInTruth is what moved through a moment, by the words of package truth. What is borne
// is a debt, and in no lot.
func (w *world) owedInTruth(last int64) map[owedKey]map[string]int64 {
	out := map[owedKey]map[string]int64{}
	for _, id := range w.truth.Accounts() {
		for _, f := range w.truth.Fold(id, last, truth.Ever-1).Flows {
			if f.Lot == nil || f.What == truth.Borne {
				continue
			}
			key := owedKey{monthOf(f.At), monthOf(f.Lot.Expires - 1)}
			if out[key] == nil {
				out[key] = map[string]int64{}
			}
			out[key][f.What] += f.Amount
		}
	}
	return out
}

// lineOf is a line of what is owed, from its opening and what moved.
func lineOf(opening int64, moved map[string]int64) liability.Line {
	l := liability.Line{
		Opening: opening, Issued: moved[truth.Issued], Redeemed: moved[truth.Redeemed], Expired: moved[truth.Expired], Reversed: moved[truth.Reversed],
		Restored: moved[truth.Restored], Moved: moved[truth.Moved], Adjusted: moved[truth.Adjusted], Repaid: moved[truth.Repaid],
	}
	l.Closing = l.Opening + l.Issued + l.Adjusted + l.Moved + l.Restored - l.Redeemed - l.Expired - l.Reversed - l.Repaid
	return l
}
