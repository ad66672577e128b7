package account_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
)

// story is a random life of a few members.
type story struct {
	*rig
	members []uuid.UUID
	own     []uuid.UUID // the account each began with
	links   []uuid.UUID
	sales   []struct{ sale, account uuid.UUID }
}

func (s *story) pick(t *rapid.T, label string) int {
	return rapid.IntRange(0, len(s.members)-1).Draw(t, label)
}

// allowed fails the test for an error that is no refusal.
func allowed(t *rapid.T, err error) bool {
	switch problem.CodeOf(err) {
	case problem.AccountSame, problem.PointsInsufficient, problem.StateConflict:
		return false
	}
	if err != nil {
		t.Fatalf("unexpected: %v", err)
	}
	return true
}

// Random gifts, merges, households, ends, lists, and sales by tills that know of
// them or do not: at every end all books of a unit sum to zero, clearing is empty,
// holdings are borne out by postings and lots (Verify), and the shares of every
// account sum to what it has.
func TestG7_MovesConserve(t *testing.T) {
	r, lives := newRig(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		lives++
		s := &story{rig: r}
		for i := range 4 {
			m := s.member(rt, strconv.Itoa(lives)+"/"+strconv.Itoa(i), int64(i*40))
			s.members = append(s.members, m)
			s.own = append(s.own, s.accountOf(rt, m))
		}
		s.till.Skip(2 * time.Hour)
		s.Clock.Advance(2 * time.Hour)
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			s.step(rt)
			s.tick()
			s.till.Skip(time.Second)
			if rapid.Bool().Draw(rt, "settle") {
				s.settle(rt)
			}
		}
		s.sync(rt)
		s.settle(rt)
		if s.clearing(rt) != 0 {
			rt.Fatalf("%d are left in clearing", s.clearing(rt))
		}
		s.checkShares(rt)
	})
	r.Verify(t)
}

func (s *story) step(t *rapid.T) {
	ctx := context.Background()
	m, other := s.pick(t, "member"), s.pick(t, "other")
	amount := rapid.Int64Range(1, 90).Draw(t, "amount")
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0:
		_, err := s.accounts.Give(ctx, uuid.Nil, account.Gift{From: s.members[m], To: s.members[other], Unit: "points", Amount: amount, Reason: 2})
		allowed(t, err)
	case 1:
		l, err := s.accounts.Merge(ctx, uuid.Nil, s.members[m], s.members[other], 3)
		if allowed(t, err) {
			s.links = append(s.links, l.ID)
		}
	case 2:
		_, links, err := s.accounts.OpenHousehold(ctx, uuid.Nil, []uuid.UUID{s.members[m]}, 3)
		if allowed(t, err) {
			s.links = append(s.links, links[0].ID)
		}
	case 3:
		if len(s.links) > 0 {
			_, err := s.accounts.End(ctx, uuid.Nil, rapid.SampledFrom(s.links).Draw(t, "link"), 3)
			allowed(t, err)
		}
	case 4:
		b, err := s.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{
			{Member: s.members[m], Unit: "points", Amount: amount}, {Member: s.members[other], Unit: "points", Amount: -amount},
		})
		if err == nil {
			_, err = s.accounts.Commit(ctx, uuid.Nil, b.ID, true)
		}
		if allowed(t, err) && rapid.Bool().Draw(t, "undo") {
			s.settle(t)
			_, err = s.accounts.Undo(ctx, uuid.Nil, b.ID)
			allowed(t, err)
		}
	case 5:
		if len(s.sales) > 0 {
			sold := rapid.SampledFrom(s.sales).Draw(t, "sale")
			s.till.Void(t, sold.sale, sold.account)
		}
	case 6:
		s.sync(t)
	default:
		acct := s.own[m]
		if rapid.Bool().Draw(t, "till knows") {
			acct = s.accountOf(t, s.members[m])
		}
		sale := s.sell(t, s.members[m], acct, amount*50, rapid.SampledFrom([]int64{0, amount}).Draw(t, "redeem"))
		s.sales = append(s.sales, struct{ sale, account uuid.UUID }{sale, acct})
	}
}

func (s *story) checkShares(t *rapid.T) {
	ctx := context.Background()
	for _, m := range s.members {
		acct := s.accountOf(t, m)
		has, err := s.Ledger.Account(ctx, acct)
		if err != nil {
			t.Fatalf("%v", err)
		}
		shares, err := s.accounts.Shares(ctx, acct)
		if err != nil {
			t.Fatalf("%v", err)
		}
		sums := map[string]int64{}
		for _, share := range shares {
			sums[share.Unit] += share.Net()
		}
		for _, h := range has.Holdings {
			if min(h.Free, h.Pending, h.Overdraft) < 0 {
				t.Fatalf("negative: %+v", h)
			}
			if sums[h.Unit] != h.Balance()+h.Pending {
				t.Fatalf("%s: shares sum to %d, the account has %d and %d pending: %+v", h.Unit, sums[h.Unit], h.Balance(), h.Pending, shares)
			}
		}
	}
}
