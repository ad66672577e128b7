package sim

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// held checks that no till has passed its share: what it let go by stand-in and HQ has
// not applied stays below the cap (G2). Of a terminal with two journals it is asked of
// neither, and after HQ was restored of nobody: what was applied once is not any more.
func (w *world) held(ctx context.Context, l *lane) {
	if l.fork.forged || w.restored {
		return
	}
	applied := w.applied(ctx, l)
	var sum int64
	for _, s := range w.sold {
		if s.lane != l || s.fork != l.fork || s.voided || s.at.At.Seq <= applied {
			continue
		}
		for _, r := range s.body.Redeemed {
			if r.Basis == entry.BasisStandIn && r.Voucher == uuid.Nil {
				sum += r.Amount
			}
		}
	}
	if most := w.plan.policy.PerTerminal; sum > most {
		w.fail("G2: lane %s let %d points go by stand-in since HQ applied entry %d, and its share is %d", l.name, sum, applied, most)
	}
}

// applied is how far HQ has applied a lane's journal.
func (w *world) applied(ctx context.Context, l *lane) (seq uint64) {
	err := w.hq.look.QueryRowContext(ctx, `SELECT applied_seq FROM branches WHERE terminal = ? AND epoch = ? AND branch = 0`,
		l.fork.writer.ID[:], l.fork.writer.Epoch).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.fail("read how far HQ is: %v", err)
	}
	return seq
}

// lost is what was redeemed beyond what accounts had, as HQ has named it so far.
func (w *world) lost(ctx context.Context) (sum int64) {
	err := w.hq.look.QueryRowContext(ctx, `SELECT COALESCE(SUM(amount), 0) FROM exceptions
		WHERE kind = 'overdraw' AND unit = 'points' AND state <> 'withdrawn' AND attribution <> ''`).Scan(&sum)
	if err != nil {
		w.fail("read losses: %v", err)
	}
	return sum
}

// exposed is the figure that HQ shows at this moment, with what the copies that were
// made may add: HQ states that by itself for one copy of each terminal, so it is taken
// once for each time that the most copied terminal was copied or rolled back.
func (w *world) exposed(ctx context.Context) int64 {
	shown, err := w.hq.any().rights.Exposure(ctx)
	if err != nil {
		w.fail("read exposure: %v", err)
		return 0
	}
	var sum, copies int64
	for _, f := range w.epochs {
		copies = max(copies, int64(f.copies))
	}
	for _, line := range shown.Total() {
		if line.Unit == "points" {
			sum = line.Worst() + copies*line.Clones/max(1, shown.Copies)
		}
	}
	for _, f := range w.epochs {
		if f.copies > 0 {
			sum += int64(f.copies) * f.spentOnRights // what one copy spent of a right another may spend again
		}
	}
	return sum
}

func (w *world) openRights(ctx context.Context) (n int) {
	err := w.hq.look.QueryRowContext(ctx, `SELECT COUNT(*) FROM rights WHERE is_open = 1`).Scan(&n)
	if err != nil {
		w.fail("count rights: %v", err)
	}
	return n
}

// weigh holds what one step of applying brought to light against what had been exposed
// before it (G2).
func (w *world) weigh(ctx context.Context, apply func()) {
	bound, before := w.exposed(ctx), w.lost(ctx)
	apply()
	real := w.lost(ctx) - before
	if real <= 0 || bound <= 0 {
		return
	}
	w.tally.Worst = max(w.tally.Worst, float64(real)/float64(bound))
	if real > bound {
		w.fail("G2: %d points were lost, and %d was all that could be", real, bound)
	}
}
