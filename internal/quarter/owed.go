package quarter

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/liability"
)

// owedKey is a month of a roll-forward, as YYYYMM, and the month in which the points expire.
type owedKey struct{ month, expires int }

func monthOf(at int64) int {
	t := time.UnixMilli(at).UTC()
	return t.Year()*100 + int(t.Month())
}

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
	before, open, lines := len(r.Wrong), map[int]int64{}, 0
	for _, m := range report.Months {
		month := int(m.Month)/12*100 + int(m.Month)%12 + 1
		for _, b := range m.Buckets {
			expires := int(b.Expires)/12*100 + int(b.Expires)%12 + 1
			key := owedKey{month, expires}
			x := want[key]
			delete(want, key)
			x.Opening = open[expires]
			x.Closing = x.Opening + x.Issued + x.Adjusted + x.Moved + x.Restored - x.Redeemed - x.Expired - x.Reversed - x.Repaid
			if open[expires] = x.Closing; b.Line != x {
				r.wrong("owed in %d of what expires in %d: %+v, not %+v", month, expires, b.Line, x)
			}
			lines++
		}
	}
	for key, x := range want {
		r.wrong("owed in %d of what expires in %d: nothing, not %+v", key.month, key.expires, x)
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

// owedInTruth is what moved through a moment.
func (w *world) owedInTruth(last int64) map[owedKey]liability.Line {
	out := map[owedKey]liability.Line{}
	for _, id := range w.truth.Accounts() {
		for _, f := range w.truth.Fold(id, last, truth.Ever-1).Flows {
			if f.Lot == nil {
				continue
			}
			key := owedKey{monthOf(f.At), monthOf(f.Lot.Expires - 1)}
			l := out[key]
			switch f.What {
			case truth.Issued:
				l.Issued += f.Amount
			case truth.Adjusted:
				l.Adjusted += f.Amount
			case truth.Redeemed:
				l.Redeemed += f.Amount
			case truth.Restored:
				l.Restored += f.Amount
			case truth.Reversed:
				l.Reversed += f.Amount
			case truth.Repaid:
				l.Repaid += f.Amount
			case truth.Expired:
				l.Expired += f.Amount
			case truth.Moved:
				l.Moved += f.Amount
			}
			out[key] = l
		}
	}
	return out
}
