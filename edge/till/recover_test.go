package till_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// The process ends between journal and cache, after each of the first writes: the
// answered sales are there after the restart, and the store is as if nothing happened.
func TestG3_KilledBetweenJournalAndCache(t *testing.T) {
	story := func(t *testing.T, s *shop) {
		commit := func(key string, req till.Request) {
			if sale, err := s.till.Commit(context.Background(), tilltest.Commit(key, req)); err == nil {
				if hash, err := s.journal.HashAt(context.Background(), sale.At.Seq); err != nil || hash != sale.At.Hash {
					t.Errorf("answered sale %d is not in the journal: %v", sale.At.Seq, err)
				}
			}
		}
		commit("a", s.buy(t, 1000, points(s.five, 2)))
		commit("b", s.buy(t, 2000, use(s.voucher, 1)))
		_, _ = s.till.Void(context.Background(), till.Void{SaleKey: "a", Key: "void a"}) // refused once killed
		commit("c", s.buy(t, 3000, points(s.five, 1)))
		if found := s.withReceipt(t, "R-c"); len(found) == 1 {
			for _, key := range []string{"return c", "return the rest of c"} {
				_, _ = s.till.Return(context.Background(), till.Return{
					Sale: found[0].Sale.Body.ID, Key: key, Lines: []till.ReturnLine{{No: 1, Quantity: 500}},
				})
			}
		}
	}
	for n := range 8 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newShop(t, nil)
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
			s.state.KillAfter(n)
			story(t, s)
			if err := s.till.Close(); err != nil && !errors.Is(err, tilltest.ErrKilled) {
				t.Fatal(err)
			}
			s.state.KillAfter(-1)
			head := s.journal.Head()
			r := s.open(t)
			if r.Rebuilt || s.journal.Head() != head {
				t.Errorf("recovered %+v, head from %v to %v", r, head, s.journal.Head())
			}
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			got := s.state.Dump()
			want := rebuilt(t, s)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the store has %d records, one rebuilt from the journal %d", len(got), len(want))
			}
		})
	}
}

// rebuilt returns what a store holds that was derived anew from the same journal
// and got HQ's items as they are.
func rebuilt(t *testing.T, s *shop) map[string]string {
	t.Helper()
	fresh := tilltest.NewState()
	opened, _ := s.Open(t, &copyOf{s.journal, s.journal.Head().Seq}, fresh)
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	out := fresh.Dump()
	for k, v := range s.state.Dump() {
		switch till.Table(k[0]) {
		case till.TableItem, till.TableTies, till.TableCard:
			out[k] = v
		case till.TableMeta:
			out[k] = v
		}
	}
	return out
}

// copyOf reads a journal up to an entry and forgets what is appended.
type copyOf struct {
	*tilltest.Journal
	last uint64
}

func (c *copyOf) Head() journal.Head {
	hash, err := c.HashAt(context.Background(), c.last)
	if err != nil {
		panic(err)
	}
	return journal.Head{Seq: c.last, Hash: hash}
}

func (c *copyOf) AppendFunc(_ context.Context, build func(uint64) ([]byte, error)) (journal.Position, error) {
	_, err := build(c.last + 1)
	return journal.Head{Seq: c.last + 1}, err
}

func TestLostCacheEarnsButRedeemsOnlyAfterHQIsHeard(t *testing.T) {
	s := newShop(t, nil)
	s.commit(t, "a", s.buy(t, 2000, points(s.five, 3)))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	if r := s.open(t); !r.Rebuilt || r.Replayed != 2 {
		t.Errorf("recovered %+v", r)
	}
	run, err := s.journal.Read(context.Background(), 3, 1, 1<<20)
	if err != nil || len(run.Entries) != 1 {
		t.Fatal("the rebuild is not journalled", err)
	}
	e, err := entry.Decode(run.Entries[0])
	if err != nil || e.Kind != entry.KindNote {
		t.Fatalf("entry 3 is %v, %v", e.Kind, err)
	}
	_, err = s.till.Commit(context.Background(), tilltest.Commit("b", s.buy(t, 1000)))
	wantCode(t, err, problem.Unavailable) // not even store and rules are known
	s.Restart()
	page := s.Page(append(s.Base(t), s.Item(t, wire.ItemMember, s.member.ID, s.member), s.Item(t, wire.ItemReward, s.five.ID, s.five))...)
	page.More = true
	if err := s.till.ApplyFeed(context.Background(), page); err != nil {
		t.Fatal(err)
	}
	if status, err := s.till.Status(context.Background()); err != nil || status.CacheAge >= 0 {
		t.Errorf("before the feed has ended: %+v, %v", status, err)
	}
	s.commit(t, "b", s.buy(t, 1000))
	_, err = s.till.Commit(context.Background(), tilltest.Commit("c", s.buy(t, 1000, points(s.five, 1))))
	wantCode(t, err, problem.StandInOff)
	s.Feed(t, s.till)
	s.commit(t, "c", s.buy(t, 1000, points(s.five, 1)))
	if h := s.free(t); h.Free != 9600 {
		t.Errorf("own redemptions from before the loss: %+v", h)
	}
}

func TestStoreOfAnotherJournalIsEmptied(t *testing.T) {
	s := newShop(t, nil)
	s.commit(t, "a", s.buy(t, 1000))
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.journal = &tilltest.Journal{Writer: s.Writer} // the disk of the journal was replaced
	s.open(t)
	if s.till.Cursor() != "" || s.journal.Head().Seq != 1 {
		t.Errorf("cursor %q, head %v", s.till.Cursor(), s.journal.Head())
	}
	if found := s.withReceipt(t, "R-a"); len(found) != 0 {
		t.Errorf("%+v is of another journal", found)
	}
}

func TestPrunedJournalStartsWithALostCache(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	old := s.commit(t, "old", s.buy(t, 1000, points(s.five, 1)))
	kept := s.commit(t, "kept", s.buy(t, 1000, points(s.five, 1)))
	if _, err := s.till.Void(ctx, till.Void{SaleKey: "old", Key: "void"}); err != nil {
		t.Fatal(err)
	}
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.journal.Prune(kept.At.Seq)
	for name, state := range map[string]*tilltest.State{"kept": s.state, "lost": tilltest.NewState()} {
		s.state = state
		s.open(t)
		if again := s.commit(t, "kept", till.Request{}); !again.Replayed || again.At != kept.At {
			t.Errorf("cache %s: %+v", name, again)
		}
		if void, err := s.till.Void(ctx, till.Void{SaleKey: "old", Key: "void"}); err != nil || !void.Replayed || void.Body.Sale != old.Body.ID {
			t.Errorf("cache %s: %+v, %v", name, void, err)
		}
		_, err := s.till.Sale(ctx, old.Body.ID)
		wantCode(t, err, problem.SaleUnknown)
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
