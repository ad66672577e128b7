package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// lateStory is an account with 100 points that expire after a day. A till redeems 60
// of them in time and stays offline; another sells to the shopper two days later.
type lateStory struct {
	hq            *books.HQ
	account       uuid.UUID
	offline, open *books.Till
	spent         time.Time // when the offline till redeemed
	expiry        time.Time
}

func newLateStory(t *testing.T) *lateStory {
	t.Helper()
	hq := books.New(t)
	w := &lateStory{hq: hq, account: hq.Member(t, "ann", 0), expiry: hq.Clock.Now().Add(24 * time.Hour)}
	err := hq.Ledger.Adjust(context.Background(), entry.HQAdjustment{
		Account: w.account, Unit: "points", Amount: 100, Reason: 1, ExpiresAt: w.expiry.UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.offline, w.open = hq.Till(t, "offline"), hq.Till(t, "open")
	if _, err := w.offline.Push(1, 1); err != nil { // it has been heard of, then the cable is cut
		t.Fatal(err)
	}
	w.offline.Skip(20 * time.Hour)
	w.redeem(t, w.offline, 60)
	w.spent = w.offline.Now()
	return w
}

// redeem writes a sale that earns nothing.
func (w *lateStory) redeem(t *testing.T, till *books.Till, amount int64) {
	t.Helper()
	sale := till.Sale(t, w.account, 1000, amount)
	sale.Earned = nil
	till.Write(t, entry.KindSale, sale)
}

// laterSale brings a sale of two days later by the open till: it redeems, or, for zero,
// earns 10 points.
func (w *lateStory) laterSale(t *testing.T, redeem int64) {
	t.Helper()
	w.open.Skip(w.expiry.Add(24 * time.Hour).Sub(w.open.Now()))
	if redeem > 0 {
		w.redeem(t, w.open, redeem)
	} else {
		w.open.Sell(t, w.account, 1000, 0)
	}
	w.hq.Clock.Set(w.open.Now())
	deliver(t, w.hq, w.open)
}

// connect brings what the offline till has, a day after that.
func (w *lateStory) connect(t *testing.T) {
	t.Helper()
	w.hq.Clock.Advance(24 * time.Hour)
	w.offline.Sync(t, 1)
	w.hq.Apply(t)
	w.hq.Verify(t)
}

func (w *lateStory) sweep(t *testing.T) ledger.Swept {
	t.Helper()
	done, err := w.hq.Ledger.Sweep(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.hq.Verify(t)
	return done
}

// moved is how much went into a book, less what came back out of it.
func (w *lateStory) moved(t *testing.T, book loyalty.Book) (sum int64) {
	t.Helper()
	for _, p := range w.history(t) {
		if p.To == book {
			sum += p.Amount
		}
		if p.From == book {
			sum -= p.Amount
		}
	}
	return sum
}

func (w *lateStory) history(t *testing.T) []ledger.Posting {
	t.Helper()
	list, _, err := w.hq.Ledger.History(context.Background(), w.account, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A fact after the expiry and a sweep both leave breakage alone while a till may hold
// an earlier redemption; when it comes nothing need be taken back.
func TestG8_BreakageWaitsForTheWatermark(t *testing.T) {
	w := newLateStory(t)
	w.laterSale(t, 0)
	if done := w.sweep(t); done.Until >= w.expiry.UnixMilli() || done.Graced {
		t.Errorf("the sweep went to %d, past the till that is offline: %+v", done.Until, done)
	}
	if got := w.moved(t, loyalty.BookBreakage); got != 0 {
		t.Errorf("%d are breakage before the watermark has passed the expiry", got)
	}
	// What has expired cannot be spent all the same.
	if got := w.hq.Holding(t, w.account, "points"); got.Free != 10 {
		t.Errorf("%+v, want 10 free", got)
	}
	w.connect(t)
	for _, p := range w.history(t) {
		if p.From == loyalty.BookBreakage || p.To == loyalty.BookBreakage {
			t.Errorf("breakage was posted and had to be corrected: %+v", p)
		}
	}
	if got := w.moved(t, loyalty.BookStore); got != 60 {
		t.Errorf("%d were redeemed, want 60", got)
	}
	w.offline.Skip(72 * time.Hour)
	w.offline.Write(t, entry.KindNote, entry.Note{})
	w.open.Skip(24 * time.Hour)
	w.open.Write(t, entry.KindNote, entry.Note{})
	w.hq.Clock.Set(w.offline.Now())
	w.offline.Sync(t, 3)
	w.open.Sync(t, 3)
	w.hq.Apply(t)
	w.sweep(t)
	if got, left := w.moved(t, loyalty.BookBreakage), w.moved(t, loyalty.BookLapsed); got != 40 || left != 0 {
		t.Errorf("%d are breakage and %d have lapsed, want 40 and 0", got, left)
	}
}

// A shopper loses no points because a till was offline when they expired: also when
// it was offline for longer than the grace, and the points are breakage already.
func TestG8_ALateRedemptionOfExpiredPointsIsHonoured(t *testing.T) {
	w := newLateStory(t)
	w.laterSale(t, 60) // of points that had expired: an overdraw as known then
	if list := w.hq.Exceptions(t, ledger.Overdraw); len(list) != 1 || list[0].Amount != 60 {
		t.Fatalf("exceptions: %+v", list)
	}
	w.hq.Clock.Advance(10 * 24 * time.Hour)
	if done := w.sweep(t); !done.Graced {
		t.Fatalf("swept %+v, want past the grace", done)
	}
	if got := w.moved(t, loyalty.BookBreakage); got != 100 {
		t.Fatalf("%d are breakage, want 100", got)
	}
	w.connect(t)
	if got := w.hq.Holding(t, w.account, "points"); got.Free != 0 || got.Overdraft != 60 {
		t.Errorf("%+v: the late redemption has to take its own points, and the later sale owes", got)
	}
	if got := w.moved(t, loyalty.BookBreakage); got != 40 {
		t.Errorf("%d are breakage, want 40", got)
	}
	var corrected int64
	for _, p := range w.history(t) {
		if p.From != loyalty.BookBreakage {
			continue
		}
		corrected += p.Amount
		if p.Source != w.offline.Hashes[1] || p.Corrects == (ledger.Posting{}).Corrects || p.RecordedAt <= w.expiry.UnixMilli() || p.EffectiveAt != w.expiry.UnixMilli() {
			t.Errorf("the correction names not both facts and both times: %+v", p)
		}
	}
	if corrected != 60 {
		t.Errorf("%d of breakage were corrected, want 60", corrected)
	}
}

// An exception that a late fact explains is withdrawn, and says by which fact.
func TestG8_AnExceptionThatALateFactExplainsIsWithdrawn(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	earns, spends := hq.Till(t, "earns"), hq.Till(t, "spends")
	earns.Sell(t, account, 10_000, 0)
	spends.Skip(time.Hour)
	spends.Sell(t, account, 1000, 80)
	hq.Clock.Set(spends.Now())
	deliver(t, hq, spends)
	wantExceptions(t, hq, ledger.Overdraw)
	deliver(t, hq, earns)
	list := hq.Exceptions(t, ledger.Overdraw)
	if len(list) != 1 || list[0].State != ledger.ExceptionWithdrawn || list[0].ExplainedBy != earns.Hashes[1] {
		t.Errorf("exceptions: %+v", list)
	}
}

// What was known at a time and what was so at that time are two answers.
func TestG8_AsKnownAndAsItReallyWas(t *testing.T) {
	w := newLateStory(t)
	w.laterSale(t, 0)
	before := w.hq.Clock.Now().UnixMilli()
	w.connect(t)
	for _, c := range []struct {
		name          string
		at            time.Time
		known, really int64
	}{
		{"before it was spent", w.spent.Add(-time.Hour), 100, 100},
		{"when it was spent, and nobody knew", w.spent.Add(time.Hour), 100, 40},
		{"after the expiry", w.expiry.Add(time.Hour), 100, 0},
		{"after the later sale, before the till was heard", time.UnixMilli(before), 10, 10},
		{"now", w.hq.Clock.Now(), 10, 10},
	} {
		known, err := w.hq.Ledger.BalanceAsKnown(context.Background(), w.account, c.at.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		really, err := w.hq.Ledger.BalanceAsOf(context.Background(), w.account, c.at.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		if got := pointsOf(known); got != c.known {
			t.Errorf("%s: %d points as known, want %d", c.name, got, c.known)
		}
		if got := pointsOf(really); got != c.really {
			t.Errorf("%s: %d points really, want %d", c.name, got, c.really)
		}
	}
	for _, p := range w.history(t) {
		if p.OccurredAt == 0 || p.RecordedAt == 0 || p.EffectiveAt == 0 || p.To == loyalty.BookStore && p.RuleSet != 1 {
			t.Errorf("a posting without its times or rule set: %+v", p)
		}
		if p.Source == w.offline.Hashes[1] && p.To == loyalty.BookStore && (p.OccurredAt != w.spent.UnixMilli() || p.RecordedAt <= before) {
			t.Errorf("the late redemption has not its own times: %+v", p)
		}
	}
}

func pointsOf(list []loyalty.Holding) int64 {
	for _, h := range list {
		if h.Unit == "points" {
			return h.Balance()
		}
	}
	return 0
}

// Times that no clock shows neither wrap nor hide what they are.
func TestCraftedTimesDoNotWrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    int64
		ahead bool
	}{
		{"the first of all times", -1 << 63, false},
		{"the last of all times", 1<<63 - 1, true},
	} {
		hq := books.New(t)
		account := hq.Member(t, "ann", 0)
		till := hq.Till(t, "1")
		sale := till.Sale(t, account, 1000, 0)
		for i := range sale.Earned {
			sale.Earned[i].VestsAt, sale.Earned[i].ExpiresAt = c.at, c.at
		}
		raw, err := entry.Encode(entry.Entry{
			HLC: clock.NewStamp(till.Now(), 0), OccurredAt: c.at, BusinessDate: entry.DateOf(till.Now()), Kind: entry.KindSale,
		}, sale)
		if err != nil {
			t.Fatal(err)
		}
		till.WriteRaw(raw)
		deliver(t, hq, till)
		ahead := hq.Exceptions(t, ledger.ClockAhead)
		if len(ahead) > 0 != c.ahead {
			t.Errorf("%s: exceptions %+v", c.name, ahead)
		}
		got, err := hq.Ledger.Account(context.Background(), account)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range got.Holdings {
			for _, l := range h.Lots {
				if l.VestsAt == c.at || l.ExpiresAt == c.at {
					t.Errorf("%s: the till's date was taken: %+v", c.name, l)
				}
			}
		}
	}
}
