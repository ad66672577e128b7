package sim

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/internal/problem"
)

// exchanges bounds how many requests one event makes.
const exchanges = 8

// push delivers a lane's journal as far as the network lets it. A process of HQ may die
// under it.
func (w *world) push(ctx context.Context, e event, d *dice, l *lane) {
	if e.fuse > 0 {
		p := w.hq.at(d.IntN(len(w.hq.processes)))
		p.db.fuse, p.db.dies = e.fuse, moment(d.IntN(int(moments)))
		defer func() {
			if p.db.fuse = 0; p.db.down {
				w.count("crash of a process of HQ")
			}
		}()
	}
	for range exchanges {
		more, err := l.steps.Push(ctx)
		if err != nil {
			w.refusedByHQ(l, "push", err)
			return
		}
		if !more {
			acked, _ := l.till.Acked()
			w.say("lane %s has delivered its journal: HQ has %d", l.name, acked.Seq)
			return
		}
	}
}

func (w *world) pull(ctx context.Context, l *lane) {
	for range exchanges {
		more, err := l.steps.Pull(ctx)
		if err != nil {
			w.refusedByHQ(l, "pull", err)
			return
		}
		if !more {
			w.say("lane %s has HQ's latest word", l.name)
			return
		}
	}
}

// tend does what the agent does every second.
func (w *world) tend(ctx context.Context, l *lane) {
	if err := l.till.Tend(ctx); err != nil && !l.disk.off {
		w.expect("lane "+l.name+": tend", err)
	}
}

// refusedByHQ checks that nobody is accused of a second journal who has none (G6).
func (w *world) refusedByHQ(l *lane, what string, err error) {
	code := problem.CodeOf(err)
	if errors.Is(err, errNet) {
		w.say("lane %s: %s gets no answer", l.name, what)
		return
	}
	w.say("lane %s: %s failed: %s", l.name, what, code)
	l.forkTold = l.forkTold || code == problem.JournalFork && !l.disk.off
	if code == problem.JournalFork && !l.fork.forged {
		w.fail("G6: lane %s is accused of a fork, and there is none: %v", l.name, err)
	}
	w.expectNet(l, what, err)
}

// expectNet lets pass what a network and a refusing HQ may answer.
func (w *world) expectNet(l *lane, what string, err error) {
	switch problem.CodeOf(err) {
	case problem.JournalStopped:
		if !l.disk.off {
			w.fail("lane %s: %s: %v", l.name, what, err)
		}
	case problem.ProofInvalid:
		if !w.forgotten { // a restored HQ may not know an epoch before it is told with a hello
			w.fail("lane %s: %s: %v", l.name, what, err)
		}
	case problem.BatchInvalid, problem.BatchSignature, problem.Conflict:
		w.fail("lane %s: %s: %v", l.name, what, err)
	}
}

// clone starts a second machine from a copy of a lane's data directory.
func (w *world) clone(ctx context.Context, l *lane) {
	if l.stray {
		return
	}
	c := l.copies(l.name + "*")
	w.lanes = append(w.lanes, c)
	w.count("clone")
	w.say("the data directory of %s is copied to a second machine %s, with %d acknowledged entries", l.name, c.name, len(c.acks))
	if err := c.start(ctx); err != nil {
		w.fail("start the clone %s: %v", c.name, err)
	}
}

// renew enrols a lane again, as a terminal in quarantine must. It delivers first what it
// has: a journal of an epoch that has ended is otherwise brought by file, which is not
// played here.
func (w *world) renew(ctx context.Context, l *lane) {
	if l.stray || !w.delivered(ctx, l) {
		return
	}
	if err := l.stop(); err != nil {
		w.fail("stop lane %s: %v", l.name, err)
		return
	}
	if err := l.enrol(ctx, l.enrolment.Terminal); err != nil {
		w.fail("enrol lane %s again: %v", l.name, err)
		return
	}
	w.enrolledSinceBackup = true
	w.count("enrolled again")
	w.say("lane %s enrols again, epoch %d", l.name, l.fork.writer.Epoch)
	if err := l.start(ctx); err != nil {
		w.fail("start lane %s after it enrolled again: %v", l.name, err)
	}
}

// delivered sends all a lane has, and reports whether HQ has it.
func (w *world) delivered(ctx context.Context, l *lane) bool {
	for range 4 * exchanges {
		more, err := l.steps.Push(ctx)
		if err != nil {
			w.refusedByHQ(l, "push", err)
			return false
		}
		if !more {
			return true
		}
	}
	return false
}
