package lan_test

import (
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// node puts a register on the network, to talk with the given addresses.
func node(t *testing.T, r *register, hq string, client *http.Client, static ...string) *lan.Node {
	t.Helper()
	if client == nil {
		client = http.DefaultClient
	}
	n, err := lan.New(lan.Config{
		Listen: "127.0.0.1:0", Static: static, Store: r.store.id, Private: r.signer.Private(), Random: rand.Reader, Terminal: r,
		HQ: hq, HTTP: client, Clock: r.store.clock, Log: slog.New(slog.DiscardHandler),
		Timing: lan.Timing{Exchange: 10 * time.Millisecond, Request: 5 * time.Second, Borrow: 5 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// until waits for something to become true.
func until(t *testing.T, what string, fn func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !fn() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func up(n *lan.Node, lane uuid.UUID) bool {
	return slices.ContainsFunc(n.Lanes(), func(l lan.Lane) bool { return l.Up && l.Terminal == lane })
}

func TestLanesWitnessEachOther(t *testing.T) {
	shop := newStore()
	one, two := shop.register(t), shop.register(t)
	first := node(t, one, "", nil)
	second := node(t, two, "", nil, first.Addr().String())
	until(t, "the second sees the first", func() bool { return up(second, one.id) })
	two.write("sale")
	two.write("sale")
	until(t, "the first confirms what the second wrote", func() bool { return two.witnessed() == 3 })
	one.mu.Lock()
	defer one.mu.Unlock()
	if len(one.saw) != 1 || one.saw[0].Writer != two.id {
		t.Errorf("the first journalled %d heads within five minutes, want one", len(one.saw))
	}
	if len(one.against)+len(two.against) != 0 {
		t.Error("an honest lane was accused")
	}
}

func TestG6_ALaneFindsACopy(t *testing.T) {
	for name, tt := range map[string]struct {
		copied int    // entries of the original that the copy has
		wrote  int    // entries it has written since
		want   string // found by the witness
	}{
		"restored from yesterday":     {copied: 2, wrote: 0, want: "rollback"},
		"restored, then sold a bit":   {copied: 2, wrote: 1, want: "rollback"},
		"as long as the original":     {copied: 3, wrote: 2, want: "fork"},
		"longer than the original":    {copied: 3, wrote: 9, want: "fork"},
		"copied at the very same end": {copied: 5, wrote: 3, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			witness, till, first := parted(t)
			double := till.copyOf(tt.copied)
			for range tt.wrote {
				double.write("sale of the copy")
			}
			node(t, double, "", nil, first.Addr().String())
			if tt.want == "" {
				// Nobody has written past what was copied: it is the original moved to a new disk.
				until(t, "the copy is confirmed", func() bool { return double.witnessed() >= 5 })
				if len(witness.findings(till.id)) != 0 {
					t.Error("the moved original was accused")
				}
				return
			}
			until(t, "the witness journals the finding", func() bool { return len(witness.findings(till.id)) > 0 })
			if got := witness.findings(till.id)[0].String(); got != tt.want {
				t.Errorf("found a %s, want a %s", got, tt.want)
			}
			until(t, "the copy is told", func() bool { return len(double.told()) > 0 })
			checkEvidence(t, till, witness)
		})
	}
}

// parted has a till meet a witness, which then knows its five entries, and stops it.
func parted(t *testing.T) (witness, till *register, of *lan.Node) {
	t.Helper()
	shop := newStore()
	witness, till = shop.register(t), shop.register(t)
	for range 4 {
		till.write("sale")
	}
	of = node(t, witness, "", nil)
	original := node(t, till, "", nil, of.Addr().String())
	until(t, "the witness knows the original", func() bool { return till.witnessed() == 5 })
	original.Stop()
	return witness, till, of
}

// checkEvidence wants both heads with signatures that anyone can check.
func checkEvidence(t *testing.T, accused, witness *register) {
	t.Helper()
	witness.mu.Lock()
	defer witness.mu.Unlock()
	for _, w := range witness.saw {
		if w.Finding == entry.WitnessSeen {
			continue
		}
		shown, err := wire.OpenHead(accused.signer.Public.Key, wire.SignedHead{Head: w.Head, Signature: w.Signature})
		if err != nil {
			t.Fatal(err)
		}
		known, err := wire.OpenHead(accused.signer.Public.Key, wire.SignedHead{Head: w.Known, Signature: w.KnownSignature})
		if err != nil {
			t.Fatal(err)
		}
		if w.Finding == entry.WitnessFork && (shown.Seq != known.Seq || slices.Equal(shown.Hash, known.Hash)) {
			t.Errorf("heads %d and %d prove no fork", shown.Seq, known.Seq)
		}
	}
}

func TestG2_ACopyGetsNoLoan(t *testing.T) {
	shop := newStore()
	lender, till := shop.register(t), shop.register(t)
	till.write("sale")
	first := node(t, lender, "", nil)
	original := node(t, till, "", nil, first.Addr().String())
	until(t, "the lender knows the original", func() bool { return till.witnessed() == 2 })
	original.Stop()
	double := till.copyOf(1)
	second := node(t, double, "", nil, first.Addr().String())
	until(t, "the copy is told", func() bool { return len(double.told()) > 0 })
	_, err := second.Borrow(t.Context(), wire.Terminal{ID: lender.id}, wire.BorrowRequest{V: 1, Right: uuid.New(), Amount: 10})
	if problem.CodeOf(err) != problem.JournalFork {
		t.Errorf("got %v", err)
	}
}

func TestBorrowingTwiceIsOneLoan(t *testing.T) {
	shop := newStore()
	lender, till := shop.register(t), shop.register(t)
	first := node(t, lender, "", nil)
	second := node(t, till, "", nil, first.Addr().String())
	until(t, "the lender is seen", func() bool { return up(second, lender.id) })
	asked := wire.BorrowRequest{V: 1, Right: uuid.New(), Amount: 400, HLC: binary.BigEndian.Uint64([]byte{0, 0, 0, 0, 0, 0, 1, 0})}
	for range 3 {
		answer, err := second.Borrow(t.Context(), wire.Terminal{ID: lender.id}, asked)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Verify(lender.signer.Public.Key, wire.DomainLoan, answer.Loan, answer.Signature); err != nil {
			t.Fatal(err)
		}
	}
	left, hlc := lender.figures()
	if left != 600 {
		t.Errorf("%d left, want 600", left)
	}
	if hlc < 256 {
		t.Error("the lender's clock did not take in the borrower's stamp")
	}
}

func TestStrangersAreSentAway(t *testing.T) {
	shop, other := newStore(), newStore()
	lender, till, thief := shop.register(t), shop.register(t), other.register(t)
	first := node(t, lender, "", nil)
	second := node(t, till, "", nil, first.Addr().String())
	until(t, "the lender is seen", func() bool { return up(second, lender.id) })

	// The thief knows everything but a key of the roster.
	thief.store = &store{id: shop.id, clock: shop.clock, roster: append(shop.lanes(), other.lanes()...)}
	third := node(t, thief, "", nil, first.Addr().String())
	asked := wire.BorrowRequest{V: 1, Right: uuid.New(), Amount: 400}
	if _, err := third.Borrow(t.Context(), wire.Terminal{ID: lender.id}, asked); err == nil {
		t.Error("a stranger got a loan")
	}
	// A lane that is revoked keeps its open connection, and gets nothing on it.
	shop.revoke(till.id)
	if _, err := second.Borrow(t.Context(), wire.Terminal{ID: lender.id}, asked); err == nil {
		t.Error("a revoked lane got a loan")
	}
	if left, _ := lender.figures(); left != 1000 {
		t.Errorf("%d left", left)
	}
}
