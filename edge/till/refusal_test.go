package till_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// shop is a till with one member, two rewards and a voucher.
type shop struct {
	*tilltest.World
	till    *till.Till
	journal *tilltest.Journal
	state   *tilltest.State
	member  wire.Member
	five    loyalty.Reward // 100 points for 5.00
	fifty   loyalty.Reward // 600 points for 50.00: over the cap of a sale
	voucher wire.VoucherState
}

func newShop(t testing.TB, change func(*shop)) *shop {
	t.Helper()
	w := tilltest.NewWorld(t)
	s := &shop{World: w, journal: &tilltest.Journal{Writer: w.Writer}, state: tilltest.NewState()}
	s.member = w.Member(10_000)
	s.five, s.fifty = w.Reward(100, 500), w.Reward(600, 5000)
	s.voucher = w.Voucher(s.member, s.five, 2)
	if change != nil {
		change(s)
	}
	s.open(t)
	s.Feed(t, s.till, append(w.Base(t),
		w.Item(t, wire.ItemMember, s.member.ID, s.member), w.Item(t, wire.ItemReward, s.five.ID, s.five),
		w.Item(t, wire.ItemReward, s.fifty.ID, s.fifty), w.Item(t, wire.ItemVoucher, s.voucher.Voucher.ID, s.voucher))...)
	return s
}

func (s *shop) open(t testing.TB) till.Recovery {
	t.Helper()
	var r till.Recovery
	s.till, r = s.Open(t, s.journal, s.state)
	opened := s.till
	t.Cleanup(func() { _ = opened.Close() }) // a killed till answers its error
	return r
}

// buy is a request of the member for a basket and points.
func (s *shop) buy(t tilltest.T, total int64, wishes ...loyalty.Wish) till.Request {
	t.Helper()
	return till.Request{Codes: []string{s.Static(t, s.member)}, Basket: tilltest.Basket(total), Wishes: wishes}
}

func points(r loyalty.Reward, times int64) loyalty.Wish {
	return loyalty.Wish{Reward: r.ID, Times: times}
}

func use(v wire.VoucherState, times int64) loyalty.Wish {
	return loyalty.Wish{Voucher: v.Voucher.ID, Times: times}
}

func (s *shop) commit(t tilltest.T, key string, req till.Request) till.Sale {
	t.Helper()
	sale, err := s.till.Commit(context.Background(), tilltest.Commit(key, req))
	if err != nil {
		t.Fatalf("commit %s: %v", key, err)
	}
	return sale
}

// free returns the member's points as the till reckons them.
func (s *shop) free(t tilltest.T) till.Holding {
	t.Helper()
	scan, err := s.till.Identify(context.Background(), s.Static(t, s.member))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range scan.Member.Holdings {
		if h.Unit == "points" {
			return h
		}
	}
	return till.Holding{}
}

func wantCode(t tilltest.T, err error, code problem.Code) {
	t.Helper()
	if err == nil || problem.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// refusal is a way to a refused commit: what is changed before the till opens, the
// request, which may need sales before it, and the commit itself.
type refusal struct {
	code   problem.Code
	name   string
	change func(*shop)
	req    func(*testing.T, *shop) till.Request
	commit func(*till.Commit)
}

// refusedCodes are about the code on the pass.
func refusedCodes() []refusal {
	flip := func(text string) string { // one bit of the signature's base32
		at := len(text) - 10
		other := "0"
		if text[at] == '0' {
			other = "1"
		}
		return text[:at] + other + text[at+1:]
	}
	return []refusal{
		{code: problem.CodeUnreadable, req: raw("hello")},
		{code: problem.CodeTruncated, req: edit(func(text string) string { return text[:100] })},
		{code: problem.CodeForged, req: edit(flip)},
		{code: problem.CodeExpired, req: func(t *testing.T, s *shop) till.Request {
			r := s.buy(t, 1000)
			s.Pass(2 * 365 * 24 * time.Hour)
			return r
		}},
		{code: problem.CodeKeyUnknown, req: func(t *testing.T, s *shop) till.Request {
			other, err := keys.NewSigner(keys.Public{ID: 9, Use: keys.UsePass, NotAfter: tilltest.Start.AddDate(3, 0, 0)}, make([]byte, 32))
			if err != nil {
				t.Fatal(err)
			}
			s.Signer = other
			return s.buy(t, 1000)
		}},
		{code: problem.CodeKeyRevoked, change: func(s *shop) { s.Keys.Keys[0].RevokedAt = tilltest.Start }, req: sells(1000)},
		{code: problem.CodeNotYetValid, change: func(s *shop) { s.Keys.Keys[0].NotBefore = tilltest.Start.Add(time.Hour) }, req: sells(1000)},
		{code: problem.CodeWrongKind, req: func(t *testing.T, s *shop) till.Request {
			return raw(s.Token(t, passtoken.KindReceiptClaim, s.member.ID, 1).Text())(t, s)
		}},
		{code: problem.CodeWrongKind, name: "two members", req: func(t *testing.T, s *shop) till.Request {
			other := s.Member(5)
			s.Feed(t, s.till, s.Item(t, wire.ItemMember, other.ID, other))
			r := s.buy(t, 1000)
			r.Codes = append(r.Codes, s.Static(t, other))
			return r
		}},
		{code: problem.CodeStale, req: func(t *testing.T, s *shop) till.Request {
			code := s.Rotating(t, s.member)
			s.Pass(5 * time.Minute)
			return raw(code)(t, s)
		}},
		{code: problem.CodeReplayed, req: func(t *testing.T, s *shop) till.Request {
			r := till.Request{Codes: []string{s.Rotating(t, s.member)}, Basket: tilltest.Basket(1000)}
			s.commit(t, "first", r)
			return r
		}},
		{code: problem.CodeOutdated, change: func(s *shop) { s.member.Issue = 4 }, req: func(t *testing.T, s *shop) till.Request {
			return raw(s.Token(t, passtoken.KindMember, s.member.ID, 2).Text())(t, s)
		}},
		{code: problem.CodeBlocked, change: func(s *shop) { s.member.Blocked = true }, req: sells(1000)},
	}
}

// refusedRequests are about the request.
func refusedRequests() []refusal {
	return []refusal{
		{code: problem.PointsUnknown, req: func(t *testing.T, s *shop) till.Request {
			return till.Request{Codes: []string{s.Static(t, s.World.Member(1))}, Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{points(s.five, 1)}}
		}},
		{code: problem.PointsUnknown, name: "voucher", req: func(t *testing.T, s *shop) till.Request {
			return till.Request{Codes: []string{s.Static(t, s.World.Member(1))}, Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{use(s.voucher, 1)}}
		}},
		{code: problem.VoucherOfAnother, req: func(t *testing.T, s *shop) till.Request {
			other := s.World.Member(1)
			s.Feed(t, s.till, s.Item(t, wire.ItemMember, other.ID, other))
			return till.Request{
				Codes:  []string{s.Static(t, other), s.Token(t, passtoken.KindVoucher, s.voucher.Voucher.ID, 1).Text()},
				Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{use(s.voucher, 1)},
			}
		}},
		{code: problem.CapUnknownDay, change: func(s *shop) { s.Policy.UnknownSales = -1 }, req: func(t *testing.T, s *shop) till.Request {
			return raw(s.Static(t, s.World.Member(1)))(t, s)
		}},
		{code: problem.MemberUnknown, name: "nobody redeems", req: func(_ *testing.T, s *shop) till.Request {
			return till.Request{Basket: tilltest.Basket(1000), Wishes: []loyalty.Wish{points(s.five, 1)}}
		}},
		{code: problem.AmountInvalid, req: sells(0)},
		{code: problem.AmountInvalid, name: "negative", req: sells(-5)},
		{code: problem.AmountOverflow, req: sells(math.MaxInt64)},
		{code: problem.CurrencyMismatch, req: func(t *testing.T, s *shop) till.Request {
			r := s.buy(t, 1000)
			r.Basket.Currency = "USD"
			return r
		}},
		{code: problem.InvalidField, name: "long text", req: func(t *testing.T, s *shop) till.Request {
			r := s.buy(t, 1000)
			r.Basket.Lines[0].SKU = strings.Repeat("x", till.MaxText+1)
			return r
		}},
		{code: problem.InvalidField, name: "not UTF-8", req: sells(1000), commit: func(c *till.Commit) { c.Receipt = "\xff" }},
		{code: problem.InvalidField, name: "too many codes", req: func(t *testing.T, s *shop) till.Request {
			r := s.buy(t, 1000)
			for range till.MaxCodes {
				r.Codes = append(r.Codes, r.Codes[0])
			}
			return r
		}},
		{code: problem.IdempotencyNeeded, req: sells(1000), commit: func(c *till.Commit) { c.Key = "" }},
		{code: problem.QuoteUnknown, req: sells(1000), commit: func(c *till.Commit) { c.Quote = uuid.UUID{1} }},
		{code: problem.QuoteUnknown, name: "scan", req: func(t *testing.T, s *shop) till.Request {
			return till.Request{Scans: []uuid.UUID{{1}}, Basket: tilltest.Basket(1)}
		}},
	}
}

// refusedRedemptions are about what is redeemed.
func refusedRedemptions() []refusal {
	return []refusal{
		{code: problem.CodeBlocked, name: "voucher", change: func(s *shop) { s.voucher.Voucher.Blocked = true }, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 1000, use(s.voucher, 1))
		}},
		{code: problem.RewardUnknown, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 1000, points(loyalty.Reward{ID: loyalty.ID{1}}, 1))
		}},
		{code: problem.RewardInactive, change: func(s *shop) { s.five.Active = false }, req: redeems(1000, 1)},
		{code: problem.VoucherUnknown, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 1000, loyalty.Wish{Voucher: loyalty.ID{1}, Times: 1})
		}},
		{code: problem.VoucherUsed, req: func(t *testing.T, s *shop) till.Request {
			s.commit(t, "both uses", s.buy(t, 2000, use(s.voucher, 2)))
			return s.buy(t, 1000, use(s.voucher, 1))
		}},
		{code: problem.VoucherExpired, change: func(s *shop) { s.voucher.Voucher.ValidTo = tilltest.Start.UnixMilli() }, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 1000, use(s.voucher, 1))
		}},
		{code: problem.VoucherNotYetValid, change: func(s *shop) { s.voucher.Voucher.ValidFrom = tilltest.Start.Add(time.Hour).UnixMilli() }, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 1000, use(s.voucher, 1))
		}},
		{code: problem.PointsInsufficient, change: func(s *shop) { s.member.Holdings[0].Free = 99 }, req: redeems(1000, 1)},
		{code: problem.CapPerSale, req: func(t *testing.T, s *shop) till.Request { return s.buy(t, 9000, points(s.fifty, 1)) }},
		{code: problem.CapMemberDay, req: func(t *testing.T, s *shop) till.Request {
			s.commit(t, "a", s.buy(t, 9000, points(s.five, 5)))
			s.commit(t, "b", s.buy(t, 9000, points(s.five, 5)))
			return s.buy(t, 9000, points(s.five, 1))
		}},
		{code: problem.CapTerminal, change: func(s *shop) { s.Policy.PerTerminal = 150 }, req: func(t *testing.T, s *shop) till.Request {
			s.commit(t, "a", s.buy(t, 9000, points(s.five, 1)))
			return s.buy(t, 9000, points(s.five, 1))
		}},
		{code: problem.CapTerminal, name: "vouchers", change: func(s *shop) { s.Policy.VouchersTerminal = 0 }, req: func(t *testing.T, s *shop) till.Request {
			return s.buy(t, 9000, use(s.voucher, 1))
		}},
		{code: problem.StandInOff, change: func(s *shop) { s.Policy.PerSale = 0 }, req: redeems(1000, 1)},
		{code: problem.StandInOff, name: "cache too old", req: func(t *testing.T, s *shop) till.Request {
			s.Pass(8 * 24 * time.Hour)
			return s.buy(t, 1000, points(s.five, 1))
		}},
		{code: problem.DiscountTooLarge, req: redeems(300, 1)},
	}
}

// refusedByTheTerminal are about the terminal itself.
func refusedByTheTerminal() []refusal {
	return []refusal{
		{code: problem.ClockUntrusted, req: func(t *testing.T, s *shop) till.Request {
			s.Clock.Advance(time.Hour) // the monotonic clock stands
			return s.buy(t, 1000, points(s.five, 1))
		}},
		{code: problem.DiskFull, change: func(s *shop) { s.Limits.MinFreeFeed = -1; s.FreeDisk = func() (int64, error) { return 63 << 20, nil } }, req: sells(1000)},
		{code: problem.DiskFull, name: "journal", req: func(t *testing.T, s *shop) till.Request {
			s.journal.FailAfter(0, journal.ErrDiskFull)
			return s.buy(t, 1000)
		}},
		{code: problem.BodyTooLarge, name: "journal", req: func(t *testing.T, s *shop) till.Request {
			s.journal.FailAfter(0, journal.ErrTooLarge)
			return s.buy(t, 1000)
		}},
		{code: problem.JournalStopped, req: func(t *testing.T, s *shop) till.Request {
			s.journal.FailAfter(0, journal.ErrStopped)
			return s.buy(t, 1000)
		}},
	}
}

func TestEveryRefusalHasItsCodeAndChangesNothing(t *testing.T) {
	for _, c := range slices.Concat(refusedCodes(), refusedRequests(), refusedRedemptions(), refusedByTheTerminal()) {
		t.Run(strings.TrimSpace(string(c.code)+" "+c.name), func(t *testing.T) {
			s := newShop(t, c.change)
			commit := tilltest.Commit("k", c.req(t, s))
			if c.commit != nil {
				c.commit(&commit)
			}
			before := s.journal.Head()
			_, err := s.till.Commit(context.Background(), commit)
			wantCode(t, err, c.code)
			after := s.journal.Head()
			if c.code == problem.ClockUntrusted {
				after.Seq-- // the jump itself is journalled
			}
			if after.Seq != before.Seq {
				t.Errorf("a refused sale moved the journal from %d to %d", before.Seq, after.Seq)
			}
		})
	}
}

func raw(code string) func(*testing.T, *shop) till.Request {
	return func(*testing.T, *shop) till.Request {
		return till.Request{Codes: []string{code}, Basket: tilltest.Basket(1000)}
	}
}

func edit(fn func(string) string) func(*testing.T, *shop) till.Request {
	return func(t *testing.T, s *shop) till.Request { return raw(fn(s.Static(t, s.member)))(t, s) }
}

func sells(total int64) func(*testing.T, *shop) till.Request {
	return func(t *testing.T, s *shop) till.Request { return s.buy(t, total) }
}

func redeems(total, times int64) func(*testing.T, *shop) till.Request {
	return func(t *testing.T, s *shop) till.Request { return s.buy(t, total, points(s.five, times)) }
}
