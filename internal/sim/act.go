package sim

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/programme"
)

// do makes one event happen.
func (w *world) do(ctx context.Context, e event) {
	if at := Start.Add(e.at); at.After(w.now) {
		w.now = at
	}
	w.arrive()
	d := newDice(e.sub, 5)
	if w.staged(ctx, e) {
		return
	}
	if e.kind >= apply && e.kind <= issue || e.kind == backUp || e.kind == restore || e.kind == wait {
		w.atOffice(ctx, e, d)
		return
	}
	l := w.lanes[e.lane%len(w.lanes)]
	if l.gone {
		return
	}
	if w.machine(ctx, e, d, l) {
		return
	}
	if !l.up {
		w.say("lane %s starts", l.name)
		if d.chance(15) && e.fuse > 0 {
			l.disk.fuse, l.disk.dies = e.fuse, moment(d.IntN(int(moments)))
		}
		if err := l.start(ctx); err != nil {
			w.count("crash while starting")
			w.say("lane %s dies while it starts", l.name)
			return
		}
		l.disk.fuse = 0
	}
	w.atLane(ctx, e, d, l)
}

// machine does what needs no agent that runs.
func (w *world) machine(ctx context.Context, e event, d *dice, l *lane) bool {
	switch e.kind {
	case cut, heal:
		l.link.cut = e.kind == cut
		w.say("lane %s: network %s", l.name, map[bool]string{true: "cut", false: "back"}[l.link.cut])
	case cutLAN:
		l.lanCut = !l.lanCut
		w.count("LAN cut or back")
		w.say("lane %s: LAN cut %t", l.name, l.lanCut)
	case mishapNext:
		for range d.between(1, 3) {
			l.link.next = append(l.link.next, mishap(d.between(1, int(mishaps)-1)))
		}
	case crash:
		w.crash(d, l)
	case loseCache:
		if l.up {
			l.die(false)
		}
		l.cells, l.forkTold = newCells(), false
		w.count("cache thrown away")
		w.say("lane %s loses its cache", l.name)
	case jumpClock:
		jump := time.Duration(d.between(-3*24*60, 3*24*60)) * time.Minute
		if d.chance(10) {
			jump = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Sub(l.Now())
		}
		l.skew += jump
		w.count("clock jump")
		w.say("lane %s: wall clock jumps by %s", l.name, jump.Round(time.Second))
	case rollBack:
		w.rollBack(d, l)
	case retire:
		w.retire(ctx, d, l)
	default:
		return false
	}
	return true
}

func (w *world) crash(d *dice, l *lane) {
	power := d.chance(50)
	if !l.up {
		return
	}
	l.die(power)
	what := map[bool]string{true: "power cut", false: "kill"}[power]
	w.count(what)
	w.say("lane %s: %s", l.name, what)
}

// rollBack puts an older copy of the data directory back.
func (w *world) rollBack(d *dice, l *lane) {
	if l.kept == nil {
		return
	}
	if l.up {
		l.die(false)
	}
	l.disk, l.cells = l.kept.disk.image(), l.kept.cells.image()
	l.acks, l.tried, l.enlisting, l.forkTold = append([]ack(nil), l.kept.acks...), nil, "", false
	if d.chance(30) {
		l.cells = newCells()
	}
	l.fork.forge()
	w.count("rollback")
	w.say("lane %s is restored from an older copy of its disk, with %d acknowledged entries", l.name, len(l.acks))
}

// retire takes a lane away for good, known to HQ or not.
func (w *world) retire(ctx context.Context, d *dice, l *lane) {
	left := 0
	for _, x := range w.lanes {
		if !x.gone && !x.stray {
			left++
		}
	}
	if left < 2 && !l.stray {
		return
	}
	if l.up {
		l.die(false)
	}
	l.gone = true
	w.count("lane lost")
	w.say("lane %s is lost for good", l.name)
	if d.chance(50) && !l.stray {
		if _, err := w.hq.any().fleet.Revoke(ctx, uuid.Nil, l.fork.writer.ID); err != nil {
			w.fail("revoke: %v", err)
		}
		w.say("HQ revokes %s", l.name)
	}
}

// atOffice does what happens at HQ.
func (w *world) atOffice(ctx context.Context, e event, d *dice) {
	m := w.members[e.member%len(w.members)]
	other := w.members[e.other%len(w.members)]
	switch e.kind {
	case apply:
		w.apply(ctx, e, d)
	case rights:
		w.rounds(ctx, e, d)
	case sweep:
		done, err := w.hq.any().ledger.Sweep(ctx)
		if err != nil {
			w.fail("sweep: %v", err)
		}
		w.say("HQ lets time pass: %d accounts", done.Accounts)
	case adjust:
		amount := int64(d.between(-3, 6)) * 50
		if err := w.adjust(ctx, m, amount); err != nil {
			w.fail("adjust: %v", err)
		}
	case gift:
		w.gift(ctx, m, other, int64(d.between(1, 8))*25)
	case merge:
		_, err := w.hq.any().accounts.Merge(ctx, uuid.Nil, m.record.ID, other.record.ID, 1)
		w.expect("merge", err)
		if err == nil {
			w.join(m.record.Account, other.record.Account)
			w.tally.Merges++
			w.say("HQ merges %s into %s", m.name, other.name)
		}
	case issue:
		w.issue(ctx, d, m)
	case backUp:
		if err := w.hq.backUp(ctx); err != nil {
			w.fail("back up: %v", err)
		}
		w.saved, w.enrolledSinceBackup = len(w.moves), false
		w.say("HQ is backed up")
	case restore:
		w.restore(ctx)
	case wait:
		w.say("time passes")
	}
}

// apply runs one step of HQ's background work, in which its process may die.
func (w *world) apply(ctx context.Context, e event, d *dice) {
	at := d.IntN(len(w.hq.processes))
	p := w.hq.at(at)
	p.db.fuse, p.db.dies = e.fuse, moment(d.IntN(int(moments)))
	var n int
	var err error
	w.weigh(ctx, func() { n, err = p.ledger.Apply(ctx) })
	if err == nil {
		_, err = p.accounts.Settle(ctx)
	}
	if err == nil {
		_, err = p.journal.Checkpoint(ctx)
	}
	p.db.fuse = 0
	switch {
	case p.db.down:
		w.count("crash of a process of HQ")
		w.say("HQ process %d dies while it applies", at)
	case err != nil:
		w.fail("apply: %v", err)
	default:
		w.say("HQ process %d applies %d entries", at, n)
	}
}

// roundsAtOnce lets a round of HQ come by every account: each looks at some shards.
const roundsAtOnce = 8

// rounds runs HQ's rounds about rights, in which its process may die.
func (w *world) rounds(ctx context.Context, e event, d *dice) {
	at := d.IntN(len(w.hq.processes))
	p := w.hq.at(at)
	p.db.fuse, p.db.dies = e.fuse, moment(d.IntN(int(moments)))
	defer func() { p.db.fuse = 0 }()
	for range roundsAtOnce {
		err := p.round(ctx, w.plan.rights)
		if p.db.down {
			w.count("crash of a process of HQ")
			w.say("HQ process %d dies while it looks after rights", at)
			return
		}
		if err != nil {
			w.fail("rounds: %v", err)
			return
		}
	}
	w.say("HQ looks after rights: %d open", w.openRights(ctx))
}

func (w *world) adjust(ctx context.Context, m *member, amount int64) error {
	if amount == 0 {
		return nil
	}
	_, err := w.hq.any().programme.Adjust(ctx, uuid.Nil, programme.Adjustment{
		Member: m.record.ID, Unit: "points", Amount: amount, Reason: programme.ReasonGoodwill,
	})
	if code := problem.CodeOf(err); code == problem.PointsInsufficient || code == problem.NotFound && m.born != nil {
		return nil // HQ may not have heard of the member yet
	}
	if err == nil {
		w.moves = append(w.moves, move{m.record.Account, "points", amount})
		w.say("HQ adjusts %s by %d", m.name, amount)
	}
	return err
}

func (w *world) gift(ctx context.Context, from, to *member, amount int64) {
	_, err := w.hq.any().accounts.Give(ctx, uuid.Nil, account.Gift{
		From: from.record.ID, To: to.record.ID, Unit: "points", Amount: amount, Reason: 1,
	})
	w.expect("gift", err)
	if err == nil {
		w.join(from.record.Account, to.record.Account)
		w.say("%s gives %d to %s", from.name, amount, to.name)
	}
}

func (w *world) issue(ctx context.Context, d *dice, m *member) {
	uses := int64(d.between(1, 3))
	v, err := w.hq.any().programme.IssueVoucher(ctx, uuid.Nil, programme.Voucher{
		Member: m.record.ID, Reward: uuid.UUID(w.rewards[0].ID), Uses: uses,
	})
	if problem.CodeOf(err) == problem.InvalidField && m.born != nil {
		return // HQ may not have heard of the member yet
	}
	if err != nil {
		w.fail("issue voucher: %v", err)
		return
	}
	m.vouchers = append(m.vouchers, v.ID)
	w.moves = append(w.moves, move{m.record.Account, useUnit(v.ID), uses})
	w.say("HQ gives %s a voucher of %d uses", m.name, uses)
}

// restore begins HQ again from its last backup. Left out, and named in docs/proof.md: a
// restore of a backup that is older than the last restore.
func (w *world) restore(ctx context.Context) {
	if w.saved < 0 {
		return
	}
	if err := w.hq.restore(ctx); err != nil {
		w.fail("restore: %v", err)
		return
	}
	w.moves, w.saved, w.restored = w.moves[:w.saved], -1, true
	w.forgotten = w.forgotten || w.enrolledSinceBackup
	w.count("HQ restored from a backup")
	w.say("HQ is restored from its backup, epoch %d", w.hq.epoch)
}

// expect lets a refusal pass and nothing else.
func (w *world) expect(what string, err error) {
	var p *problem.Error
	if err != nil && (!errors.As(err, &p) || p.Code == problem.Internal) {
		w.fail("%s: %v", what, err)
	}
}

// join says that points may go between two accounts from now on.
func (w *world) join(a, b uuid.UUID) {
	if a, b = w.group(a), w.group(b); a != b {
		w.same[a] = b
	}
}

// group names the accounts between which points may have gone.
func (w *world) group(account uuid.UUID) uuid.UUID {
	for {
		next, ok := w.same[account]
		if !ok {
			return account
		}
		account = next
	}
}
