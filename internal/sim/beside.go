package sim

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
)

// birth is where a till made somebody a member.
type birth struct {
	fork *fork
	at   uuid.UUID // the terminal
}

// receipt is what the receipt of a sale without a card says, and who has shown it.
type receipt struct {
	id    uuid.UUID
	text  string
	worth []loyalty.Earned
}

// enlist makes a shopper a member with an identity that HQ issued ahead. A call that got
// no answer is repeated first, and an answered one now and then: it makes one member.
func (w *world) enlist(ctx context.Context, e event, d *dice, l *lane) {
	key := e.key()
	if l.enlisting != "" {
		key = l.enlisting
	}
	l.enlisting = key
	ask := till.NewMember{Key: key, KeyHash: sha256.Sum256([]byte(key)), Cashier: "7"}
	made, err := l.till.Enrol(ctx, ask)
	if l.disk.off {
		w.say("lane %s dies while it enrols a member", l.name)
		return
	}
	l.enlisting = ""
	if w.refused(l, "enrolment", err) {
		return
	}
	l.acks = append(l.acks, ack{at: made.At})
	w.born(l, made)
	if d.chance(20) {
		twice, err := l.till.Enrol(ctx, ask)
		if !l.disk.off && (err != nil || !twice.Replayed || twice.Body.Member != made.Body.Member) {
			w.fail("G4: lane %s answers a repeated enrolment with another member: %v", l.name, err)
		}
	}
}

// born takes in a member that a till made. Nobody else has the identity, unless a disk
// was copied.
func (w *world) born(l *lane, made till.EnrolledMember) {
	id := made.Body.Member
	for _, m := range w.members {
		if m.record.ID != id {
			continue
		}
		if m.born == nil || !l.fork.forged || m.born.fork != l.fork {
			w.fail("G6: lane %s gives the identity of %s once more", l.name, m.name)
		}
		return
	}
	m := &member{
		name: fmt.Sprintf("N%d", len(w.members)+1), born: &birth{fork: l.fork, at: l.fork.writer.ID},
		record: programme.Member{ID: id, Account: made.Body.Account, Issue: made.Body.Issue}, token: made.Token, code: made.Token.Text(), ends: made.Token.Pass().ExpiresOn.End(),
	}
	w.members = append(w.members, m)
	w.tally.Enrolled++
	w.say("lane %s makes %s a member [%d]", l.name, m.name, made.At.Seq)
}

// claim shows the receipt of a sale to nobody, one of the last, with a member's code. Who
// finds a receipt shows it again, at another till.
func (w *world) claim(ctx context.Context, e event, d *dice, l *lane, m *member) {
	if len(w.receipts) == 0 {
		return
	}
	r := w.receipts[len(w.receipts)-1-e.other%min(5, len(w.receipts))]
	ask := till.NewClaim{Receipt: r.text, Code: w.code(d, l, m), Key: e.key(), KeyHash: sha256.Sum256([]byte(e.key())), Cashier: "7"}
	done, err := l.till.Claim(ctx, ask)
	if w.refused(l, "claim by "+m.name, err) {
		return
	}
	l.acks = append(l.acks, ack{at: done.At})
	w.tally.Claims++
	w.say("lane %s takes in a claim by %s [%d]", l.name, m.name, done.At.Seq)
	if d.chance(20) {
		twice, err := l.till.Claim(ctx, ask)
		if !l.disk.off && (err != nil || !twice.Replayed || twice.At != done.At) {
			w.fail("G4: lane %s takes in a repeated claim once more: %v", l.name, err)
		}
	}
}

// known are the members of whom HQ has heard: its own, and those whose enrolment came.
func (w *world) known(records []record) map[uuid.UUID]bool {
	out := map[uuid.UUID]bool{}
	for _, m := range w.members {
		if m.born == nil {
			out[m.record.ID] = true
		}
	}
	for _, r := range records {
		if r.entry.Kind != entry.KindEnrolMember {
			continue
		}
		body, err := entry.DecodeBody[entry.EnrolMember](r.entry)
		if err != nil {
			w.fail("read enrolment: %v", err)
		}
		out[body.Member] = true
	}
	return out
}

// claimers are the members, known to HQ, that showed each receipt where it counts.
func (w *world) claimers(records []record, known map[uuid.UUID]bool) map[uuid.UUID][]uuid.UUID {
	out := map[uuid.UUID][]uuid.UUID{}
	for _, r := range records {
		if r.entry.Kind != entry.KindClaim || !r.proven {
			continue
		}
		body, err := entry.DecodeBody[entry.Claim](r.entry)
		if err != nil {
			w.fail("read claim: %v", err)
		}
		if known[body.Member] {
			out[body.Claim] = append(out[body.Claim], body.Member)
		}
	}
	return out
}

// worth is what the till printed that a receipt gives.
func (w *world) worth(claim uuid.UUID) []loyalty.Earned {
	for _, r := range w.receipts {
		if r.id == claim {
			return r.worth
		}
	}
	return nil
}

// claimedSale adds what the sale of a receipt earned to whoever it may have gone to: to
// the one who showed it, or to one of several, of whom HQ heard in its own order.
func (w *world) claimedSale(s *story, claimers []uuid.UUID, at func(account uuid.UUID, unit string) *bounds) {
	groups := map[uuid.UUID]bool{}
	for _, m := range claimers {
		groups[w.group(m)] = true
	}
	for group := range groups {
		for _, e := range w.worth(s.sale.Claim) {
			if b := at(group, e.Unit); len(groups) > 1 || s.voided || s.returned {
				b.between(e.Amount)
			} else {
				b.add(e.Amount)
			}
		}
	}
}

// claimsSettled checks that each receipt that was shown for a member HQ knows has
// somebody, once both its halves are at HQ.
func (w *world) claimsSettled(ctx context.Context, records []record) {
	claimers := w.claimers(records, w.known(records))
	for _, s := range w.stories(records) {
		if s.sale.Claim == uuid.Nil || len(claimers[s.sale.Claim]) == 0 {
			continue
		}
		var n int
		err := w.hq.look.QueryRowContext(ctx, `SELECT COUNT(*) FROM claims WHERE claim = ? AND state = 3`, s.sale.Claim[:]).Scan(&n)
		if err != nil || n != 1 {
			w.fail("liveness: a receipt that was shown has nobody: %v", err)
		}
	}
}

// lookAgain lets HQ look at claims of members of whom it had not heard when they came.
func (w *world) lookAgain(ctx context.Context) {
	w.now = w.now.Add(time.Minute + time.Second)
	if err := w.hq.any().claims.Round(ctx); err != nil {
		w.fail("claims: %v", err)
	}
}
