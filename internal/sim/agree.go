package sim

import (
	"context"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
)

// agree checks that every till that HQ speaks to reckons as HQ does: with what is free,
// and at most with what is set aside for it besides.
func (w *world) agree(ctx context.Context, records []record) {
	known := w.known(records)
	for _, l := range w.lanes {
		if l.gone || !l.up || w.forgedEver(l.fork.writer.ID) {
			continue // HQ may have shut it out
		}
		for _, m := range w.members {
			if w.now.After(m.ends) || !known[m.record.ID] || m.born != nil && w.forgedEver(m.born.at) {
				continue // HQ may have blocked the passes of a terminal that it shut out
			}
			scan, err := l.till.Identify(ctx, m.code)
			if err != nil || scan.Member == nil {
				w.fail("liveness: lane %s does not know %s: %v", l.name, m.name, err)
				return
			}
			has, err := w.hq.any().ledger.Account(ctx, scan.Member.Account)
			if err != nil {
				w.fail("read account: %v", err)
				return
			}
			var free int64
			for _, h := range has.Holdings {
				if h.Unit == "points" {
					free = h.Free
				}
			}
			// HQ may have set something aside for this lane when it was asked.
			most := free + w.setAside(ctx, l, scan.Member.Account)
			if w.plan.rights && w.cameBack(scan.Member.Account) {
				most = math.MaxInt64
			}
			for _, h := range scan.Member.Holdings {
				if h.Unit == "points" && (h.Free < free || h.Free > most) {
					w.fail("liveness: lane %s reckons %d points for %s, HQ %d to %d", l.name, h.Free, m.name, free, most)
				}
			}
		}
	}
}

// cameBack reports whether something of an account came back. What another lane takes back
// of the points that a lane keeps as a right is less at HQ, and the holder does not hear of it.
func (w *world) cameBack(account uuid.UUID) bool {
	return slices.ContainsFunc(w.sold, func(s *sold) bool {
		return s.returned > 0 && w.group(s.body.Account) == w.group(account)
	})
}

// setAside is what HQ has set aside of an account for a lane.
func (w *world) setAside(ctx context.Context, l *lane, account uuid.UUID) (sum int64) {
	err := w.hq.look.QueryRowContext(ctx, `SELECT COALESCE(SUM(MAX(amount - used, 0)), 0) FROM rights
		WHERE account = ? AND unit = 'points' AND holder = ? AND epoch = ? AND is_open = 1`,
		account[:], l.fork.writer.ID[:], l.fork.writer.Epoch).Scan(&sum)
	if err != nil {
		w.fail("read rights: %v", err)
	}
	return sum
}

// forgedEver reports whether any epoch of a terminal was copied or rolled back.
func (w *world) forgedEver(terminal uuid.UUID) bool {
	return slices.ContainsFunc(w.epochs, func(f *fork) bool { return f.writer.ID == terminal && f.forged })
}

// exceptions checks that HQ accuses nobody of what did not happen.
func (w *world) exceptions(ctx context.Context, records []record) {
	known := w.known(records)
	list, _, err := w.hq.any().ledger.Exceptions(ctx, ledger.ExceptionFilter{}, "", 0)
	if err != nil {
		w.fail("list exceptions: %v", err)
		return
	}
	for _, e := range list {
		switch e.Kind {
		case ledger.EarningDiffers, ledger.InvalidEntry, ledger.Unreadable, ledger.SaleRepeated:
			w.fail("HQ names %s of an honest till: %s", e.Kind, e.Cause)
		case ledger.UnknownMember:
			if known[e.Member] && e.State != ledger.ExceptionWithdrawn {
				w.fail("HQ names %s of an honest till: %s", e.Kind, e.Cause)
			}
		case ledger.EnrolmentInvalid, ledger.IdentityRepeated, ledger.ClaimExpired:
			if !w.forgedEver(e.Terminal) {
				w.fail("HQ names %s of an honest till: %s", e.Kind, e.Cause)
			}
		case ledger.Overdraw, ledger.VoucherOveruse:
			w.tally.Overdrawn += e.Amount
		}
	}
}
