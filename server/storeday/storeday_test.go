package storeday_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

func onBoth(t *testing.T, test func(t *testing.T, s *shop.Shop)) {
	t.Run("sqlite", func(t *testing.T) { test(t, shop.New(t, books.New(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, shop.New(t, books.On(t, pg.Start(t).Database(t), 1))) })
}

// A day waits for every lane, and says what all of them sold.
func TestADayIsCertifiedWhenTheLastLaneHasClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shop.Shop) {
		one, two := s.Lane(t, "one"), s.Lane(t, "two")
		undone := one.Sell(t, 1000, 0)
		one.Sell(t, 2500, 20)
		one.Void(t, undone)
		two.Sell(t, 400, 0)
		one.CloseDay(t)
		one.Deliver(t)
		two.Deliver(t)
		s.Round(t)
		if got := s.Chain(t); len(got) != 0 {
			t.Fatalf("certified without lane two: %+v", got)
		}
		standing, err := s.Days.Standing(t.Context(), s.Of.ID)
		if err != nil || len(standing) != 1 || standing[0].State != storeday.StateWaiting || len(standing[0].Waiting) != 1 || standing[0].Waiting[0].Lane.Name != "two" || standing[0].Waiting[0].Why != storeday.WaitClose {
			t.Fatalf("standing %+v, %v", standing, err)
		}
		two.CloseDay(t)
		two.Deliver(t)
		s.Round(t)
		got := s.Chain(t)
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
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 1000, 0)
	one.CloseDay(t, func(c *entry.DayClose) { c.Money[0].Total = 999999; c.Claims = 3 })
	one.Sell(t, 700, 0)
	one.CloseDay(t)
	one.Deliver(t)
	for range 2 {
		s.Round(t)
	}
	if got := s.Chain(t); len(got) != 0 {
		t.Fatalf("certified: %+v", got)
	}
	found := s.Exceptions(t, ledger.DayCloseDiffers)
	if len(found) != 2 {
		t.Fatalf("exceptions %+v", found)
	}
	causes := found[0].Cause + "; " + found[1].Cause
	for _, words := range []string{"money sale 1 times of 9999.99 EUR", "the entries say sale 1 times of 10.00 EUR", "claims 3; the entries say 0"} {
		if !strings.Contains(causes, words) {
			t.Errorf("%q does not say %q", causes, words)
		}
	}
	standing, err := s.Days.Standing(t.Context(), s.Of.ID)
	if err != nil || len(standing) == 0 || standing[0].State != storeday.StateExceptions || len(standing[0].Blocking) != 2 {
		t.Fatalf("standing %+v, %v", standing, err)
	}
	for _, x := range found {
		settled := casework.Case{Shard: x.Shard, Exception: x.ID, Resolution: "explained", Version: 1, ChangedAt: time.UnixMilli(1)}
		if err := s.DB.PutCase(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 2 || got[0].Day.Money[0].Total != 1000 || got[0].Differences != 2 || got[1].Differences != 0 {
		t.Fatalf("%+v", got)
	}
}

// A sale without a card is in no account; what its void undoes is found in the journal, on
// the day and on a later one.
func TestVoidsOfSalesWithoutAMemberMatch(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	card := s.Ann
	s.Ann = uuid.Nil
	today, old := one.Sell(t, 1000, 0), one.Sell(t, 700, 0)
	one.Void(t, today)
	one.CloseDay(t)
	one.Void(t, old)
	s.Ann = card
	one.Sell(t, 100, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 2 || got[0].Day.Money[1].Total != 1000 || got[1].Day.Money[1].Total != 700 || got[0].Differences+got[1].Differences != 0 {
		t.Fatalf("%+v", got)
	}
}

// A lane that was off all day has nothing for it, once it has closed a later one.
func TestALaneThatWasOffHoldsNothingUpForEver(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	for range 3 {
		one.Sell(t, 500, 0)
		one.CloseDay(t)
	}
	one.Deliver(t)
	two.Date = 20260303
	two.Sell(t, 900, 0)
	two.CloseDay(t)
	two.Deliver(t)
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 3 || got[2].Day.Money[0].Total != 1400 || got[1].Day.Money[0].Total != 500 {
		t.Fatalf("%+v", got)
	}
}

// The day of a lane that two people declared lost is certified with the gap; what is found
// later is late, and named with its date.
func TestALostLaneIsAGapAndWhatIsFoundIsLate(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	one.Sell(t, 500, 0)
	two.Sell(t, 800, 0)
	two.Deliver(t)
	hidden := two.Sell(t, 300, 0)
	one.CloseDay(t)
	one.Deliver(t)
	lost := s.Lanes[two.ID]
	lost.Lost = fleet.Declaration{ID: uuid.New(), Step: entry.LostConfirmed, Epoch: 1, Gap: fleet.Gap{Said: 9, Bound: []entry.LostBound{{Unit: "points", Rights: 40}}}}
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 1 || got[0].Day.Money[0].Total != 1300 || got[0].Journals[0].Gap == nil && got[0].Journals[1].Gap == nil {
		t.Fatalf("%+v", got)
	}
	lost.Lost.Step = entry.LostFound
	two.CloseDay(t)
	two.CloseDay(t)
	two.Deliver(t)
	one.Sell(t, 100, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	got = s.Chain(t)
	if len(got) != 2 || got[1].Day.Money[0].Total != 100 || len(got[1].Late) != 1 || got[1].Late[0].Date != "2026-03-01" || got[1].Late[0].Money[0].Total != hidden.Total.Minor {
		t.Fatalf("%+v", got[len(got)-1])
	}
}

// A store of which every lane is lost has no day before it has come: nothing is certified
// ahead, however often it is looked at.
func TestAStoreWithoutLanesInServiceIsNotCertifiedAhead(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Lanes[one.ID].Lost = fleet.Declaration{ID: uuid.New(), Step: entry.LostConfirmed, Epoch: 1}
	for _, want := range []int{1, 1, 2, 2} {
		s.Round(t)
		s.Round(t)
		if got := s.Chain(t); len(got) != want {
			t.Fatalf("%d certificates through %s on %s, want %d", len(got), got[len(got)-1].Date, s.Clock.Now(), want)
		}
		if want == 1 {
			s.Clock.Advance(26 * time.Hour)
		}
	}
}

// What a terminal notes for itself belongs to the day, whatever date its clock wrote.
func TestNotesOpenNoDay(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 500, 0)
	one.Note(t, 20250101)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	if got := s.Chain(t); len(got) != 1 || len(got[0].Late) != 0 || got[0].Day.Entries != 3 {
		t.Fatalf("%+v", got)
	}
}

// However entries come in, each is in exactly one certificate, and the certificates
// together say what the tills sold.
func TestG7_EveryEntryIsInOneCertificate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := shop.New(t, books.New(t))
		lanes := []*shop.Lane{s.Lane(rt, "one"), s.Lane(rt, "two"), s.Lane(rt, "three")}
		var sold, count int64
		days := rapid.IntRange(1, 4).Draw(rt, "days")
		for range days {
			for _, l := range lanes {
				for range rapid.IntRange(0, 3).Draw(rt, "sales") {
					sale := l.Sell(rt, rapid.Int64Range(1, 50).Draw(rt, "total")*100, 0)
					sold, count = sold+sale.Total.Minor, count+1
				}
				l.CloseDay(rt)
				if rapid.Bool().Draw(rt, "now") {
					l.Deliver(rt)
				}
			}
			if rapid.Bool().Draw(rt, "round") {
				s.Round(rt)
			}
		}
		for _, l := range rapid.Permutation(lanes).Draw(rt, "order") {
			l.Deliver(rt)
			if rapid.Bool().Draw(rt, "shut out") { // when it has nothing more, it has no part of later days
				s.Lanes[l.ID].State = fleet.StateRevoked
			}
			if rapid.Bool().Draw(rt, "look") {
				s.Round(rt)
			}
		}
		s.Round(rt)
		got := s.Chain(rt)
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
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	for range 3 {
		one.Sell(t, 500, 0)
		one.CloseDay(t)
	}
	one.Deliver(t)
	s.Round(t)
	links := s.Chain(t)
	text := links[1].Text
	for i := range text {
		changed := text[:i] + string(text[i]^1) + text[i+1:]
		if _, err := storeday.Verify(changed, s.Keys()); err == nil {
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
	other := links[1].Certificate
	other.Day.Entries++ // certified another time, and signed as well
	for name, change := range map[string]func(*storeday.Certificate){
		"another past": func(c *storeday.Certificate) { c.Previous = links[1].Previous }, "an earlier cut": func(c *storeday.Certificate) { c.CutAt = 1 },
		"a gap": func(c *storeday.Certificate) { c.Journals[0].First++ },
	} {
		next := links[2].Certificate
		next.Journals = slices.Clone(next.Journals)
		change(&next)
		if err := storeday.CheckChain([]storeday.Link{links[0], links[1], {Certificate: next, Text: links[2].Text}}); !errors.Is(err, storeday.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged, err := other.Sign(s.Signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := storeday.CheckChain([]storeday.Link{links[0], {Certificate: other, Text: forged}, links[2]}); !errors.Is(err, storeday.ErrCertificate) {
		t.Errorf("a day certified twice: %v", err)
	}
	if _, err := storeday.Verify(text, nil); !errors.Is(err, storeday.ErrCertificate) {
		t.Errorf("no key: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", strings.Repeat("x", 100)} {
		f.Add(seed)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := storeday.Verify(text, map[string]ed25519.PublicKey{"": key, "statement-1": key}); err == nil {
			t.Fatalf("%s was believed: %+v", fmt.Sprintf("%q", text), c)
		}
	})
}

// A day of a journal that forked says so, and covers the branch that HQ heard of first.
func TestACertificateNamesAForkAndTheBranchItCovers(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 1000, 0)
	one.Deliver(t)
	clone := one.Clone()
	clone.WriteOn(t, one.Date, entry.KindSale, clone.Sale(t, s.Ann, 77700, 0))
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Deliver(t)
	clone.Sync(t, 3)
	s.Apply(t)
	s.Round(t)
	if got := s.Chain(t); len(got) != 0 {
		t.Fatalf("certified with a fork that nobody looked at: %+v", got)
	}
	for _, x := range s.Exceptions(t, ledger.Fork) {
		settled := casework.Case{Shard: x.Shard, Exception: x.ID, Resolution: "charged", Version: 1, ChangedAt: time.UnixMilli(1)}
		if err := s.DB.PutCase(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 1 || got[0].Day.Money[0].Total != 1500 {
		t.Fatalf("%+v", got)
	}
	want := []storeday.Fork{{Branch: 1, First: 3, Last: 3, Head: clone.Hashes[2].String()}}
	if !slices.Equal(got[0].Journals[0].Forks, want) {
		t.Errorf("forks %+v, want %+v", got[0].Journals[0].Forks, want)
	}
}

// A void undoes a sale of its own terminal, whatever others say under the sale's id.
func TestG5_NobodyElsesSaleIsWhatAVoidUndoes(t *testing.T) {
	for name, forge := range map[string]func(s *shop.Shop, other *shop.Lane, sale entry.Sale){
		"a sale of the same id": func(_ *shop.Shop, other *shop.Lane, sale entry.Sale) {
			sale.Total.Minor = 99_900
			other.Write(t, entry.KindSale, sale)
		},
		"nothing": func(*shop.Shop, *shop.Lane, entry.Sale) {},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(name, first), func(t *testing.T) {
				s := shop.New(t, books.New(t))
				one := s.Lane(t, "one")
				elsewhere := &shop.Lane{Till: s.Till(t, "elsewhere")}
				sale := one.Sell(t, 1000, 0)
				forge(s, elsewhere, sale)
				one.CloseDay(t)
				one.Void(t, sale)
				one.CloseDay(t)
				deliver := []func(){func() { one.Deliver(t) }, func() {
					if len(elsewhere.Entries) > 0 {
						elsewhere.Sync(t, 1)
						s.Apply(t)
					}
				}}
				if first {
					slices.Reverse(deliver)
				}
				for _, d := range deliver {
					d()
				}
				s.Round(t)
				got := s.Chain(t)
				if len(got) != 2 || got[1].Differences != 0 || len(got[1].Day.Money) != 1 || got[1].Day.Money[0].Total != 1000 {
					t.Fatalf("%+v, %+v", got, s.Exceptions(t, ledger.DayCloseDiffers))
				}
			})
		}
	}
}

// Of two sales of one id the first counts, in the ledger and in what a void undoes.
func TestG5_ASaleRepeatedBehindItsVoidIsNotWhatIsUndone(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	sale := one.Sell(t, 1000, 0)
	one.CloseDay(t)
	one.Void(t, sale)
	bigger := sale
	bigger.Total.Minor = 5000
	one.WriteOn(t, one.Date, entry.KindSale, bigger)
	one.CloseDay(t, func(c *entry.DayClose) {
		var f daybook.Figures
		f.Count(entry.KindVoid)
		f.Void(entry.Void{}, sale)
		f.Count(entry.KindSale)
		f.Sale(bigger)
		f.Fill(c)
	})
	one.Deliver(t)
	s.Round(t)
	if got := s.Chain(t); len(got) != 2 || got[1].Day.Money[1].Kind != "void" || got[1].Day.Money[1].Total != 1000 {
		t.Fatalf("%+v, %+v", got, s.Exceptions(t, ledger.DayCloseDiffers))
	}
}

// A void of what another terminal sold undoes nothing.
func TestG5_AVoidOfAnotherTerminalsSaleIsNotCertified(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	sale := one.Sell(t, 1000, 0)
	two.Void(t, sale)
	one.CloseDay(t)
	two.CloseDay(t)
	one.Deliver(t)
	two.Deliver(t)
	s.Round(t)
	if got := s.Chain(t); len(got) != 0 {
		t.Errorf("certified: %+v", got[0].Day.Money)
	}
	if found := s.Exceptions(t, ledger.DayCloseDiffers); len(found) == 0 {
		t.Error("what the close says of the void is believed")
	}
}
