package claim_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// rig is HQ's books with receipts that can be claimed for ten days.
type rig struct {
	*books.HQ
	claims *claim.Service
	days   int64
}

func (r *rig) PolicyOf(context.Context, uint64) (loyalty.Policy, error) {
	return loyalty.Policy{ClaimDays: r.days}, nil
}

func newRig(t testing.TB, hq *books.HQ) *rig {
	t.Helper()
	r := &rig{HQ: hq, days: 10}
	r.claims = claim.New(claim.Options{Store: hq.DB, Ledger: hq.Ledger, Policies: r, Clock: hq.Clock})
	hq.Ledger.SetBeside(r.claims)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lane is a till whose key HQ knows.
func (r *rig) lane(t testing.TB, name string) *books.Till {
	t.Helper()
	till := r.Till(t, name)
	terminal := till.Terminal()
	must(t, r.DB.AddTerminal(context.Background(), fleet.Terminal{
		ID: till.ID, Store: till.Store, Name: name, State: fleet.StateEnrolled, Epoch: 1, Version: 1, CreatedAt: r.Clock.Now(),
	}))
	must(t, r.DB.AddTerminalKey(context.Background(), till.ID, 1, ed25519.PublicKey(terminal.PublicKey)))
	return till
}

// own is the key of a till of this name.
func (r *rig) own(t testing.TB, name string) keys.Signer {
	t.Helper()
	seed := uuid.NewSHA1(r.ID, []byte("key "+name))
	s, err := keys.NewSigner(keys.Public{}, append(seed[:], seed[:]...))
	must(t, err)
	return s
}

// member opens a member and returns id and account.
func (r *rig) member(t testing.TB, name string) (id, account uuid.UUID) {
	account = r.Member(t, name, 0)
	return uuid.NewSHA1(r.ID, []byte("member "+name)), account
}

// receipt is a sale without a card, and its code.
func (r *rig) receipt(t testing.TB, till *books.Till, name string, lines ...entry.Line) (entry.Sale, passtoken.Token) {
	t.Helper()
	var total int64
	for _, l := range lines {
		total += l.Amount
	}
	sale := till.Sale(t, uuid.Nil, total, 0)
	sale.Lines, sale.Claim = lines, entry.ClaimOf(sale.ID)
	day, err := passtoken.DayOf(till.Now().AddDate(0, 0, int(r.days)))
	must(t, err)
	return sale, passtoken.IssueClaim(r.own(t, name), sale.Claim, day)
}

func shown(member, account uuid.UUID, token passtoken.Token, key string) entry.Claim {
	return entry.Claim{Claim: token.Pass().Subject, Member: member, Account: account, Token: token[:], Key: key, KeyHash: []byte{1}}
}

func lines() []entry.Line {
	return []entry.Line{{No: 1, SKU: "a", Quantity: 2000, Amount: 2000}, {No: 2, SKU: "b", Quantity: 1000, Amount: 3000}}
}

func on(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, newRig(t, books.New(t))) })
	t.Run("postgres", func(t *testing.T) { fn(t, newRig(t, books.On(t, pg.Start(t).Database(t), 1))) })
}

// Whoever shows the receipt first gets exactly what the basket earns, with the sale's
// times; the other gets an exception.
func TestAReceiptIsClaimedOnce(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		a, b := r.lane(t, "a"), r.lane(t, "b")
		ann, annAccount := r.member(t, "ann")
		bob, bobAccount := r.member(t, "bob")
		sale, token := r.receipt(t, a, "a", lines()...)
		a.Write(t, entry.KindSale, sale)
		sold := uint64(len(a.Entries))
		b.Skip(time.Hour)
		b.Write(t, entry.KindClaim, shown(ann, annAccount, token, "1"))
		b.Write(t, entry.KindClaim, shown(ann, annAccount, token, "2")) // the same shopper once more
		a.Skip(time.Hour)
		a.Write(t, entry.KindClaim, shown(bob, bobAccount, token, "3"))
		b.Sync(t, 1) // the sale comes last
		r.Apply(t)
		if h := r.Holding(t, annAccount, "points"); h.Free != 0 {
			t.Fatalf("%d points before the sale came", h.Free)
		}
		for range 2 {
			a.Sync(t, 1)
			r.Apply(t)
		}
		entries, err := r.DB.EntriesAt(context.Background(), a.ID, 1, sold)
		must(t, err)
		if h := r.Holding(t, annAccount, "points"); h.Free != 50 || len(h.Lots) != 1 || h.Lots[0].EarnedAt != entries[0].EffectiveAt {
			t.Errorf("Ann has %+v of a sale at %d", h, entries[0].EffectiveAt)
		}
		if h := r.Holding(t, bobAccount, "points"); h.Free != 0 {
			t.Errorf("Bob has %d points", h.Free)
		}
		if list := r.Exceptions(t, ledger.ClaimRepeated); len(list) != 1 || list[0].Member != bob {
			t.Errorf("exceptions %+v", list)
		}
		r.Rebuilds(t)
	})
}

// Sale, claim, a partial return and a void or another return come in any order.
func TestWhatComesBackIsTakenFromTheClaimerInAnyOrder(t *testing.T) {
	for _, void := range []bool{false, true} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("void %t, order %d", void, seed), func(t *testing.T) {
				r := newRig(t, books.New(t))
				tills := []*books.Till{r.lane(t, "a"), r.lane(t, "b"), r.lane(t, "c"), r.lane(t, "d")}
				member, account := r.member(t, "ann")
				sale, token := r.receipt(t, tills[0], "a", lines()...)
				tills[0].Write(t, entry.KindSale, sale)
				for _, till := range tills[1:] {
					till.Skip(time.Minute)
				}
				tills[1].Write(t, entry.KindClaim, shown(member, account, token, "k"))
				want := int64(0)
				if void {
					tills[0].Void(t, sale.ID, uuid.Nil)
				} else {
					tills[2].Return(t, entry.Return{Sale: sale.ID, Origin: tills[0].ID, Lines: []entry.ReturnLine{{No: 1, Quantity: 1000, Amount: 1000}}})
					tills[3].Return(t, entry.Return{Sale: sale.ID, Lines: []entry.ReturnLine{{No: 2, Quantity: 1000, Amount: 3000}}})
					want = 10
				}
				order := rand.New(rand.NewPCG(seed, 1)).Perm(len(tills))
				for _, i := range order {
					for range 2 { // twice is once
						tills[i].Sync(t, 1)
						r.Apply(t)
					}
				}
				if h := r.Holding(t, account, "points"); h.Free != want || h.Overdraft != 0 {
					t.Errorf("order %v: %+v, want %d free", order, h, want)
				}
				r.Rebuilds(t)
			})
		}
	}
}

func TestClaimsThatGiveNothing(t *testing.T) {
	r := newRig(t, books.New(t))
	ctx := context.Background()
	a, b := r.lane(t, "a"), r.lane(t, "b")
	ann, account := r.member(t, "ann")
	none := func(kind ledger.ExceptionKind, n int) {
		t.Helper()
		if h := r.Holding(t, account, "points"); h.Free != 0 {
			t.Errorf("%d points are free", h.Free)
		}
		if list := r.Exceptions(t, kind); len(list) != n {
			t.Errorf("%d exceptions %s, want %d", len(list), kind, n)
		}
	}
	deliver := func() {
		t.Helper()
		for _, till := range []*books.Till{a, b} {
			till.Sync(t, 1)
		}
		r.Apply(t)
	}
	sale, _ := r.receipt(t, a, "a", lines()...)
	_, forged := r.receipt(t, b, "b", lines()...)
	copy(forged[2:18], sale.Claim[:])
	a.Write(t, entry.KindSale, sale)
	b.Write(t, entry.KindClaim, shown(ann, account, forged, "forged"))
	deliver()
	none(ledger.ClaimInvalid, 1)

	_, lost := r.receipt(t, a, "a", lines()...)
	b.Write(t, entry.KindClaim, shown(ann, account, lost, "lost"))
	deliver()
	r.Clock.Advance(29 * 24 * time.Hour)
	must(t, r.claims.Round(ctx))
	none(ledger.ClaimUnmet, 0)
	r.Clock.Advance(2 * 24 * time.Hour)
	must(t, r.claims.Round(ctx))
	must(t, r.claims.Round(ctx))
	none(ledger.ClaimUnmet, 1)

	old, late := r.receipt(t, a, "a", lines()...)
	a.Write(t, entry.KindSale, old)
	deliver()
	b.Skip(12 * 24 * time.Hour)
	b.Write(t, entry.KindClaim, shown(ann, account, late, "late"))
	deliver()
	none(ledger.ClaimExpired, 1)

	b.State = ingest.StateRevoked
	fresh, good := r.receipt(t, a, "a", lines()...)
	a.Write(t, entry.KindSale, fresh)
	a.Sync(t, 1)
	b.Write(t, entry.KindClaim, shown(ann, account, good, "revoked"))
	_, err := b.Push(len(b.Entries), len(b.Entries))
	must(t, err)
	r.Apply(t)
	none(ledger.ClaimInvalid, 2)
	r.Rebuilds(t)
}

// Somebody does it at HQ, by the text of the code, before and after the sale comes.
func TestClaimedAtHQ(t *testing.T) {
	r := newRig(t, books.New(t))
	ctx := context.Background()
	a := r.lane(t, "a")
	ann, account := r.member(t, "ann")
	bob, _ := r.member(t, "bob")
	sale, token := r.receipt(t, a, "a", lines()...)
	row, err := r.claims.ByHand(ctx, bob, ann, token.Text())
	if err != nil || row.State != claim.Waiting {
		t.Fatalf("%+v, %v", row, err)
	}
	a.Write(t, entry.KindSale, sale)
	a.Sync(t, 1)
	r.Apply(t)
	for range 2 {
		row, err = r.claims.ByHand(ctx, bob, ann, token.Text())
		if err != nil || row.State != claim.Claimed || row.Member != ann {
			t.Fatalf("%+v, %v", row, err)
		}
	}
	if row, err = r.claims.ByHand(ctx, bob, bob, token.Text()); err != nil || row.Member != ann {
		t.Errorf("somebody else: %+v, %v", row, err)
	}
	if h := r.Holding(t, account, "points"); h.Free != 50 || len(r.Exceptions(t, ledger.ClaimRepeated)) != 1 {
		t.Errorf("%+v, %+v", h, r.Exceptions(t, ledger.ClaimRepeated))
	}
	r.Rebuilds(t)
}

// Many members show one receipt at HQ at once: one of them has it.
func TestOfManyClaimsAtOnceOneCounts(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		a := r.lane(t, "a")
		sale, token := r.receipt(t, a, "a", lines()...)
		a.Write(t, entry.KindSale, sale)
		a.Sync(t, 1)
		r.Apply(t)
		var members, accounts []uuid.UUID
		for i := range 6 {
			member, account := r.member(t, fmt.Sprint("m", i))
			members, accounts = append(members, member), append(accounts, account)
		}
		owners := make([]uuid.UUID, len(members))
		var all sync.WaitGroup
		for i, member := range members {
			all.Go(func() {
				row, err := r.claims.ByHand(ctx, uuid.Nil, member, token.Text())
				if err != nil {
					t.Error(err)
				}
				owners[i] = row.Member
			})
		}
		all.Wait()
		sum := int64(0)
		for i, account := range accounts {
			points := r.Holding(t, account, "points").Free
			if sum += points; points != 0 && members[i] != owners[0] || owners[i] != owners[0] {
				t.Errorf("%s has %d points; told it is %s's", members[i], points, owners[i])
			}
		}
		if n := len(r.Exceptions(t, ledger.ClaimRepeated)); sum != 50 || n != len(members)-1 {
			t.Errorf("%d points were given, %d exceptions", sum, n)
		}
		r.Rebuilds(t)
	})
}

// A void is applied beside a late sale of whoever claimed the sale that it undoes: it
// stays undone when their account is folded again.
func TestAVoidOfAClaimedSaleBesideALateSaleOfTheClaimer(t *testing.T) {
	r := newRig(t, books.New(t))
	a, b, c := r.lane(t, "1"), r.lane(t, "2"), r.lane(t, "3")
	ann, account := r.member(t, "ann")
	sale, token := r.receipt(t, a, "1", lines()...)
	a.Write(t, entry.KindSale, sale)
	b.Skip(time.Minute)
	b.Write(t, entry.KindClaim, shown(ann, account, token, "k"))
	b.Sync(t, 1)
	r.Apply(t)
	c.Skip(5 * time.Minute)
	c.Sell(t, account, 1000, 0)
	a.Skip(10 * time.Minute)
	a.Void(t, sale.ID, uuid.Nil)
	c.Sync(t, 1)
	a.Sync(t, 1)
	r.Apply(t)
	if h := r.Holding(t, account, "points"); h.Free != 10 {
		t.Errorf("%d points are free, want 10", h.Free)
	}
	r.Rebuilds(t)
}

// The void of a claimed sale stands in the second branch of a copied terminal: a replay
// of the journals finds it there.
func TestAVoidOfAClaimedSaleInAnotherBranchIsReplayed(t *testing.T) {
	r := newRig(t, books.New(t))
	a, b := r.lane(t, "1"), r.lane(t, "2")
	ann, account := r.member(t, "ann")
	sale, token := r.receipt(t, a, "1", lines()...)
	a.Write(t, entry.KindSale, sale)
	copied := a.Clone()
	a.Sell(t, uuid.Nil, 500, 0)
	copied.Void(t, sale.ID, uuid.Nil)
	b.Skip(time.Minute)
	b.Write(t, entry.KindClaim, shown(ann, account, token, "k"))
	for _, till := range []*books.Till{a, b, copied} {
		till.Sync(t, 1)
		r.Apply(t)
	}
	if h := r.Holding(t, account, "points"); h.Free != 0 {
		t.Errorf("%d points are free, want none", h.Free)
	}
	r.Rebuilds(t)
}
