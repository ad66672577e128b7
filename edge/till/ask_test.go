package till_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// hq authorises what it is asked for, or as it is told.
type hq struct {
	*shop
	t     *testing.T
	mu    sync.Mutex
	asked []wire.AuthoriseRequest
	say   func(ctx context.Context, asked wire.AuthoriseRequest) (wire.AuthoriseAnswer, error)
}

func (h *hq) Authorise(ctx context.Context, asked wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
	h.mu.Lock()
	h.asked = append(h.asked, asked)
	h.mu.Unlock()
	if h.say != nil {
		return h.say(ctx, asked)
	}
	return h.yes(asked), nil
}

func (h *hq) yes(asked wire.AuthoriseRequest) wire.AuthoriseAnswer {
	g := h.Grant(wire.Member{ID: asked.Member, Account: asked.Account}, asked.Amount)
	g.Right, g.Unit, g.Asked = asked.Right, asked.Unit, true
	return wire.AuthoriseAnswer{V: wire.Version, Grant: h.Signed(h.t, g)}
}

func newOnlineShop(t *testing.T, change func(*shop)) (*shop, *hq) {
	s := newShop(t, change)
	h := &hq{shop: s, t: t}
	s.till.Connect(till.Helpers{Authoriser: h})
	s.till.SetOnline(true)
	return s, h
}

func TestHQIsAskedForExactlyWhatIsShort(t *testing.T) {
	s, h := newOnlineShop(t, noStandIn)
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 130), false, false))
	before := s.journal.Head().Seq
	sale := s.commit(t, "a", s.buy(t, 20_000, points(s.five, 2), use(s.voucher, 2)))
	if len(h.asked) != 2 || h.asked[0].Amount != 70 || h.asked[0].Unit != "points" || h.asked[1].Amount != 2 ||
		h.asked[1].Unit != loyalty.UseUnit(uuid.UUID(s.voucher.Voucher.ID).String()) || h.asked[0].Member != s.member.ID {
		t.Fatalf("asked %+v", h.asked)
	}
	r := sale.Body.Redeemed
	if len(r) != 3 || r[0].Basis != entry.BasisAllowance || r[1].Basis != entry.BasisHQAuthorised || r[1].Right != h.asked[0].Right ||
		r[2].Basis != entry.BasisHQAuthorised || r[2].Right != h.asked[1].Right || !sale.Body.Online {
		t.Errorf("redeemed %+v", r)
	}
	if got := s.changes(t, before+1); len(got) != 3 || got[2].Op != entry.AllowanceReceived || len(got[2].Proof) == 0 {
		t.Errorf("journalled %+v", got)
	}
	s.till.SetOnline(false)
	s.refuses(t, "b", problem.StandInOff, points(s.five, 1))
	before = s.journal.Head().Seq
	if _, err := s.till.Void(context.Background(), voidOf("a")); err != nil {
		t.Fatal(err)
	}
	released := s.changes(t, before+1)
	if len(released) != 2 || released[0].Op != entry.AllowanceReleased || released[0].Amount+released[1].Amount != 72 {
		t.Errorf("a void gives back %+v", released)
	}
	if len(h.asked) != 2 {
		t.Error("HQ is asked although it is out of reach")
	}
}

func TestHQsNoIsFinal(t *testing.T) {
	s, h := newOnlineShop(t, nil) // stand-in would do
	for answer, want := range map[string]problem.Code{
		"points_insufficient": problem.PointsInsufficient, "code_blocked": problem.CodeBlocked, "a word of the future": problem.HQRefused,
	} {
		h.say = func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{V: wire.Version, Refused: answer}, nil
		}
		before := s.journal.Head()
		s.refuses(t, "a", want, points(s.five, 1))
		if s.journal.Head() != before {
			t.Errorf("%s: journalled %+v", answer, s.changes(t, before.Seq+1))
		}
	}
	h.say = func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
		return wire.AuthoriseAnswer{V: wire.Version, Refused: "points_insufficient"}, nil
	}
	s.refuses(t, "used elsewhere", problem.VoucherUsed, use(s.voucher, 1))
	// An HQ that cannot say has not said no, nor has one that does not know the question.
	for _, say := range []func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error){
		func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{Refused: string(problem.Unavailable)}, nil
		},
		func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{}, problem.New(problem.NotFound, "")
		},
		func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{}, fmt.Errorf("dial: %w", till.ErrNotAsked)
		},
	} {
		h.say = say
		before := s.journal.Head().Seq
		sale := s.commit(t, fmt.Sprint("b", before), s.buy(t, 20_000, points(s.five, 1)))
		if sale.Body.Redeemed[0].Basis != entry.BasisStandIn || len(s.changes(t, before+1)) != 0 {
			t.Errorf("%+v after %+v", sale.Body.Redeemed, s.changes(t, before+1))
		}
	}
}

// An answer that comes too late, or is lost, or is not what was asked for, is given up in
// the journal under its id; the sale goes on without it.
func TestG2_AnAnswerThatIsGivenUpIsReleased(t *testing.T) {
	s, h := newOnlineShop(t, nil)
	for name, say := range map[string]func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error){
		"late": func(ctx context.Context, _ wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			<-ctx.Done()
			return wire.AuthoriseAnswer{}, ctx.Err()
		},
		"lost": func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{}, errors.New("connection reset")
		},
		"another's": func(_ context.Context, asked wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			asked.Account = s.HQ
			return h.yes(asked), nil
		},
		"unreadable": func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
			return wire.AuthoriseAnswer{V: 1}, nil
		},
	} {
		h.say, h.asked = say, nil
		before := s.journal.Head().Seq
		sale := s.commit(t, name, s.buy(t, 20_000, points(s.five, 1)))
		got := s.changes(t, before+1)
		if len(got) != 1 || got[0].Op != entry.AllowanceReleased || got[0].Reason != entry.ReleaseGivenUp ||
			got[0].Right != h.asked[0].Right || sale.Body.Redeemed[0].Basis != entry.BasisStandIn {
			t.Errorf("%s: %+v, %+v", name, got, sale.Body.Redeemed)
		}
		// The grant turns up in the feed after all: it is dead.
		late := h.yes(h.asked[0]).Grant
		s.Feed(t, s.till, s.Item(t, wire.ItemAllowance, h.asked[0].Right, wire.Allowance{Grant: late}))
		if h := s.free(t); h.Allowance != 0 {
			t.Errorf("%s: holding %+v", name, h)
		}
	}
}

// What HQ gave for a sale that is refused after all goes back at once.
func TestWhatWasGotForNothingIsReleased(t *testing.T) {
	s, h := newOnlineShop(t, nil)
	before := s.journal.Head().Seq
	s.refuses(t, "a", problem.DiscountTooLarge, points(s.five, 100))
	got := s.changes(t, before+1)
	if len(got) != 1 || got[0].Op != entry.AllowanceReleased || got[0].Reason != entry.ReleaseUnused || got[0].Right != h.asked[0].Right {
		t.Errorf("journalled %+v", got)
	}
}

// While one shopper's sale waits for HQ, others buy and redeem.
func TestShoppersDoNotWaitForEachOther(t *testing.T) {
	s, h := newOnlineShop(t, nil)
	slow, fast := s.Member(1000), s.Member(1000)
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, slow.ID, slow), s.Item(t, wire.ItemMember, fast.ID, fast))
	asked, answer := make(chan struct{}), make(chan struct{})
	h.say = func(ctx context.Context, a wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
		if a.Member == slow.ID {
			close(asked)
			select {
			case <-answer:
			case <-ctx.Done():
				return wire.AuthoriseAnswer{}, ctx.Err()
			}
		}
		return h.yes(a), nil
	}
	buy := func(m wire.Member, key string) error {
		_, err := s.till.Commit(context.Background(), tilltest.Commit(key, till.Request{
			Codes: []string{s.Static(t, m)}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 1)},
		}))
		return err
	}
	done := make(chan error, 1)
	go func() { done <- buy(slow, "slow") }()
	<-asked
	for i := range 5 {
		if err := buy(fast, fmt.Sprint("fast ", i)); err != nil {
			t.Error(err)
		}
	}
	s.tend(t)
	select {
	case err := <-done:
		t.Errorf("the slow one was done first: %v", err)
	default:
	}
	close(answer)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAQuoteHoldsARightAndTheCommitDecides(t *testing.T) {
	s := newShop(t, noStandIn)
	// Two cards of one household, and a right that is enough for one of them.
	other := s.Member(0)
	other.Account, other.Holdings = s.member.Account, s.member.Holdings
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, other.ID, other), s.Granted(t, s.Grant(s.member, 100), false, false))
	ctx := context.Background()
	first, err := s.till.Quote(ctx, s.buy(t, 5000, points(s.five, 1)))
	if err != nil || first.Decision.Redeemed[0].Basis != loyalty.ByRight {
		t.Fatalf("%+v, %v", first.Decision, err)
	}
	again, err := s.till.Quote(ctx, s.buy(t, 6000, points(s.five, 1)))
	if err != nil || again.Member.Holdings[0].Held != 100 {
		t.Fatalf("the same shopper cannot quote again: %+v, %v", again.Member, err)
	}
	second := till.Request{Codes: []string{s.Static(t, other)}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 1)}}
	_, err = s.till.Quote(ctx, second)
	wantCode(t, err, problem.StandInOff)
	// A hold is no right: who commits first has it.
	if _, err := s.till.Commit(ctx, tilltest.Commit("second", second)); err != nil {
		t.Fatal(err)
	}
	_, err = s.till.Commit(ctx, till.Commit{Quote: again.ID, Key: "first"})
	wantCode(t, err, problem.StandInOff)
	s.Pass(6 * time.Minute) // holds end by themselves
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 100), false, false))
	if _, err := s.till.Quote(ctx, second); err != nil {
		t.Error(err)
	}
}

// A quote also holds room under the caps.
func TestAQuoteHoldsRoomUnderTheCaps(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerTerminal = 150 })
	other := s.Member(1000)
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, other.ID, other))
	if _, err := s.till.Quote(context.Background(), s.buy(t, 5000, points(s.five, 1))); err != nil {
		t.Fatal(err)
	}
	_, err := s.till.Quote(context.Background(), till.Request{
		Codes: []string{s.Static(t, other)}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 1)},
	})
	wantCode(t, err, problem.CapTerminal)
}

// What a quote hopes to get is what the commit asks for.
func TestAQuoteHopesForWhatTheCommitAsks(t *testing.T) {
	s, h := newOnlineShop(t, noStandIn)
	ctx := context.Background()
	q, err := s.till.Quote(ctx, s.buy(t, 5000, points(s.five, 1)))
	if err != nil || q.Decision.Redeemed[0].Basis != loyalty.ByHQ || len(h.asked) != 0 {
		t.Fatalf("%+v, asked %v: %v", q.Decision, h.asked, err)
	}
	sale, err := s.till.Commit(ctx, till.Commit{Quote: q.ID, Key: "k"})
	if err != nil || sale.Body.Redeemed[0].Basis != entry.BasisHQAuthorised || sale.Body.Redeemed[0].Right == uuid.Nil {
		t.Errorf("%+v, %v", sale.Body.Redeemed, err)
	}
	s.member.Holdings[0].Free = 50
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	_, err = s.till.Quote(ctx, s.buy(t, 5000, points(s.five, 1)))
	wantCode(t, err, problem.PointsInsufficient)
}
