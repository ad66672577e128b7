package webshop_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
)

// rig is an HQ with a store, a member with points and a reward.
type rig struct {
	*books.HQ
	env     webshop.Env
	shop    *webshop.Shop
	prog    *programme.Programme
	lanes   *fleet.Fleet
	store   uuid.UUID
	member  uuid.UUID
	account uuid.UUID
	reward  uuid.UUID
}

func newRig(t *testing.T, points int64) *rig {
	t.Helper()
	return newRigOn(t, books.New(t), points)
}

func newRigOn(t *testing.T, hq *books.HQ, points int64) *rig {
	t.Helper()
	r := &rig{HQ: hq}
	ctx := t.Context()
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	lanes := fleet.New(fleet.Env{
		Keeper: r.DB, Journal: r.Journal, Clock: r.Clock, Random: rand.Reader, NewID: newID, HQ: r.ID, Keys: r.Keys, NonceKey: make([]byte, 32),
	})
	prog := programme.New(programme.Env{
		Keeper: r.DB, Journal: r.Journal, Ledger: r.Ledger, Clock: r.Clock, Random: rand.Reader, NewID: newID, HQ: r.ID, PassKey: passKey(t),
	})
	r.prog, r.lanes = prog, lanes
	r.env = webshop.Env{
		Keys: keys.Set{Version: 1, Keys: []keys.Public{passKey(t).Public}}, Store: r.DB, Fleet: lanes, Programme: prog, Ledger: r.Ledger, Ingest: r.Ingest, Clock: r.Clock, NewID: newID, HQ: r.ID,
		Secret: make([]byte, 32), Version: "test",
	}
	r.shop = webshop.New(r.env)
	store, err := lanes.OpenStore(ctx, uuid.Nil, fleet.Store{Code: "web", Name: "Web", TimeZone: "UTC", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prog.PutRuleSet(ctx, uuid.Nil, books.Rules); err != nil {
		t.Fatal(err)
	}
	reward, err := prog.AddReward(ctx, uuid.Nil, loyalty.Reward{Name: "1 off", Unit: "points", Cost: 100, Discount: 100, Currency: "EUR", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	members, err := prog.AddMembers(ctx, uuid.Nil, "", []programme.NewMember{{Alias: "Ann", Reference: "4711"}})
	if err != nil {
		t.Fatal(err)
	}
	r.store, r.reward, r.member, r.account = store.ID, reward.ID, members[0].ID, members[0].Account
	if points > 0 {
		err = r.Ledger.Adjust(ctx, entry.HQAdjustment{Account: r.account, Unit: "points", Amount: points, Reason: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Advance(time.Second)
	return r
}

func (r *rig) basket(total int64) webshop.Request {
	return webshop.Request{
		Store: r.store, Shopper: webshop.Shopper{Member: r.member}, Basket: loyalty.Basket{Currency: "EUR", Total: total},
		Wishes: []loyalty.Wish{{Reward: r.reward, Times: 1}},
	}
}

// However many buy at once, no more is redeemed than was free, whether or not the
// applier had its turn.
func TestG2_TheWebShopNeverOverspends(t *testing.T) {
	r := newRig(t, 300)
	var wg sync.WaitGroup
	var mu sync.Mutex
	sold := 0
	for range 8 {
		wg.Go(func() {
			_, err := r.shop.Sell(context.Background(), webshop.Order{Request: r.basket(150), Key: uuid.NewString()})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				sold++
			case problem.CodeOf(err) != problem.PointsInsufficient:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if h := r.Holding(t, r.account, "points"); sold != 3 || h.Overdraft != 0 || h.Free != 0 {
		t.Errorf("%d sold, %+v", sold, h)
	}
	r.Apply(t)
	if h := r.Holding(t, r.account, "points"); h.Overdraft != 0 || h.Free != 0 || len(r.Exceptions(t, "")) != 0 {
		t.Errorf("applied: %+v, %+v", h, r.Exceptions(t, ""))
	}
	r.Verify(t)
}

func TestQuoteThatChangedOrRanOut(t *testing.T) {
	r, ctx := newRig(t, 100), context.Background()
	q, err := r.shop.Quote(ctx, r.basket(250))
	if err != nil || q.Decision.ToPay != 150 {
		t.Fatalf("%+v, %v", q, err)
	}
	r.Clock.Advance(14 * time.Minute)
	s, err := r.shop.Sell(ctx, webshop.Order{Quote: q.ID, Key: "1"})
	if err != nil || s.Body.Redeemed[0].Basis != entry.BasisHQAuthorised {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := r.shop.Void(ctx, s.Sale, "2", [32]byte{}); err != nil {
		t.Fatal(err)
	}
	r.Clock.Advance(time.Minute)
	if _, err := r.shop.Sell(ctx, webshop.Order{Quote: q.ID, Key: "3"}); problem.CodeOf(err) != problem.QuoteExpired {
		t.Error(err)
	}
	if h := r.Holding(t, r.account, "points"); h.Free != 100 {
		t.Errorf("%+v", h)
	}
	r.Apply(t)
	r.Verify(t)
}

// passKey signs the passes of every rig.
func passKey(t *testing.T) keys.Signer {
	t.Helper()
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
