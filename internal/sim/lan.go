package sim

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Borrow is the lane's question to another lane of its store (till.Lender): it may not
// arrive, arrive twice, or lose its answer. Who answers is whichever machine has the
// lane's name, its copy too.
func (l *lane) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	w := l.w
	lender := w.lanOf(l, from)
	if lender == nil || l.lanCut || lender.lanCut {
		return wire.BorrowAnswer{}, till.ErrNotAsked
	}
	m := delivered
	if len(l.link.next) > 0 && w.dice.chance(50) {
		m, l.link.next = l.link.next[0], l.link.next[1:]
		w.count("LAN: " + mishapNames[m])
	}
	if m == lostBefore {
		return wire.BorrowAnswer{}, errNet
	}
	if m == twice {
		_, _ = lender.lend(ctx, l, asked)
	}
	answer, err := lender.lend(ctx, l, asked)
	if lender.blown() || m == lostAnswer || m == late {
		return wire.BorrowAnswer{}, errNet
	}
	return answer, err
}

// Lendable is the lane's question to all lanes of its store (till.Neighbours). It changes
// nothing, so it only arrives or does not.
func (l *lane) Lendable(ctx context.Context, account uuid.UUID) map[uuid.UUID][]wire.Held {
	out := map[uuid.UUID][]wire.Held{}
	for _, of := range l.till.Lanes() {
		lender := l.w.lanOf(l, of)
		if lender == nil || l.lanCut || lender.lanCut || l.w.dice.chance(10) {
			continue
		}
		asked := wire.HeldRequest{V: wire.Version, Account: account, Epoch: l.fork.writer.Epoch}
		answer, err := lender.till.Lendable(ctx, l.self(), asked)
		if err == nil {
			out[of.ID] = answer.Held
		}
	}
	return out
}

// lend answers as the lane's LAN server does: a refusal keeps its code.
func (l *lane) lend(ctx context.Context, asker *lane, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	if !l.up || l.disk.off {
		return wire.BorrowAnswer{}, errNet
	}
	answer, err := l.till.Lend(ctx, asker.self(), asked)
	if err != nil {
		if !l.disk.off {
			l.w.expect("lane "+l.name+": lend", err)
			l.w.say("lane %s lends %s nothing: %s", l.name, asker.name, problem.CodeOf(err))
		}
		return answer, err
	}
	if len(answer.Loan) > 0 {
		l.w.loans++
		l.w.say("lane %s lends %s %d %s", l.name, asker.name, asked.Amount, asked.Unit)
	}
	return answer, nil
}

// self is the lane as another lane's TLS knows it: by the key in the roster.
func (l *lane) self() wire.Terminal {
	return wire.Terminal{ID: l.fork.writer.ID, Store: l.enrolment.Store, Epoch: l.fork.writer.Epoch, PublicKey: l.signer.Public.Key, State: "enrolled"}
}

// lanOf finds a machine of the store that answers for a lane.
func (w *world) lanOf(l *lane, of wire.Terminal) *lane {
	var found []*lane
	for _, x := range w.lanes {
		if x != l && x.up && !x.disk.off && x.shop == l.shop && x.fork.writer.ID == of.ID && x.fork.writer.Epoch == of.Epoch {
			found = append(found, x)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.dice.IntN(len(found))]
}

// gossip lets two lanes of a store show each other their heads, and say so when one has
// seen another journal under the same name.
func (w *world) gossip(ctx context.Context, l *lane) {
	for _, other := range w.lanes {
		if other == l || !other.up || other.shop != l.shop || other.lanCut || l.lanCut || other.disk.off {
			continue
		}
		other.show(ctx, l)
		l.show(ctx, other)
	}
}

// show tells another lane this one's head, which keeps the latest it has seen of each
// name and compares.
func (l *lane) show(ctx context.Context, to *lane) {
	head, err := l.till.SignedHead()
	if err != nil || to.fork.writer.ID == l.fork.writer.ID {
		return
	}
	shown, err := wire.OpenHead(l.signer.Public.Key, head)
	if err != nil {
		l.w.fail("lane %s signs a head that does not verify: %v", l.name, err)
		return
	}
	if to.seen == nil {
		to.seen = map[journalName]wire.SignedHead{}
	}
	name := journalName{shown.Terminal, shown.Epoch}
	known, there := to.seen[name]
	if there {
		before, err := wire.OpenHead(l.signer.Public.Key, known)
		if err != nil {
			return // of another key: the lane has enrolled again meanwhile
		}
		if finding := l.against(ctx, before); finding != entry.WitnessSeen {
			if !l.fork.forged {
				l.w.fail("G6: lane %s is accused of a %s by %s, and there is none", l.name, finding, to.name)
			}
			l.w.tally.Witnessed++
			l.w.say("lane %s knows another journal of %s: %s", to.name, l.name, finding)
			err := l.till.Contradicted(ctx, finding, known)
			if err != nil && !l.disk.off {
				l.w.expect("lane "+l.name+": contradicted", err)
			}
			l.forkTold = l.forkTold || err == nil && !l.disk.off
			return
		}
		if err := l.till.Confirmed(ctx, before.Seq); err != nil && !l.disk.off {
			l.w.expect("lane "+l.name+": confirmed", err)
		}
	}
	to.seen[name] = head
	if said := l.till.Said(); len(said.Sealed) > 0 {
		if err := to.till.PassedOn(ctx, said); err != nil && !to.disk.off {
			l.w.expect("lane "+to.name+": what HQ said to "+l.name, err)
		}
	}
}

// against compares a head that was once shown with the journal as it is.
func (l *lane) against(ctx context.Context, before wire.Head) entry.WitnessFinding {
	if before.Seq == 0 {
		return entry.WitnessSeen
	}
	if before.Seq > l.journal.Head().Seq {
		return entry.WitnessRollback
	}
	hash, err := l.journal.HashAt(ctx, before.Seq)
	if err == nil && string(hash[:]) != string(before.Hash) {
		return entry.WitnessFork
	}
	return entry.WitnessSeen
}
