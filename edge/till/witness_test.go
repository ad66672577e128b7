package till_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

func (s *shop) reboot(t *testing.T, loseCache bool) {
	t.Helper()
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	if loseCache {
		s.state = tilltest.NewState()
	}
	s.open(t)
	if loseCache {
		s.Restart()
		s.Feed(t, s.till, append(s.Base(t), s.Item(t, wire.ItemMember, s.member.ID, s.member), s.Item(t, wire.ItemReward, s.five.ID, s.five))...)
	}
}

func (s *shop) restartUsed(t *testing.T) (used int64, counts bool) {
	t.Helper()
	status, err := s.till.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range status.Caps {
		if c.Name == "restart" {
			return c.Used, true
		}
	}
	return 0, false
}

// The caps as a new HQ sets them: a store with one lane, which is switched off each
// night, works through a week without network.
func TestG1_AOneLaneStoreRebootedDailyForAWeekOfflineKeepsRedeeming(t *testing.T) {
	s := newShop(t, func(s *shop) {
		s.Policy.PerSale, s.Policy.PerMemberDay, s.Policy.PerTerminal, s.Policy.RestartCap = 500, 500, 5000, 5000
	})
	s.Witnessed(t, s.till, s.journal.Head())
	for day := range 7 {
		s.reboot(t, false)
		if _, counts := s.restartUsed(t); !counts {
			t.Fatal("nobody has confirmed the head, and the restart cap does not count")
		}
		for i := range 5 {
			s.commit(t, fmt.Sprint(day, " ", i), s.buy(t, 9000, points(s.five, 1)))
		}
		s.Pass(23*time.Hour + 30*time.Minute)
	}
	if used, _ := s.restartUsed(t); used != 3500 {
		t.Errorf("%d redeemed since the last witnessed head", used)
	}
}

func TestG2_TheRestartCapCountsSinceTheLastWitnessAndNeverPerStart(t *testing.T) {
	for _, loseCache := range []bool{false, true} {
		t.Run(fmt.Sprint("lose the cache: ", loseCache), func(t *testing.T) {
			s := newShop(t, func(s *shop) { s.Policy.RestartCap = 400 })
			s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 300), false, false))
			s.commit(t, "first", s.buy(t, 1000))
			s.Witnessed(t, s.till, s.journal.Head())
			s.commit(t, "on a right", s.buy(t, 9000, points(s.five, 2)))
			if _, counts := s.restartUsed(t); counts {
				t.Error("a terminal that was confirmed is under the restart cap")
			}
			for i := range 2 {
				s.reboot(t, loseCache)
				if used, counts := s.restartUsed(t); used != 200+int64(i)*100 || !counts {
					t.Errorf("start %d: %d used", i, used)
				}
				s.commit(t, fmt.Sprint("stand in ", i), s.buy(t, 9000, points(s.five, 1)))
			}
			s.refuses(t, "over", problem.CapRestart, points(s.five, 1))
			s.reboot(t, loseCache)
			s.refuses(t, "still over", problem.CapRestart, points(s.five, 1))
			s.commit(t, "earns", s.buy(t, 1000))
			// An older head proves nothing about what came since.
			old, err := s.journal.HashAt(context.Background(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if !loseCache { // without a cache nobody here remembers a later one
				s.Witnessed(t, s.till, journal.Head{Seq: 1, Hash: old})
				s.refuses(t, "older", problem.CapRestart, points(s.five, 1))
			}
			if err := s.till.Confirmed(context.Background(), s.journal.Head().Seq); err != nil {
				t.Fatal(err)
			}
			s.commit(t, "confirmed by a lane", s.buy(t, 9000, points(s.five, 1)))
			s.reboot(t, loseCache)
			if used, _ := s.restartUsed(t); used != 100 {
				t.Errorf("%d redeemed since a lane confirmed", used)
			}
		})
	}
}

func TestG6_ACopyStopsRedeemingAndSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		tell func(*testing.T, *shop)
		sell problem.Code
	}{
		"HQ's receipt has another hash": {func(t *testing.T, s *shop) {
			r := s.Receipt(s.journal.Head())
			r.Hash = make([]byte, 32)
			wantCode(t, s.till.ApplyReceipt(context.Background(), r), problem.JournalFork)
		}, ""},
		"HQ's welcome has another hash": {func(t *testing.T, s *shop) {
			wantCode(t, s.till.ApplyWelcome(context.Background(), wire.Welcome{
				V: 1, HQ: s.HQ, HQEpoch: 1, Terminal: s.Writer.ID, Epoch: 1, HaveSeq: 1, HaveHash: make([]byte, 32),
			}), problem.JournalFork)
		}, ""},
		"HQ has more": {func(t *testing.T, s *shop) {
			if err := s.till.Contradicts(context.Background(), s.journal.Head().Seq+3); err != nil {
				t.Fatal(err)
			}
		}, problem.JournalFork},
		"a lane knows a later head": {func(t *testing.T, s *shop) {
			known, err := wire.SignHead(s.Own, wire.Head{V: 1, Terminal: s.Writer.ID, Epoch: 1, Seq: s.journal.Head().Seq + 1, Hash: make([]byte, 32)})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.till.Contradicted(context.Background(), entry.WitnessRollback, known); err != nil {
				t.Fatal(err)
			}
		}, problem.JournalFork},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, nil)
			s.Feed(t, s.till, s.Lane(t, s.Writer), s.Granted(t, s.Grant(s.member, 300), false, false))
			s.commit(t, "before", s.buy(t, 9000, points(s.five, 1)))
			c.tell(t, s)
			for range 2 {
				s.refuses(t, "redeems", problem.JournalFork, points(s.five, 1))
				_, err := s.till.Quote(context.Background(), s.buy(t, 9000, points(s.five, 1)))
				wantCode(t, err, problem.JournalFork)
				_, err = s.till.Lend(context.Background(), wire.Terminal{ID: s.Writer.ID}, wire.BorrowRequest{Right: s.NewID(), Account: s.member.Account, Unit: "points", Amount: 1})
				if err == nil {
					t.Error("a copy lends")
				}
				if status, err := s.till.Status(context.Background()); err != nil || !status.Witness.Contradicted {
					t.Errorf("%+v, %v", status.Witness, err)
				}
				s.reboot(t, false)
			}
			// Facts go on, unless that would use a number again that others have seen.
			_, err := s.till.Commit(context.Background(), tilltest.Commit("earns", s.buy(t, 1000)))
			if problem.CodeOf(err) != c.sell && err != nil || err == nil && c.sell != "" {
				t.Errorf("earning: %v", err)
			}
			if c.sell == "" {
				s.reboot(t, true)
				s.refuses(t, "without the cache", problem.JournalFork, points(s.five, 1))
			}
		})
	}
}

// What it sold are facts: HQ must get them, though nothing can be journalled any more.
func TestG5_ATerminalWithoutANumberLeftStillDelivers(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.RestartCap = 100 })
	s.commit(t, "before", s.buy(t, 9000, points(s.five, 1)))
	head := s.journal.Head()
	known, err := wire.SignHead(s.Own, wire.Head{V: 1, Terminal: s.Writer.ID, Epoch: 1, Seq: head.Seq + 1, Hash: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.till.Contradicted(context.Background(), entry.WitnessRollback, known); err != nil {
		t.Fatal(err)
	}
	err = s.till.ApplyWelcome(context.Background(), wire.Welcome{V: 1, HQ: s.HQ, HQEpoch: 1, Terminal: s.Writer.ID, Epoch: 1})
	if err != nil {
		t.Errorf("a welcome before it delivers: %v", err)
	}
	s.Witnessed(t, s.till, head)
	if acked, _ := s.till.Acked(); acked != head {
		t.Errorf("acknowledged %v, want %v", acked, head)
	}
	// It starts too, with a cache that must be noted as rebuilt.
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := s.Config(s.journal, s.state)
	cfg.CacheRebuilt = true
	again, err := till.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Recover(context.Background()); err != nil {
		t.Errorf("a start: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestAMutantDoesNotMindAFork(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Mutant = till.MutantSkipForkCheck })
	if err := s.till.Contradicts(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	s.commit(t, "a", s.buy(t, 9000, points(s.five, 1)))
}

func TestATerminalOutOfServiceDoesNotRedeem(t *testing.T) {
	for state, want := range map[string]problem.Code{"revoked": problem.TerminalRevoked, "quarantined": problem.TerminalQuarantined} {
		s := newShop(t, nil)
		s.Feed(t, s.till, s.Item(t, wire.ItemTerminal, s.Writer.ID, wire.Terminal{ID: s.Writer.ID, Store: s.Store, Epoch: 1, State: state}))
		s.refuses(t, "a", want, points(s.five, 1))
		s.commit(t, "b", s.buy(t, 9000))
	}
}

// The head shown to lanes is signed, and of two the later one is never the shorter.
func TestSignedHeads(t *testing.T) {
	s := newShop(t, nil)
	var last wire.Head
	for i := range 5 {
		s.commit(t, fmt.Sprint(i), s.buy(t, 1000))
		for range 2 {
			signed, err := s.till.SignedHead()
			if err != nil {
				t.Fatal(err)
			}
			h, err := wire.OpenHead(s.Own.Public.Key, signed)
			if err != nil || h.Seq < last.Seq || h.HLC <= last.HLC || h.Terminal != s.Writer.ID || h.HQTime != tilltest.Start.UnixMilli() {
				t.Fatalf("%+v after %+v: %v", h, last, err)
			}
			last = h
		}
	}
	signed, err := s.till.SignedAt(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.OpenHead(s.Own.Public.Key, signed); err != nil || h.Seq != 2 || h.HLC != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	// What comes from a lane is followed, but not into another decade.
	s.till.HLC(uint64(last.HLC + 1<<20))
	s.till.HLC(uint64(last.HLC + 1<<44))
	signed, err = s.till.SignedHead()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.OpenHead(s.Own.Public.Key, signed); err != nil || h.HLC <= last.HLC+1<<20 || h.HLC > last.HLC+1<<21 {
		t.Errorf("%x after %x: %v", h.HLC, last.HLC, err)
	}
}

func TestHeadsOfOtherLanesSurviveTheLossOfTheCache(t *testing.T) {
	s := newShop(t, nil)
	lane := s.NewID()
	saw := func(seq uint64, finding entry.WitnessFinding) {
		w := entry.Witness{Writer: lane, Epoch: 1, Seq: seq, Hash: make([]byte, 32), Finding: finding, Head: []byte{byte(seq)}, Signature: []byte{1}}
		if err := s.till.Saw(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	saw(4, entry.WitnessSeen)
	saw(9, entry.WitnessSeen)
	saw(5, entry.WitnessRollback)
	for _, loseCache := range []bool{false, true} {
		s.reboot(t, loseCache)
		seen, err := s.till.Seen(t.Context())
		if err != nil || len(seen) != 1 || seen[0].Head[0] != 9 {
			t.Errorf("cache lost %v: %v, %v", loseCache, seen, err)
		}
	}
}
