package webshop_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/webshop"
)

// members enrols some more.
func (r *rig) members(t *testing.T, n int) []programme.Member {
	t.Helper()
	all, err := r.prog.AddMembers(t.Context(), uuid.Nil, "/members", make([]programme.NewMember, n))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (r *rig) of(member uuid.UUID, total int64) webshop.Order {
	return webshop.Order{
		Key:     uuid.NewString(),
		Request: webshop.Request{Store: r.store, Shopper: webshop.Shopper{Member: member}, Basket: loyalty.Basket{Currency: "EUR", Total: total}},
	}
}

// A shopper's sales are all in one lane, by the shard of the account; many shoppers
// use all lanes, and what one lane sold only that lane voids, however many there are
// by then.
func TestShoppersAreSpreadOverLanes(t *testing.T) {
	r, ctx := newRig(t, 0), context.Background()
	used := map[uuid.UUID]map[int]bool{}
	var last webshop.Sale
	// So many that no lane is left out by chance (once in a million runs); a few come again.
	for i, m := range r.members(t, 120) {
		var first uuid.UUID
		visits := 1
		if i < 20 {
			visits = 2
		}
		for range visits {
			s, err := r.shop.Sell(ctx, r.of(m.ID, 500))
			if err != nil {
				t.Fatal(err)
			}
			if first == uuid.Nil {
				first = s.Terminal
			}
			if s.Terminal != first {
				t.Fatalf("one shopper in two lanes: %s, %s", first, s.Terminal)
			}
			if used[first] == nil {
				used[first] = map[int]bool{}
			}
			used[first][shard.Of(m.Account)%webshop.DefaultLanes] = true
			last = s
		}
	}
	if len(used) != webshop.DefaultLanes {
		t.Errorf("%d lanes are used", len(used))
	}
	for terminal, rest := range used {
		if len(rest) != 1 {
			t.Errorf("lane %s serves %v", terminal, rest)
		}
	}
	names := map[string]bool{}
	all, err := r.lanes.Terminals(ctx, r.store, uuid.Nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, terminal := range all {
		names[terminal.Name] = true
	}
	if len(names) != webshop.DefaultLanes || !names[webshop.TerminalName] || !names[webshop.TerminalName+" 8"] {
		t.Errorf("lanes: %v", names)
	}
	fewer := r.shopWith(1)
	if _, err := fewer.Void(ctx, last.Sale, "void", [32]byte{}); err != nil {
		t.Errorf("void with fewer lanes: %v", err)
	}
	r.Apply(t)
	if open := r.Exceptions(t, ""); len(open) != 0 {
		t.Errorf("%+v", open)
	}
	r.Verify(t)
	if _, err := r.lanes.Revoke(ctx, uuid.Nil, last.Terminal); err != nil {
		t.Fatal(err)
	}
	if _, err := r.shop.Return(ctx, webshop.Return{Sale: last.Sale}); problem.CodeOf(err) != problem.SaleVoided {
		t.Errorf("return of a voided sale: %v", err)
	}
}

func (r *rig) shopWith(lanes int) *webshop.Shop {
	env := r.env
	env.Lanes = lanes
	return webshop.New(env)
}

// A sale that has not ended yet keeps no shopper of another lane waiting: on a
// database with many writers another lane sells meanwhile.
func TestLanesDoNotWaitForEachOther(t *testing.T) {
	r := newRigOn(t, books.On(t, pg.Start(t).Database(t), 0), 0)
	ctx := context.Background()
	one := r.members(t, 1)[0]
	other := one
	for shard.Of(other.Account)%webshop.DefaultLanes == shard.Of(one.Account)%webshop.DefaultLanes {
		other = r.members(t, 1)[0]
	}
	for _, m := range []programme.Member{one, other} { // the lanes are there
		if _, err := r.shop.Sell(ctx, r.of(m.ID, 500)); err != nil {
			t.Fatal(err)
		}
	}
	err := r.DB.InTx(ctx, func(tx context.Context) error {
		if _, err := r.shop.Sell(tx, r.of(one.ID, 500)); err != nil {
			return err
		}
		sold := make(chan error, 1)
		go func() {
			_, err := r.shop.Sell(ctx, r.of(other.ID, 500))
			sold <- err
		}()
		return <-sold
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Apply(t)
	r.Verify(t)
}

func TestWhoseBasketItIs(t *testing.T) {
	r, ctx := newRig(t, 0), context.Background()
	pass, err := r.prog.Pass(ctx, r.member, "static")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		who  webshop.Shopper
		want problem.Code
		how  string
	}{
		{"nobody", webshop.Shopper{}, "", "none"},
		{"signed in", webshop.Shopper{Member: r.member}, "", "none"},
		{"a static pass", webshop.Shopper{Pass: pass.Text}, "", "static"},
		{"a card number", webshop.Shopper{Card: "4711"}, "", "keyed"},
		{"two at once", webshop.Shopper{Card: "4711", Member: r.member}, problem.InvalidField, ""},
		{"no member", webshop.Shopper{Member: r.store}, problem.MemberUnknown, ""},
		{"no card", webshop.Shopper{Card: "47"}, problem.MemberUnknown, ""},
		{"no pass", webshop.Shopper{Pass: "hello"}, problem.CodeUnreadable, ""},
		{"a forged pass", webshop.Shopper{Pass: forged(pass.Text)}, problem.CodeForged, ""},
	} {
		order := r.of(uuid.Nil, 700)
		order.Request.Shopper = c.who
		s, err := r.shop.Sell(ctx, order)
		if problem.CodeOf(err) != c.want && (err != nil || c.want != "") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if err != nil {
			continue
		}
		wantMember := r.member
		if c.who == (webshop.Shopper{}) {
			wantMember = uuid.Nil
		}
		if s.Body.Member != wantMember || s.Body.Freshness.String() != c.how || (s.Body.Code != nil) != (c.how == "static") {
			t.Errorf("%s: %+v", c.name, s.Body)
		}
	}
	for range 2 {
		if _, err := r.prog.Update(ctx, r.member); err != nil {
			t.Fatal(err)
		}
	}
	missed := r.of(uuid.Nil, 700)
	missed.Request.Pass = pass.Text
	if _, err := r.shop.Sell(ctx, missed); err != nil {
		t.Errorf("a phone that missed two updates: %v", err)
	}
	if _, err := r.prog.Reissue(ctx, uuid.Nil, r.member); err != nil {
		t.Fatal(err)
	}
	order := r.of(uuid.Nil, 700)
	order.Request.Pass = pass.Text
	if _, err := r.shop.Sell(ctx, order); problem.CodeOf(err) != problem.CodeOutdated {
		t.Errorf("an old copy: %v", err)
	}
	if _, err := r.prog.Block(ctx, uuid.Nil, r.member); err != nil {
		t.Fatal(err)
	}
	if _, err := r.shop.Sell(ctx, r.of(r.member, 700)); problem.CodeOf(err) != problem.CodeBlocked {
		t.Errorf("blocked: %v", err)
	}
}

// forged changes one letter in the middle of a token's text.
func forged(text string) string {
	i := len(text) / 2
	for _, letter := range []string{"A", "B"} {
		if !strings.EqualFold(text[i:i+1], letter) {
			return text[:i] + letter + text[i+1:]
		}
	}
	panic(fmt.Sprintf("%q has two letters in one place", text))
}
