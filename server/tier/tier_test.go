package tier_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/sync/entry"
)

// rig is an HQ with real books, its programme, and its tiers.
type rig struct {
	*books.HQ
	*tier.Service
	t         *testing.T
	programme *programme.Programme
	accounts  *account.Accounts
	till      *books.Till
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	r := &rig{t: t, HQ: books.On(t, dsn, 0)}
	signer, err := keys.NewSigner(keys.Public{ID: 1, Use: keys.UsePass, NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0)}, bytes.Repeat([]byte{9}, 32))
	r.must(err)
	r.programme = programme.New(programme.Env{
		Keeper: r.DB, Journal: r.Journal, Ledger: r.Ledger, Clock: r.Clock, Random: rand.Reader, NewID: newID, HQ: r.ID, PassKey: signer,
	})
	r.accounts = account.New(account.Env{Store: r.DB, Ledger: r.Ledger, Journal: r.Journal, Units: r.programme, Clock: r.Clock, NewID: newID})
	r.Service = tier.New(r.DB, r.programme, r.Clock)
	r.till = r.Till(t, "1")
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) member(name string) programme.Member {
	r.t.Helper()
	all, err := r.programme.AddMembers(context.Background(), uuid.Nil, "", []programme.NewMember{{Alias: name}})
	r.must(err)
	return all[0]
}

// settle delivers what a till wrote and carries out what was decided.
func (r *rig) settle(till *books.Till) {
	r.t.Helper()
	till.Sync(r.t, 1)
	r.Apply(r.t)
	for {
		n, err := r.accounts.Settle(context.Background())
		r.must(err)
		if n == 0 {
			return
		}
	}
}

// tiers puts silver at 100 and gold at 300 points in 30 days in force.
func (r *rig) tiers() loyalty.Tiers {
	r.t.Helper()
	tiers, err := r.programme.PutTiers(context.Background(), uuid.Nil, loyalty.Tiers{Unit: "points", Days: 30, Zone: "Europe/Istanbul", Levels: []loyalty.TierLevel{
		{Key: "silver", Names: map[string]string{"en": "Silver"}, Threshold: 100}, {Key: "gold", Names: map[string]string{"en": "Gold", "pl": "Złoty"}, Threshold: 300, Colour: "#d4af37"},
	}})
	r.must(err)
	return tiers
}

func (r *rig) standing(m programme.Member) loyalty.Standing {
	r.t.Helper()
	m, err := r.programme.Member(context.Background(), m.ID) // its account of now
	r.must(err)
	_, s, err := r.Of(context.Background(), m.Account)
	r.must(err)
	return s
}

func (r *rig) level(m programme.Member) int { r.t.Helper(); return r.standing(m).Level }

func engines(t *testing.T, test func(r *rig)) {
	t.Run("sqlite", func(t *testing.T) { test(newRig(t, blank.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(newRig(t, blank.PostgreSQL(t))) })
}

// What sales earned makes the tier, whenever it arrives, less what was taken back; what
// people give does not.
func TestG8_ATierFollowsWhatTheLedgerHolds(t *testing.T) {
	engines(t, func(r *rig) {
		ada := r.member("Ada")
		if r.level(ada) != -1 {
			r.t.Error("there is a tier without tiers")
		}
		r.tiers()
		late := r.Till(r.t, "2")
		late.Sell(r.t, ada.Account, 25000, 0) // on 1 March, delivered weeks after
		r.must(r.Adjust(ada.Account, 5000))
		r.till.Sell(r.t, ada.Account, 9900, 0)
		r.settle(r.till)
		if s := r.standing(ada); s.Level != -1 || s.Counted != 99 || s.Missing != 1 {
			r.t.Errorf("99 earned and 5000 given: %+v", s)
		}
		sale := r.till.Sell(r.t, ada.Account, 5000, 0)
		r.settle(r.till)
		if s := r.standing(ada); s.Level != 0 || s.Counted != 149 || s.Missing != 151 {
			r.t.Errorf("149 earned: %+v", s)
		}
		r.settle(late)
		if s := r.standing(ada); s.Level != 1 || s.Counted != 399 || s.Next != -1 {
			r.t.Errorf("with what came late: %+v", s)
		}
		r.Clock.Advance(40 * 24 * time.Hour)
		if s := r.standing(ada); s.Level != 1 || s.Counted != 0 || s.KeptUntil.Date().Format(time.DateOnly) != "2026-04-29" {
			r.t.Errorf("forty days later: %+v until %s", s, s.KeptUntil.Date())
		}
		r.till.Skip(40 * 24 * time.Hour)
		r.till.Void(r.t, sale, ada.Account)
		r.settle(r.till)
		late.Void(r.t, late.Sell(r.t, ada.Account, 100, 0), ada.Account)
		r.settle(late)
		if s := r.standing(ada); s.Level != 1 || s.Counted != 0 {
			r.t.Errorf("349 are left: %+v", s)
		}
		r.Verify(r.t)
	})
}

// A sale that was taken back was never earned, on the day on which it was.
func TestWhatIsTakenBackMakesNoTier(t *testing.T) {
	r := newRig(t, blank.SQLite(t))
	r.tiers()
	ada := r.member("Ada")
	sale := r.till.Sell(t, ada.Account, 30000, 0)
	r.settle(r.till)
	if r.level(ada) != 1 {
		t.Fatalf("300 earned: level %d", r.level(ada))
	}
	r.Clock.Advance(45 * 24 * time.Hour)
	r.till.Skip(45 * 24 * time.Hour)
	r.till.Return(t, entry.Return{Sale: sale, Account: ada.Account, Refund: entry.Money{Minor: 25000}})
	r.settle(r.till)
	if s := r.standing(ada); s.Level != -1 {
		t.Errorf("after the return: %+v", s)
	}
}

// Two cards that become one have the tier of both, and each its own again afterwards; a
// household has one.
func TestCardsThatBecameOneCountTogether(t *testing.T) {
	engines(t, func(r *rig) {
		ctx := context.Background()
		tiers := r.tiers()
		ada, second, bob, cem := r.member("Ada"), r.member("Ada's second"), r.member("Bob"), r.member("Cem")
		for _, m := range []programme.Member{ada, second} {
			r.till.Sell(r.t, m.Account, 15000, 0)
		}
		r.till.Sell(r.t, bob.Account, 10000, 0)
		r.settle(r.till)
		preview := func(none, silver, gold int64) {
			r.t.Helper()
			got, err := r.Preview(ctx, tiers)
			r.must(err)
			if got.None != none || !slices.Equal(got.Levels, []int64{silver, gold}) {
				r.t.Errorf("preview is %+v, want %d, %d, %d", got, none, silver, gold)
			}
		}
		preview(1, 3, 0)
		link, err := r.accounts.Merge(ctx, uuid.Nil, second.ID, ada.ID, 1)
		r.must(err)
		r.settle(r.till)
		if r.level(ada) != 1 || r.level(second) != 1 {
			r.t.Errorf("merged: levels %d and %d", r.level(ada), r.level(second))
		}
		preview(1, 1, 2)
		_, err = r.accounts.End(ctx, uuid.Nil, link.ID, 1)
		r.must(err)
		r.settle(r.till)
		if r.level(ada) != 0 || r.level(second) != 0 {
			r.t.Errorf("apart again: levels %d and %d", r.level(ada), r.level(second))
		}
		_, _, err = r.accounts.OpenHousehold(ctx, uuid.Nil, []uuid.UUID{bob.ID, cem.ID}, 1)
		r.must(err)
		r.settle(r.till)
		if r.level(bob) != 0 || r.level(cem) != 0 {
			r.t.Errorf("a household: levels %d and %d", r.level(bob), r.level(cem))
		}
		preview(0, 4, 0)
		_, err = r.programme.Block(ctx, uuid.Nil, cem.ID)
		r.must(err)
		preview(0, 3, 0)
	})
}

// Levels are versions in HQ's journal, and what could not be shown or reached is refused.
func TestTiersAreVersionsAndChecked(t *testing.T) {
	r := newRig(t, blank.SQLite(t))
	ctx := context.Background()
	if none, err := r.programme.CurrentTiers(ctx); err != nil || none.Version != 0 || len(none.Levels) != 0 {
		t.Errorf("before the first there are %+v (%v)", none, err)
	}
	first := r.tiers()
	second := r.tiers()
	if first.Version != 1 || second.Version != 2 {
		t.Errorf("versions %d and %d", first.Version, second.Version)
	}
	for name, change := range map[string]func(*loyalty.Tiers){
		"a unit that cannot be": func(s *loyalty.Tiers) { s.Unit = "Points!" },
		"days below zero":       func(s *loyalty.Tiers) { s.Days = -1 },
		"too many days":         func(s *loyalty.Tiers) { s.Days = loyalty.MostTierDays + 1 },
		"no zone":               func(s *loyalty.Tiers) { s.Zone = "" },
		"the machine's zone":    func(s *loyalty.Tiers) { s.Zone = "Local" },
		"an unknown zone":       func(s *loyalty.Tiers) { s.Zone = "Europe/Atlantis" },
		"one level twice":       func(s *loyalty.Tiers) { s.Levels[1].Key = "silver" },
		"levels that do not rise": func(s *loyalty.Tiers) {
			s.Levels[1].Threshold = 100
		},
		"no English name":     func(s *loyalty.Tiers) { s.Levels[0].Names = map[string]string{"tr": "Gümüş"} },
		"an unknown language": func(s *loyalty.Tiers) { s.Levels[0].Names = map[string]string{"en": "Silver", "de": "Silber"} },
		"a name in two lines": func(s *loyalty.Tiers) { s.Levels[0].Names = map[string]string{"en": "Sil\nver"} },
		"no colour":           func(s *loyalty.Tiers) { s.Levels[0].Colour = "red" },
		"eleven levels":       func(s *loyalty.Tiers) { s.Levels = make([]loyalty.TierLevel, loyalty.MostTiers+1) },
	} {
		wrong := second
		wrong.Levels = slices.Clone(second.Levels)
		change(&wrong)
		if _, err := r.programme.PutTiers(ctx, uuid.Nil, wrong); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if now, err := r.programme.CurrentTiers(ctx); err != nil || now.Version != 2 || now.Levels[1].Names["pl"] != "Złoty" {
		t.Errorf("in force are %+v (%v)", now, err)
	}
	r.Rebuilds(t)
}
