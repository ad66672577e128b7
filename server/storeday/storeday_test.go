package storeday_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

// shop is one store of an HQ whose days are certified.
type shop struct {
	*books.HQ
	days  *storeday.Service
	store fleet.Store
	lanes map[uuid.UUID]*fleet.Terminal
	order []uuid.UUID
	ann   uuid.UUID
}

func newShop(t testing.TB, hq *books.HQ) *shop {
	t.Helper()
	s := &shop{HQ: hq, store: fleet.Store{ID: uuid.NewSHA1(hq.ID, []byte("the store")), Code: "S1", TimeZone: "Europe/Warsaw"}, lanes: map[uuid.UUID]*fleet.Terminal{}}
	s.days = storeday.New(storeday.Env{
		Store: hq.DB, Fleet: s, Journal: hq.Journal, Clock: hq.Clock, HQ: hq.ID, Signer: hq.Signer,
		Virtual: func(name string) bool { return strings.HasPrefix(name, "web") },
	})
	hq.Ledger.SetBeside(reconcile.New(hq.DB, s.days.Closed))
	s.ann = hq.Member(t, "ann", 1000)
	return s
}

func (s *shop) Store(context.Context, uuid.UUID) (fleet.Store, error) { return s.store, nil }

func (s *shop) Stores(_ context.Context, after uuid.UUID, _ int) ([]fleet.Store, error) {
	if after != uuid.Nil {
		return nil, nil
	}
	return []fleet.Store{s.store}, nil
}

func (s *shop) Terminals(_ context.Context, _, after uuid.UUID, _ int) ([]fleet.Terminal, error) {
	if after != uuid.Nil {
		return nil, nil
	}
	var out []fleet.Terminal
	for _, id := range s.order {
		out = append(out, *s.lanes[id])
	}
	return out, nil
}

// lane is a terminal of the shop that closes its days as terminals do.
type lane struct {
	*books.Till
	shop   *shop
	date   entry.Date
	closed int // entries through the last close
	day    daybook.Figures
	sent   int
}

func (s *shop) lane(t books.Failer, name string) *lane {
	till := s.Till(t, name)
	till.Store = s.store.ID
	s.lanes[till.ID] = &fleet.Terminal{ID: till.ID, Store: s.store.ID, Name: name, State: fleet.StateEnrolled, Epoch: 1}
	s.order = append(s.order, till.ID)
	l := &lane{Till: till, shop: s, date: 20260301}
	l.day.Count(entry.KindEnrolled)
	return l
}

func (l *lane) write(t books.Failer, kind entry.Kind, body any) {
	l.WriteOn(t, l.date, kind, body)
	l.day.Count(kind)
}

func (l *lane) sell(t books.Failer, total, redeem int64) entry.Sale {
	sale := l.Sale(t, l.shop.ann, total, redeem)
	l.write(t, entry.KindSale, sale)
	l.day.Sale(sale)
	return sale
}

func (l *lane) void(t books.Failer, sale entry.Sale) {
	void := entry.Void{ID: uuid.NewSHA1(sale.ID, []byte("void")), Sale: sale.ID, Member: l.shop.ann, Account: l.shop.ann, Reason: 1}
	l.write(t, entry.KindVoid, void)
	l.day.Void(void, sale)
}

// close closes the open date and begins the next.
func (l *lane) close(t books.Failer, change ...func(*entry.DayClose)) {
	body := entry.DayClose{Date: l.date, First: uint64(l.closed) + 1, Last: uint64(len(l.Entries)), Reason: entry.DayCloseOver}
	if body.Last >= body.First {
		body.Head = l.Hashes[len(l.Hashes)-1][:]
	}
	l.day.Fill(&body)
	for _, c := range change {
		c(&body)
	}
	l.WriteOn(t, l.date, entry.KindDayClose, body)
	l.day, l.closed, l.date = daybook.Figures{}, len(l.Entries), l.date.Next()
}

func (l *lane) sync(t books.Failer) {
	if l.sent < len(l.Entries) {
		l.Sync(t, l.sent+1)
		l.sent = len(l.Entries)
	}
	l.shop.Apply(t)
}

func (s *shop) round(t books.Failer) {
	s.Clock.Advance(2 * time.Minute)
	if err := s.days.Round(context.Background()); err != nil {
		t.Fatalf("round: %v", err)
	}
}

// chain reads all certificates with nothing but the public key.
func (s *shop) chain(t books.Failer) []storeday.Link {
	kept, err := s.DB.CertifiedDays(context.Background(), s.store.ID, 0, 1000)
	if err != nil {
		t.Fatalf("list certificates: %v", err)
	}
	var out []storeday.Link
	for _, k := range kept {
		c, err := storeday.Verify(k.Text, s.key)
		if err != nil {
			t.Fatalf("certificate of %s: %v", k.Date, err)
		}
		out = append(out, storeday.Link{Certificate: c, Text: k.Text})
	}
	if err := storeday.CheckChain(out); err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

func (s *shop) key(kid string) (ed25519.PublicKey, bool) {
	return s.Signer.Public.Key, kid == "statement-1"
}

func onBoth(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newShop(t, books.New(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, newShop(t, books.On(t, pg.Start(t).Database(t), 1))) })
}

// A day waits for every lane, and says what all of them sold.
func TestADayIsCertifiedWhenTheLastLaneHasClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shop) {
		one, two := s.lane(t, "one"), s.lane(t, "two")
		undone := one.sell(t, 1000, 0)
		one.sell(t, 2500, 20)
		one.void(t, undone)
		two.sell(t, 400, 0)
		one.close(t)
		one.sync(t)
		two.sync(t)
		s.round(t)
		if got := s.chain(t); len(got) != 0 {
			t.Fatalf("certified without lane two: %+v", got)
		}
		standing, err := s.days.Standing(t.Context(), s.store.ID)
		if err != nil || len(standing) != 1 || standing[0].State != storeday.StateWaiting || len(standing[0].Waiting) != 1 || standing[0].Waiting[0].Lane.Name != "two" || standing[0].Waiting[0].Why != storeday.WaitClose {
			t.Fatalf("standing %+v, %v", standing, err)
		}
		two.close(t)
		two.sync(t)
		s.round(t)
		got := s.chain(t)
		if len(got) != 1 || got[0].Number != 1 || got[0].Date != "2026-03-01" || len(got[0].Journals) != 2 || got[0].Differences != 0 {
			t.Fatalf("%+v", got)
		}
		want := []storeday.Money{{Kind: "sale", Currency: "EUR", Count: 3, Total: 3900, Discount: 0}, {Kind: "void", Currency: "EUR", Count: 1, Total: 1000}}
		for i := range want {
			m := got[0].Day.Money[i]
			m.Discount = 0
			if m != want[i] {
				t.Errorf("money %+v, want %+v", m, want[i])
			}
		}
		s.Verify(t)
	})
}

// What a terminal says is never what the certificate says.
func TestG5_WrongSumsOfACloseAreSettledByPeopleAndNeverCertified(t *testing.T) {
	s := newShop(t, books.New(t))
	one := s.lane(t, "one")
	one.sell(t, 1000, 0)
	one.close(t, func(c *entry.DayClose) { c.Money[0].Total = 999999; c.Claims = 3 })
	one.sell(t, 700, 0)
	one.close(t)
	one.sync(t)
	for range 2 {
		s.round(t)
	}
	if got := s.chain(t); len(got) != 0 {
		t.Fatalf("certified: %+v", got)
	}
	found := s.Exceptions(t, ledger.DayCloseDiffers)
	if len(found) != 2 {
		t.Fatalf("exceptions %+v", found)
	}
	standing, err := s.days.Standing(t.Context(), s.store.ID)
	if err != nil || len(standing) == 0 || standing[0].State != storeday.StateExceptions || len(standing[0].Blocking) != 2 {
		t.Fatalf("standing %+v, %v", standing, err)
	}
	for _, x := range found {
		settled := casework.Case{Shard: x.Shard, Exception: x.ID, Resolution: "explained", Version: 1, ChangedAt: time.UnixMilli(1)}
		if err := s.DB.PutCase(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
	s.round(t)
	got := s.chain(t)
	if len(got) != 2 || got[0].Day.Money[0].Total != 1000 || got[0].Differences != 2 || got[1].Differences != 0 {
		t.Fatalf("%+v", got)
	}
}

// A sale without a card is in no account; what its void undoes is found in the journal, on
// the day and on a later one.
func TestVoidsOfSalesWithoutAMemberMatch(t *testing.T) {
	s := newShop(t, books.New(t))
	one := s.lane(t, "one")
	card := s.ann
	s.ann = uuid.Nil
	today, old := one.sell(t, 1000, 0), one.sell(t, 700, 0)
	one.void(t, today)
	one.close(t)
	one.void(t, old)
	s.ann = card
	one.sell(t, 100, 0)
	one.close(t)
	one.sync(t)
	s.round(t)
	got := s.chain(t)
	if len(got) != 2 || got[0].Day.Money[1].Total != 1000 || got[1].Day.Money[1].Total != 700 || got[0].Differences+got[1].Differences != 0 {
		t.Fatalf("%+v", got)
	}
}

// A lane that was off all day has nothing for it, once it has closed a later one.
func TestALaneThatWasOffHoldsNothingUpForEver(t *testing.T) {
	s := newShop(t, books.New(t))
	one, two := s.lane(t, "one"), s.lane(t, "two")
	for range 3 {
		one.sell(t, 500, 0)
		one.close(t)
	}
	one.sync(t)
	two.date = 20260303
	two.sell(t, 900, 0)
	two.close(t)
	two.sync(t)
	s.round(t)
	got := s.chain(t)
	if len(got) != 3 || got[2].Day.Money[0].Total != 1400 || got[1].Day.Money[0].Total != 500 {
		t.Fatalf("%+v", got)
	}
}

// The day of a lane that two people declared lost is certified with the gap; what is found
// later is late, and named with its date.
func TestALostLaneIsAGapAndWhatIsFoundIsLate(t *testing.T) {
	s := newShop(t, books.New(t))
	one, two := s.lane(t, "one"), s.lane(t, "two")
	one.sell(t, 500, 0)
	two.sell(t, 800, 0)
	two.sync(t)
	hidden := two.sell(t, 300, 0)
	one.close(t)
	one.sync(t)
	lost := s.lanes[two.ID]
	lost.Lost = fleet.Declaration{ID: uuid.New(), Step: entry.LostConfirmed, Epoch: 1, Gap: fleet.Gap{Said: 9, Bound: []entry.LostBound{{Unit: "points", Rights: 40}}}}
	s.round(t)
	got := s.chain(t)
	if len(got) != 1 || got[0].Day.Money[0].Total != 1300 || got[0].Journals[0].Gap == nil && got[0].Journals[1].Gap == nil {
		t.Fatalf("%+v", got)
	}
	lost.Lost.Step = entry.LostFound
	two.close(t)
	two.close(t)
	two.sync(t)
	one.sell(t, 100, 0)
	one.close(t)
	one.sync(t)
	s.round(t)
	got = s.chain(t)
	if len(got) != 2 || got[1].Day.Money[0].Total != 100 || len(got[1].Late) != 1 || got[1].Late[0].Date != "2026-03-01" || got[1].Late[0].Money[0].Total != hidden.Total.Minor {
		t.Fatalf("%+v", got[len(got)-1])
	}
}

// However entries come in, each is in exactly one certificate, and the certificates
// together say what the tills sold.
func TestG7_EveryEntryIsInOneCertificate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop(t, books.New(t))
		lanes := []*lane{s.lane(rt, "one"), s.lane(rt, "two"), s.lane(rt, "three")}
		var sold, count int64
		days := rapid.IntRange(1, 4).Draw(rt, "days")
		for range days {
			for _, l := range lanes {
				for range rapid.IntRange(0, 3).Draw(rt, "sales") {
					sale := l.sell(rt, rapid.Int64Range(1, 50).Draw(rt, "total")*100, 0)
					sold, count = sold+sale.Total.Minor, count+1
				}
				l.close(rt)
				if rapid.Bool().Draw(rt, "now") {
					l.sync(rt)
				}
			}
			if rapid.Bool().Draw(rt, "round") {
				s.round(rt)
			}
		}
		for _, l := range rapid.Permutation(lanes).Draw(rt, "order") {
			l.sync(rt)
			s.round(rt)
		}
		got := s.chain(rt)
		if len(got) != days {
			rt.Fatalf("%d certificates of %d days", len(got), days)
		}
		var total, n, entries int64
		for _, c := range got {
			for _, f := range append(c.Late, c.Day) {
				entries += int64(f.Entries)
				for _, m := range f.Money {
					total, n = total+m.Total, n+int64(m.Count)
				}
			}
		}
		if total != sold || n != count || entries != count+int64(len(lanes)) {
			rt.Fatalf("certified %d in %d sales, sold %d in %d; %d entries", total, n, sold, count, entries)
		}
	})
}

// Any change of a certificate is found, and so is one left out.
func TestG6_AChangedCertificateIsRefused(t *testing.T) {
	s := newShop(t, books.New(t))
	one := s.lane(t, "one")
	for range 3 {
		one.sell(t, 500, 0)
		one.close(t)
	}
	one.sync(t)
	s.round(t)
	links := s.chain(t)
	text := links[1].Text
	for i := range text {
		changed := text[:i] + string(text[i]^1) + text[i+1:]
		if _, err := storeday.Verify(changed, s.key); err == nil {
			t.Fatalf("character %d can be changed", i)
		}
	}
	for name, broken := range map[string][]storeday.Link{
		"left out": {links[0], links[2]}, "turned": {links[1], links[0]}, "twice": {links[0], links[0]},
	} {
		if err := storeday.CheckChain(broken); !errors.Is(err, storeday.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := storeday.Verify(text, func(string) (ed25519.PublicKey, bool) { return nil, false }); !errors.Is(err, storeday.ErrCertificate) {
		t.Errorf("no key: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", strings.Repeat("x", 100)} {
		f.Add(seed)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := storeday.Verify(text, func(string) (ed25519.PublicKey, bool) { return key, true }); err == nil {
			t.Fatalf("%s was believed: %+v", fmt.Sprintf("%q", text), c)
		}
	})
}
