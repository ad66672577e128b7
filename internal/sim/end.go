package sim

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// calm is how long everything may take to agree once the faults have stopped.
const calm = 60 * time.Second

// end stops the faults and requires that everything comes together, then checks all
// there is.
func (w *world) end(ctx context.Context) {
	w.quiet(ctx)
	if w.failed != "" {
		return
	}
	w.settle(ctx)
	w.lookAgain(ctx)
	w.settle(ctx)
	if w.failed == "" {
		w.finish(ctx)
	}
}

// settle requires that within a while nothing is left to be said.
func (w *world) settle(ctx context.Context) {
	deadline := w.now.Add(calm)
	for w.failed == "" && !w.settled(ctx) {
		if w.now = w.now.Add(2 * time.Second); w.now.After(deadline) {
			w.fail("liveness: %s after the faults stopped not everything is delivered and applied", calm)
		}
	}
}

// quiet ends every fault: networks are whole, clocks right, and what is left runs.
func (w *world) quiet(ctx context.Context) {
	w.say("the faults stop")
	w.now = w.now.Add(16 * time.Minute)
	for _, l := range w.lanes {
		l.link.cut, l.lanCut, l.link.old, l.link.next, l.skew, l.disk.fuse = false, false, false, nil, 0, 0
		if l.up {
			if err := l.stop(); err != nil {
				w.fail("stop lane %s: %v", l.name, err)
			}
		}
	}
	for len(w.late) > 0 {
		w.now = w.now.Add(time.Minute)
		w.arrive()
	}
	for _, l := range w.lanes {
		if l.gone {
			continue
		}
		if err := l.start(ctx); err != nil {
			return
		}
		if l.fork.forged { // whoever has two journals speaks once more, and both branches differ
			w.speak(ctx, l)
		}
	}
}

// speak sells something to nobody, which no cap and no balance can refuse.
func (w *world) speak(ctx context.Context, l *lane) {
	key := l.newID().String()
	basket := loyalty.Basket{Currency: "EUR", Total: 100}
	w.commit(ctx, l, till.Commit{Request: till.Request{Basket: basket}, Key: key, KeyHash: sha256.Sum256([]byte(key))}, "nobody")
}

// settled lets everybody speak once, and reports whether nothing is left to be said.
func (w *world) settled(ctx context.Context) bool {
	done := true
	for _, l := range w.lanes {
		if l.gone {
			continue
		}
		w.tend(ctx, l)
		sent := w.delivered(ctx, l)
		told := w.told100(ctx, l)
		done = done && (sent && told || l.fork.forged)
	}
	for _, p := range w.hq.processes {
		for {
			var n int
			var err error
			w.weigh(ctx, func() { n, err = p.ledger.Apply(ctx) })
			if err != nil {
				w.fail("apply: %v", err)
				return true
			}
			m, err := p.accounts.Settle(ctx)
			if err != nil {
				w.fail("settle: %v", err)
				return true
			}
			if n+m == 0 {
				break
			}
			done = false
		}
		if _, err := p.journal.Checkpoint(ctx); err != nil {
			w.fail("sign HQ's journal: %v", err)
		}
	}
	w.ask(ctx)
	return done
}

// told100 pulls until HQ has nothing more to say, and reports whether it got there.
func (w *world) told100(ctx context.Context, l *lane) bool {
	for range 100 {
		more, err := l.steps.Pull(ctx)
		if code := problem.CodeOf(err); code == problem.TerminalRevoked || code == problem.TerminalQuarantined {
			return true
		}
		if err != nil {
			w.refusedByHQ(l, "pull", err)
			return false
		}
		if !more {
			return true
		}
	}
	return false
}

// finish checks what only a world at rest can show.
func (w *world) finish(ctx context.Context) {
	records := w.records(ctx)
	w.delivery(ctx, records)
	w.lives(records)
	w.blamed(ctx)
	w.branches(ctx, records)
	w.compare(ctx, records)
	w.claimsSettled(ctx, records)
	w.agree(ctx, records)
	w.exceptions(ctx, records)
	if w.failed != "" {
		return
	}
	report, err := w.hq.any().ledger.Verify(ctx, w.hq.keys)
	if err != nil || !report.OK() {
		w.fail("G6, G7: verification found %v, %v", report.Failures, err)
		return
	}
	w.rebuild(ctx)
}

// delivery checks that everything that is in a journal is at HQ once, and that what the
// POS was told is what HQ was told (G3, G4, G5).
func (w *world) delivery(ctx context.Context, records []record) {
	at := map[journal.Writer]map[journal.Head]*record{}
	for i, r := range records {
		if at[r.writer] == nil {
			at[r.writer] = map[journal.Head]*record{}
		}
		at[r.writer][journal.Head{Seq: r.seq, Hash: r.hash}] = &records[i]
	}
	for _, l := range w.lanes {
		if l.gone || !l.up {
			continue
		}
		missing := 0
		err := l.entries(ctx, func(seq uint64, hash journal.Hash, _ []byte) {
			if at[l.fork.writer][journal.Head{Seq: seq, Hash: hash}] == nil {
				missing++
			}
		})
		if err != nil || missing > 0 && !w.shutOut(l) {
			w.fail("G4, G5: %d entries of lane %s are not at HQ: %v", missing, l.name, err)
		}
		w.acked(l, at[l.fork.writer], missing > 0)
	}
}

// shutOut reports whether a lane's own till refuses to send: it has seen that HQ knows
// another branch, and what it has is brought by file.
func (w *world) shutOut(l *lane) bool { return l.fork.forged }

// acked checks what the POS was told against HQ's entries.
func (w *world) acked(l *lane, at map[journal.Head]*record, held bool) {
	for _, a := range l.acks {
		r := at[a.at]
		switch {
		case r == nil && held:
		case r == nil:
			w.fail("G3, G5: lane %s acknowledged entry %d, and HQ does not have it", l.name, a.at.Seq)
		case a.sale != uuid.Nil:
			if sale, err := entry.DecodeBody[entry.Sale](r.entry); err != nil || sale.ID != a.sale {
				w.fail("G4: HQ has another entry %d of lane %s: %v", a.at.Seq, l.name, err)
			}
			w.tally.Acknowledged++
		}
	}
}

// branches checks that whoever has two journals at HQ is found, and named, and shut out.
func (w *world) branches(ctx context.Context, records []record) {
	for id := range w.proven(ctx) {
		t, err := w.hq.any().fleet.Terminal(ctx, id)
		if err != nil {
			w.fail("read terminal: %v", err)
			return
		}
		last := t.State != fleet.StateEnrolled || t.Epoch > w.oldest(id)
		list, _, err := w.hq.any().ledger.Exceptions(ctx, ledger.ExceptionFilter{Kind: ledger.Fork}, "", 0)
		named := false
		for _, e := range list {
			named = named || e.Terminal == id
		}
		if err != nil || !last || !named {
			w.fail("G6: HQ has two journals of %s, and it is %s, exception %t: %v", t.Name, t.State, named, err)
		}
		w.tally.ForksFound++
	}
	w.bothSpoke(ctx, records)
}

// oldest is the first epoch of a terminal that was forged: a later one is clean again.
func (w *world) oldest(id uuid.UUID) uint32 {
	for _, f := range w.epochs {
		if f.writer.ID == id && f.forged {
			return f.writer.Epoch
		}
	}
	return 0
}

// bothSpoke checks that two machines with one name that both delivered are seen as two.
func (w *world) bothSpoke(ctx context.Context, records []record) {
	two := map[journal.Writer]map[uint64]int{}
	for _, r := range records {
		if two[r.writer] == nil {
			two[r.writer] = map[uint64]int{}
		}
		two[r.writer][r.seq]++
	}
	for _, c := range w.lanes {
		if !c.stray || c.gone || !c.up {
			continue
		}
		for _, l := range w.lanes {
			if l == c || l.fork != c.fork || l.gone || !l.up || !differ(ctx, l, c) {
				continue
			}
			seen := false
			for _, n := range two[c.fork.writer] {
				seen = seen || n > 1
			}
			w.tally.BothSpoke++
			if seen {
				w.tally.BothFound++
			} else {
				w.fail("G6: %s and its copy %s have both delivered, and HQ sees one journal", l.name, c.name)
			}
		}
	}
}

// differ reports whether two journals of one name contradict each other.
func differ(ctx context.Context, a, b *lane) bool {
	seq := min(a.journal.Head().Seq, b.journal.Head().Seq)
	one, errOne := a.journal.HashAt(ctx, seq)
	two, errTwo := b.journal.HashAt(ctx, seq)
	return errOne == nil && errTwo == nil && one != two
}

// rebuild folds everything from nothing and compares row by row (G7).
func (w *world) rebuild(ctx context.Context) {
	other, err := w.options.empty(w.dir)
	if err != nil {
		w.fail("rebuild: %v", err)
		return
	}
	defer other.Close()
	if err := w.hq.db.CopyLog(ctx, other); err != nil {
		w.fail("rebuild: %v", err)
		return
	}
	fresh := &shaky{DB: other}
	l := ledger.New(ledger.Options{
		Store: fresh, Journal: w.hq.any().journal, Feed: nothing{}, Rules: programme.PublishedRules{Keeper: w.hq.db}, Clock: trueClock{w}, HQ: w.hq.id,
	})
	done, err := l.Replay(ctx, w.hq.db)
	if err != nil {
		w.fail("rebuild: %v", err)
		return
	}
	_, err = w.hq.db.Compare(ctx, other, done.Unordered == 0, func(d store.Difference) error {
		w.fail("G7: folded from nothing, %s differs: %s (only rebuilt: %t)", d.Table, d.Row, d.Extra)
		return nil
	})
	if err != nil {
		w.fail("rebuild: %v", err)
	}
}
