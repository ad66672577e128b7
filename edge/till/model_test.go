package till_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// model is what a till must look like from outside, kept in the simplest way: HQ's
// own figures, and a list of all sales.
type model struct {
	hq      int64  // the member's points as HQ has applied them
	left    int64  // uses of the voucher, likewise
	applied uint64 // entry through which hq and left are complete
	acked   uint64
	sales   []modelSale
	heard   bool // since the store was last lost
}

type modelSale struct {
	key          string
	seq, voided  uint64
	date         int
	points, uses int64
	earned       int64
	goods        goods
	returns      []modelReturn
}

func (m *model) free() int64 {
	free, pending := m.hq, int64(0)
	for _, s := range m.sales {
		if s.seq > m.applied {
			free -= s.points
			pending += s.earned
		}
		if s.voided > m.applied {
			free += s.points
			pending -= s.earned
		}
		pending -= s.takenAfter(m.applied, math.MaxUint64)
	}
	return free + min(0, pending)
}

func (m *model) usesLeft() int64 {
	left := m.left
	for _, s := range m.sales {
		if s.seq > m.applied {
			left -= s.uses
		}
		if s.voided > m.applied {
			left += s.uses
		}
	}
	return left
}

// spent returns what counts against the caps: of the day, and of the terminal.
func (m *model) spent(date int) (day, points, uses int64) {
	for _, s := range m.sales {
		if s.voided != 0 {
			continue
		}
		if s.date == date {
			day += s.points
		}
		if s.seq > m.acked {
			points += s.points
			uses += s.uses
		}
	}
	return day, points, uses
}

// expect is the code a sale is refused with; empty when it must succeed.
func (m *model) expect(p loyalty.Policy, date int, points, uses int64) problem.Code {
	day, spent, used := m.spent(date)
	switch {
	case uses > m.usesLeft():
		return problem.VoucherUsed
	case points > m.free():
		return problem.PointsInsufficient
	case points+uses > 0 && !m.heard:
		return problem.StandInOff
	case points > p.PerSale:
		return problem.CapPerSale
	case points > 0 && day+points > p.PerMemberDay:
		return problem.CapMemberDay
	case points > 0 && spent+points > p.PerTerminal:
		return problem.CapTerminal
	case uses > p.VouchersPerSale:
		return problem.CapPerSale
	case uses > 0 && used+uses > p.VouchersTerminal:
		return problem.CapTerminal
	}
	return ""
}

func TestRandomLivesEqualTheModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newShop(t, func(s *shop) {
			s.member.Holdings[0].Free = 2500
			s.voucher = s.Voucher(s.member, s.five, 9)
			s.Policy.PerTerminal, s.Policy.VouchersTerminal = 1500, 4
		})
		l := &life{shop: s, t: t, model: model{hq: 2500, left: 9, heard: true}}
		defer func() { _ = s.till.Close() }()
		r.Repeat(map[string]func(*rapid.T){
			"sale": l.sale, "again": l.again, "void": l.void, "restart": l.restart, "lose the cache": l.lose,
			"return": l.bringBack, "return again": l.bringBackAgain, "HQ applies": l.apply, "HQ acknowledges": l.acknowledge, "a day goes by": l.nextDay, "": l.check,
		})
	})
}

// life is one run of the model beside a till.
type life struct {
	*shop
	model
	t *testing.T
	n int
}

func (l *life) date() int { return l.Clock.Now().YearDay() }

func (l *life) sale(r *rapid.T) {
	l.n++
	times, uses := rapid.Int64Range(0, 6).Draw(r, "times"), rapid.Int64Range(0, 3).Draw(r, "uses")
	var wishes []loyalty.Wish
	if times > 0 {
		wishes = append(wishes, points(l.five, times))
	}
	if uses > 0 {
		wishes = append(wishes, use(l.voucher, uses))
	}
	total := 10_000 + rapid.Int64Range(0, 300).Draw(r, "total")
	m := modelSale{
		key: fmt.Sprint("sale ", l.n), date: l.date(), points: 100 * times, uses: uses,
		earned: (total - 500*(times+uses)) / 100,
	}
	m.goods = goods{{no: 1, quantity: 1000, amount: 3333}, {no: 7, quantity: 2500, amount: total - 3333}}
	want := l.expect(l.Policy, m.date, m.points, m.uses)
	req := l.buy(r, total, wishes...)
	req.Basket.Lines = m.goods.lines()
	sale, err := l.till.Commit(context.Background(), tilltest.Commit(m.key, req))
	if want != "" {
		wantCode(r, err, want)
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	m.seq = sale.At.Seq
	l.sales = append(l.sales, m)
}

// some draws a sale made before.
func (l *life) some(r *rapid.T) *modelSale {
	if len(l.sales) == 0 {
		r.Skip("no sale yet")
	}
	return &l.sales[rapid.IntRange(0, len(l.sales)-1).Draw(r, "sale")]
}

func (l *life) again(r *rapid.T) {
	m := l.some(r)
	sale, err := l.till.Commit(context.Background(), tilltest.Commit(m.key, till.Request{}))
	if err != nil || sale.At.Seq != m.seq || !sale.Replayed {
		r.Fatalf("%s again: %+v, %v", m.key, sale, err)
	}
}

func (l *life) void(r *rapid.T) {
	m := l.some(r)
	l.n++
	void, err := l.till.Void(context.Background(), till.Void{SaleKey: m.key, Key: fmt.Sprint("void ", l.n)})
	if want := m.voidRefusal(); want != "" {
		wantCode(r, err, want)
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	m.voided = void.At.Seq
}

func (l *life) stop(r *rapid.T) {
	if err := l.till.Close(); err != nil {
		r.Fatal(err)
	}
}

func (l *life) start(r *rapid.T) { l.till, _ = l.Open(r, l.journal, l.state) }

func (l *life) restart(r *rapid.T) { l.stop(r); l.start(r) }

// lose throws the store away; HQ sends all but the end of its feed again.
func (l *life) lose(r *rapid.T) {
	l.stop(r)
	l.state = tilltest.NewState()
	l.start(r)
	l.Restart()
	page := l.Page(append(l.Base(r), l.Item(r, wire.ItemReward, l.five.ID, l.five))...)
	page.More = true
	if err := l.till.ApplyFeed(context.Background(), page); err != nil {
		r.Fatal(err)
	}
	l.heard, l.acked = false, 0
	l.send(r, true)
}

// apply lets HQ fold the journal through some entry into its figures.
func (l *life) apply(r *rapid.T) {
	to := rapid.Uint64Range(l.applied, l.journal.Head().Seq).Draw(r, "mark")
	for _, s := range l.sales {
		if s.seq > l.applied && s.seq <= to {
			l.hq += s.earned - s.points
			l.left -= s.uses
		}
		if s.voided > l.applied && s.voided <= to {
			l.hq += s.points - s.earned
			l.left += s.uses
		}
		l.hq -= s.takenAfter(l.applied, to)
	}
	l.applied = to
	l.send(r, false)
	l.heard = true
}

func (l *life) send(r *rapid.T, more bool) {
	marks := []wire.Mark{{Terminal: l.Writer.ID, Epoch: l.Writer.Epoch, Seq: l.applied}}
	l.member.Holdings[0].Free, l.member.Marks = l.model.hq, marks
	v := l.voucher
	v.Voucher.Left, v.Marks = l.left, marks
	page := l.Page(l.Item(r, wire.ItemMember, l.member.ID, l.member), l.Item(r, wire.ItemVoucher, v.Voucher.ID, v))
	page.More = more
	if err := l.till.ApplyFeed(context.Background(), page); err != nil {
		r.Fatal(err)
	}
}

func (l *life) acknowledge(r *rapid.T) {
	seq := rapid.Uint64Range(1, l.journal.Head().Seq).Draw(r, "acked")
	hash, err := l.journal.HashAt(context.Background(), seq)
	if err != nil {
		r.Fatal(err)
	}
	err = l.till.ApplyReceipt(context.Background(), wire.Receipt{
		V: 1, HQ: l.HQ, HQEpoch: 1, Terminal: l.Writer.ID, Epoch: 1, Seq: seq, Hash: hash[:],
	})
	if err != nil {
		r.Fatal(err)
	}
	l.acked = max(l.acked, seq)
}

func (l *life) nextDay(r *rapid.T) { l.Pass(24 * time.Hour); l.heardAgain(r) }

// heardAgain keeps the cache young, so that only a loss makes it old.
func (l *life) heardAgain(r *rapid.T) {
	if l.heard {
		l.Feed(r, l.till)
	}
}

func (l *life) check(r *rapid.T) {
	if got := l.shop.free(r); got.Free != l.model.free() {
		r.Fatalf("free %d, the model has %d", got.Free, l.model.free())
	}
	_, points, uses := l.spent(l.date())
	status, err := l.till.Status(context.Background())
	if err != nil || status.SpentPoints != points || status.SpentUses != uses {
		r.Fatalf("spent %d and %d (%v), the model has %d and %d", status.SpentPoints, status.SpentUses, err, points, uses)
	}
}
