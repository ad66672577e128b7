package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Lendable asks the shop's terminal (till.Neighbours).
func (l *lane) Lendable(ctx context.Context, account uuid.UUID) map[uuid.UUID][]wire.Held {
	answer, err := l.shop.till.Lendable(ctx, wire.Terminal{ID: l.writer.ID}, wire.HeldRequest{V: 1, Account: account, Epoch: l.writer.Epoch})
	if err != nil {
		return nil
	}
	return map[uuid.UUID][]wire.Held{l.shop.Writer.ID: answer.Held}
}

// earning lets points be spent where they are earned, until a week later.
func earning(s *shop) {
	s.Policy.SpendEarned, s.Policy.SpendPending, s.Policy.Rights.LifeSeconds = true, true, 7*24*3600
}

func TestPointsEarnedAtOneLaneAreSpentAtAnother(t *testing.T) {
	s, l := newLanes(t, earning)
	l.till.Connect(till.Helpers{Lender: l, Neighbours: l})
	ctx := context.Background()
	buy := s.buy(t, 20_000, points(s.five, 1))
	if _, err := l.till.Quote(ctx, buy); problem.CodeOf(err) != problem.StandInOff {
		t.Fatalf("before anything was earned: %v", err)
	}
	// Three sales at the shop's terminal, which no feed has told: 40 points each.
	for _, key := range []string{"x", "y", "z"} {
		s.commit(t, key, s.buy(t, 4000))
	}
	scan, err := l.till.Identify(ctx, s.Static(t, s.member))
	if err != nil || scan.Member == nil || len(scan.Member.Rewards) != 1 || scan.Member.Rewards[0].Refused != nil {
		t.Fatalf("a scan offers %+v, %v", scan.Member, err)
	}
	if _, err := l.till.Quote(ctx, buy); err != nil {
		t.Fatal(err)
	}
	if _, err := l.till.Quote(ctx, s.buy(t, 20_000, points(s.five, 2))); problem.CodeOf(err) != problem.StandInOff {
		t.Errorf("quoted 200 of 120: %v", err)
	}
	sale, err := l.commit("redeems", buy)
	if err != nil {
		t.Fatal(err)
	}
	var redeemed int64
	for _, r := range sale.Body.Redeemed {
		if r.Basis != entry.BasisAllowance || r.Right == uuid.Nil {
			t.Errorf("redeemed %+v", r)
		}
		redeemed += r.Amount
	}
	if redeemed != 100 || len(sale.Body.Redeemed) != 3 {
		t.Errorf("redeemed %+v", sale.Body.Redeemed)
	}
	if h := s.free(t); h.Allowance != 20 {
		t.Errorf("the lane where they were earned holds %+v", h)
	}
	// Given away is given away: there neither.
	s.refuses(t, "at the first lane", problem.StandInOff, points(s.five, 1))
}

// countingLane counts how often lanes are asked.
type countingLane struct {
	*lane
	asked int
}

func (c *countingLane) Lendable(ctx context.Context, account uuid.UUID) map[uuid.UUID][]wire.Held {
	c.asked++
	return c.lane.Lendable(ctx, account)
}

func TestLanesAreAskedOnlyWhenItMatters(t *testing.T) {
	s, l := newLanes(t, earning, 300)
	c := &countingLane{lane: l}
	l.till.Connect(till.Helpers{Lender: l, Neighbours: c})
	for _, step := range []struct {
		name  string
		do    func() error
		asked int
	}{
		{"a sale that redeems nothing", func() error { _, err := l.commit("a", s.buy(t, 1000)); return err }, 0},
		{"a quote that redeems nothing", func() error { _, err := l.till.Quote(t.Context(), s.buy(t, 1000)); return err }, 0},
		{"what the feed says that the lane holds", func() error { _, err := l.commit("b", s.buy(t, 9000, points(s.five, 1))); return err }, 0},
		{"more than that", func() error { _, err := l.till.Quote(t.Context(), s.buy(t, 90_000, points(s.five, 4))); return err }, 1},
	} {
		c.asked = 0
		err := step.do()
		if c.asked != step.asked || step.asked == 0 && err != nil || step.asked > 0 && problem.CodeOf(err) != problem.StandInOff {
			t.Errorf("%s: asked %d times, %v", step.name, c.asked, err)
		}
	}
}

// Without points that lanes keep of what they let earn, the feed tells all that is held.
func TestLanesAreNotAskedWhenTheyKeepNothing(t *testing.T) {
	s, l := newLanes(t, nil, 300)
	c := &countingLane{lane: l}
	l.till.Connect(till.Helpers{Lender: l, Neighbours: c})
	if _, err := l.till.Identify(t.Context(), s.Static(t, s.member)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.commit("a", s.buy(t, 90_000, points(s.five, 4))); problem.CodeOf(err) != problem.StandInOff || c.asked != 0 {
		t.Errorf("asked %d times, %v", c.asked, err)
	}
}

func TestOnlyLanesInServiceHearWhatIsHeld(t *testing.T) {
	s, l := newLanes(t, earning, 300, 50)
	lane := wire.Terminal{ID: l.writer.ID}
	asked := wire.HeldRequest{V: 1, Account: s.member.Account, Epoch: l.writer.Epoch}
	answer, err := s.till.Lendable(t.Context(), lane, asked)
	if err != nil || len(answer.Held) != 2 || answer.Held[0].Left != 300 || answer.Held[1].Left != 50 {
		t.Errorf("%+v, %v", answer, err)
	}
	old := asked
	old.Epoch--
	if _, err := s.till.Lendable(t.Context(), lane, old); problem.CodeOf(err) != problem.LoanRefused {
		t.Errorf("of an epoch that is over: %v", err)
	}
	if _, err := s.till.Lendable(t.Context(), wire.Terminal{ID: uuid.New()}, asked); problem.CodeOf(err) != problem.LoanRefused {
		t.Errorf("a stranger: %v", err)
	}
	s.Pass(400 * 24 * time.Hour)
	if answer, err := s.till.Lendable(t.Context(), lane, asked); err != nil || len(answer.Held) != 0 {
		t.Errorf("long after their end: %+v, %v", answer, err)
	}
}
