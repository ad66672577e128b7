package allowance

import (
	"bytes"
	"crypto/sha256"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Where nothing else is said in the policy.
const (
	defaultLife   = 7 * 24 * 3600
	defaultOneOff = 3600
	defaultGrace  = 24 * 3600
	defaultClones = 1
)

// shopsMost is in how many stores a member gets rights.
const shopsMost = 3

// Shop is a store and how many sales an account had there.
type Shop struct {
	Store  uuid.UUID
	Visits int64
}

// Want is what a store should get more for an account.
type Want struct {
	Store  uuid.UUID
	Amount int64
}

// Plan says what more an account should have set aside at the stores where it shops,
// most visited first: the policy's part of free and set together, spread by visits, at
// most the cap for each store, less what the store has, and nothing below the minimum.
func Plan(r loyalty.Rights, free, set int64, shops []Shop, has map[uuid.UUID]int64) []Want {
	total := loyalty.Prorate(max(0, free)+max(0, set), min(max(r.SharePercent, 0), 100), 100)
	shops = shops[:min(len(shops), shopsMost)]
	var visits int64
	for _, s := range shops {
		visits += s.Visits
	}
	var out []Want
	for _, s := range shops {
		amount := min(loyalty.Prorate(total, s.Visits, visits), r.Cap) - has[s.Store]
		amount = min(amount, free)
		if amount < max(r.Min, 1) {
			continue
		}
		free -= amount
		out = append(out, Want{s.Store, amount})
	}
	return out
}

// Lane is a terminal that can hold rights.
type Lane struct {
	ID    uuid.UUID
	Epoch uint32
	Store uuid.UUID
}

// Holder is the lane of a store that holds the rights of an account: always the same
// while the lanes are, and every lane for as many accounts.
func Holder(account uuid.UUID, lanes []Lane) (Lane, bool) {
	var best Lane
	var most [32]byte
	for _, l := range lanes {
		if h := sha256.Sum256(append(account[:], l.ID[:]...)); best.ID == uuid.Nil || bytes.Compare(h[:], most[:]) > 0 {
			best, most = l, h
		}
	}
	return best, best.ID != uuid.Nil
}

// Share is what each of so many terminals of a store may stand in for.
func Share(p loyalty.Policy, terminals int64) loyalty.Share {
	s := loyalty.Share{Points: p.PerTerminal, Uses: p.VouchersTerminal}
	if p.PerStore > 0 {
		s.Points = min(s.Points, p.PerStore/max(1, terminals))
	}
	if p.VouchersStore > 0 {
		s.Uses = min(s.Uses, p.VouchersStore/max(1, terminals))
	}
	return s
}

// Heard is how far HQ knows the journal of a right's holder. Complete says that all HQ
// has of it is applied, in one branch; At is then when its last entry took effect. Out
// says that the terminal was shut out or has another epoch, Lost that two people declared
// it lost in this one, and LostBy who was the second.
type Heard struct {
	Complete bool
	Forked   bool
	At       int64
	Out      bool
	Lost     bool
	LostBy   uuid.UUID
}

// Close says whether HQ takes a right back at a time, and why: not before its end, but
// from a terminal that is out or lost, and then by its journal or by the grace. While
// entries wait to be applied it waits too.
func Close(r loyalty.Rights, right loyalty.HeldRight, h Heard, now int64) (entry.TakeBackCause, bool) {
	switch {
	case !h.Complete && !h.Forked:
		return 0, false
	case h.Lost:
		return entry.TakeBackLost, true
	case h.Out:
		return entry.TakeBackReplaced, true
	case right.EndsAt == 0 || now <= right.EndsAt:
		return 0, false
	case !h.Forked && h.At > right.EndsAt:
		return entry.TakeBackEnded, true
	case now > right.EndsAt+seconds(r.GraceSeconds, defaultGrace):
		return entry.TakeBackGrace, true
	}
	return 0, false
}

// seconds is a duration of the policy in milliseconds, or what holds without one.
func seconds(n, without int64) int64 {
	if n <= 0 {
		n = without
	}
	return n * 1000
}
