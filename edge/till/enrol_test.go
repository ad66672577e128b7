package till_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// identities are feed items of n identities issued to a terminal.
func (s *shop) identities(t *testing.T, n int, terminal uuid.UUID, epoch uint32) []wire.Item {
	t.Helper()
	var items []wire.Item
	for range n {
		member := s.NewID()
		token := s.Token(t, passtoken.KindMember, member, 1)
		items = append(items, s.Item(t, wire.ItemIdentity, member, wire.Identity{
			Member: member, Account: entry.IdentityAccount(member), Terminal: terminal, Epoch: epoch, Issue: 1, Pass: token[:],
			IssuedAt: s.Clock.Now().UnixMilli(),
		}))
	}
	return items
}

func enrolment(key string) till.NewMember {
	return till.NewMember{Key: key, KeyHash: sha256.Sum256([]byte(key)), Cashier: "7"}
}

func TestG1_AMemberEnrolledOfflineEarnsAndComesBackAsTheSame(t *testing.T) {
	s := newShop(t, func(s *shop) { noStandIn(s); s.Policy.SpendEarned = true })
	ctx := context.Background()
	s.Feed(t, s.till, s.identities(t, 2, s.Writer.ID, 1)...)
	s.till.SetOnline(false)
	m, err := s.till.Enrol(ctx, enrolment("e"))
	if err != nil {
		t.Fatal(err)
	}
	code := m.Token.Text()
	scan, err := s.till.Identify(ctx, code)
	if err != nil || scan.Member.ID != m.Body.Member || scan.Member.Account != m.Body.Account {
		t.Fatalf("%+v, %v", scan.Member, err)
	}
	// Nothing can be redeemed that was not earned, and what was earned can be at once.
	_, err = s.till.Commit(ctx, tilltest.Commit("early", till.Request{Codes: []string{code}, Basket: tilltest.Basket(20_000), Wishes: []loyalty.Wish{points(s.five, 1)}}))
	wantCode(t, err, problem.PointsInsufficient)
	sale := s.commit(t, "a", till.Request{Codes: []string{code}, Basket: tilltest.Basket(20_000)})
	if sale.Body.Account != m.Body.Account || sale.Body.Earned[0].Amount != 200 || len(sale.Body.Kept) != 1 {
		t.Errorf("sold %+v", sale.Body)
	}
	s.commit(t, "b", till.Request{Codes: []string{code}, Basket: tilltest.Basket(20_000), Wishes: []loyalty.Wish{points(s.five, 1)}})
	again, err := s.till.Enrol(ctx, enrolment("e"))
	if err != nil || !again.Replayed || again.Body.Member != m.Body.Member || again.Token != m.Token || again.At != m.At {
		t.Errorf("the same key made %+v, %v", again, err)
	}
	other := enrolment("e")
	other.KeyHash[0]++
	_, err = s.till.Enrol(ctx, other)
	wantCode(t, err, problem.IdempotencyReused)

	// HQ is not there, and the cache is lost: the journal knows who has which identity.
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	again, err = s.till.Enrol(ctx, enrolment("e"))
	if err != nil || again.Body.Member != m.Body.Member || again.Token != m.Token {
		t.Errorf("after the cache was lost: %+v, %v", again, err)
	}
	_, err = s.till.Enrol(ctx, enrolment("f"))
	wantCode(t, err, problem.Unavailable)
}

// The pool: only what is this terminal's, of this epoch, not taken back, and each once,
// though the feed tells of it again after the cache was lost.
func TestIdentitiesAreGivenOnceAndOnlyByTheirTerminal(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	_, err := s.till.Enrol(ctx, enrolment("none"))
	wantCode(t, err, problem.IdentitiesExhausted)
	own := s.identities(t, 3, s.Writer.ID, 1)
	s.Feed(t, s.till, own...)
	s.Feed(t, s.till, s.identities(t, 2, s.HQ, 1)...)
	s.Feed(t, s.till, s.identities(t, 2, s.Writer.ID, 2)...)
	s.Feed(t, s.till, s.Item(t, wire.ItemIdentity, own[2].ID, nil))
	given := map[uuid.UUID]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			m, err := s.till.Enrol(ctx, enrolment(fmt.Sprint("k", i)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil && given[m.Body.Member] {
				t.Errorf("%s was given twice", m.Body.Member)
			}
			if err == nil {
				given[m.Body.Member] = true
			} else if problem.CodeOf(err) != problem.IdentitiesExhausted {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(given) != 2 || !given[own[0].ID] || !given[own[1].ID] {
		t.Errorf("given %v", given)
	}
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	s.Restart()
	s.Feed(t, s.till, append(s.Base(t), own[:2]...)...)
	_, err = s.till.Enrol(ctx, enrolment("again"))
	wantCode(t, err, problem.IdentitiesExhausted)
	s.Feed(t, s.till, s.identities(t, 1, s.Writer.ID, 1)...)
	if _, err := s.till.Enrol(ctx, enrolment("again")); err != nil {
		t.Errorf("with one more: %v", err)
	}
	// One that head office has shut out enrols nobody.
	s.Feed(t, s.till, append(s.identities(t, 1, s.Writer.ID, 1), s.Item(t, wire.ItemTerminal, s.Writer.ID, wire.Terminal{
		ID: s.Writer.ID, Store: s.Store, Epoch: 1, State: "revoked",
	}))...)
	_, err = s.till.Enrol(ctx, enrolment("out"))
	wantCode(t, err, problem.TerminalRevoked)
}

// The process ends between journal and cache, after each of the first writes.
func TestG3_KilledWhileEnrolling(t *testing.T) {
	for n := range 4 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newShop(t, nil)
			s.Feed(t, s.till, s.identities(t, 3, s.Writer.ID, 1)...)
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
			s.state.KillAfter(n)
			answered := map[string]uuid.UUID{}
			for _, key := range []string{"a", "b"} {
				if m, err := s.till.Enrol(context.Background(), enrolment(key)); err == nil {
					answered[key] = m.Body.Member
				}
			}
			if err := s.till.Close(); err != nil && !errors.Is(err, tilltest.ErrKilled) {
				t.Fatal(err)
			}
			s.state.KillAfter(-1)
			s.open(t)
			seen := map[uuid.UUID]string{}
			for _, key := range []string{"a", "b", "c"} {
				m, err := s.till.Enrol(context.Background(), enrolment(key))
				if err != nil {
					t.Fatal(err)
				}
				if was, ok := answered[key]; ok && (was != m.Body.Member || !m.Replayed) {
					t.Errorf("key %s: %s was answered, then %s", key, was, m.Body.Member)
				}
				if by, ok := seen[m.Body.Member]; ok {
					t.Errorf("%s and %s got the same identity", by, key)
				}
				seen[m.Body.Member] = key
			}
		})
	}
}
