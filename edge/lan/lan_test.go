package lan_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// store is a shop with its roster.
type store struct {
	id    uuid.UUID
	clock *clock.Fake

	mu     sync.Mutex
	roster []wire.Terminal
}

func newStore() *store {
	return &store{id: uuid.New(), clock: clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))}
}

func (s *store) lanes() []wire.Terminal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.roster)
}

func (s *store) revoke(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.roster {
		if s.roster[i].ID == id {
			s.roster[i].State = "revoked"
		}
	}
}

// register is one terminal with a journal of hashes only.
type register struct {
	store  *store
	id     uuid.UUID
	epoch  uint32
	signer keys.Signer

	mu        sync.Mutex
	hlc       uint64
	hashes    [][32]byte // of entries 1, 2, …
	pruned    uint64     // entries up to it are gone
	saw       []entry.Witness
	confirmed uint64
	against   []entry.WitnessFinding
	lent      map[uuid.UUID]int64
	left      int64
	said      wire.Dated   // what HQ said to it
	passedOn  []wire.Dated // what lanes showed
}

// register adds a terminal to the shop.
func (s *store) register(t *testing.T) *register {
	t.Helper()
	id := uuid.New()
	seed := sha256.Sum256(id[:])
	signer, err := keys.NewSigner(keys.Public{ID: 1}, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	r := &register{store: s, id: id, epoch: 1, signer: signer, lent: map[uuid.UUID]int64{}, left: 1000}
	r.write("opened")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roster = append(s.roster, wire.Terminal{ID: id, Store: s.id, Epoch: 1, PublicKey: signer.Public.Key, State: "enrolled"})
	return r
}

// copyOf is the same terminal from a copy of its disk, of the first n entries.
func (r *register) copyOf(n int) *register {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &register{store: r.store, id: r.id, epoch: r.epoch, signer: r.signer, hlc: r.hlc, hashes: slices.Clone(r.hashes[:n]), lent: map[uuid.UUID]int64{}}
}

func (r *register) write(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var last [32]byte
	if n := len(r.hashes); n > 0 {
		last = r.hashes[n-1]
	}
	r.hashes = append(r.hashes, sha256.Sum256(append(last[:], what...)))
}

func (r *register) Writer() journal.Writer { return journal.Writer{ID: r.id, Epoch: r.epoch} }

func (r *register) Lanes() []wire.Terminal { return r.store.lanes() }

func (r *register) SignedHead() (wire.SignedHead, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hlc++
	return r.sign(uint64(len(r.hashes)), r.hlc)
}

func (r *register) SignedAt(_ context.Context, seq uint64) (wire.SignedHead, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq <= r.pruned {
		return wire.SignedHead{}, journal.ErrPruned
	}
	return r.sign(seq, 0)
}

func (r *register) sign(seq, hlc uint64) (wire.SignedHead, error) {
	hash := r.hashes[seq-1]
	return wire.SignHead(r.signer, wire.Head{V: wire.Version, Terminal: r.id, Epoch: r.epoch, Seq: seq, Hash: hash[:], HLC: hlc})
}

func (r *register) Lend(_ context.Context, lane wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, given := r.lent[asked.Right]; !given {
		if r.left < asked.Amount {
			return wire.BorrowAnswer{V: wire.Version, Left: r.left}, nil
		}
		r.left -= asked.Amount
		r.lent[asked.Right] = asked.Amount
	}
	loan, err := wire.Marshal(wire.Loan{V: wire.Version, Right: asked.Right, Amount: r.lent[asked.Right], Lender: r.id, Borrower: lane.ID})
	return wire.BorrowAnswer{V: wire.Version, Loan: loan, Signature: r.signer.Sign(wire.DomainLoan, loan)}, err
}

func (r *register) Lendable(_ context.Context, _ wire.Terminal, asked wire.HeldRequest) (wire.HeldAnswer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wire.HeldAnswer{V: wire.Version, Held: []wire.Held{{Right: asked.Account, Unit: "points", Left: r.left}}}, nil
}

func (r *register) Confirmed(_ context.Context, seq uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed = max(r.confirmed, seq)
	return nil
}

func (r *register) Contradicted(_ context.Context, finding entry.WitnessFinding, _ wire.SignedHead) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.against = append(r.against, finding)
	return nil
}

func (r *register) Saw(_ context.Context, seen entry.Witness) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saw = append(r.saw, seen)
	return nil
}

func (r *register) Seen(context.Context) ([]wire.SignedHead, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []wire.SignedHead
	for _, w := range r.saw {
		if w.Finding == entry.WitnessSeen {
			out = append(out, wire.SignedHead{Head: w.Head, Signature: w.Signature})
		}
	}
	return out, nil
}

func (r *register) HLC(stamp uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hlc = max(r.hlc, stamp)
}

func (r *register) Said() wire.Dated {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

func (r *register) PassedOn(_ context.Context, said wire.Dated) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passedOn = append(r.passedOn, said)
	return problem.New(problem.ProofInvalid, "HQ is not here")
}

// findings are what a register has journalled against another.
func (r *register) findings(of uuid.UUID) []entry.WitnessFinding {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []entry.WitnessFinding
	for _, w := range r.saw {
		if w.Writer == of && w.Finding != entry.WitnessSeen {
			out = append(out, w.Finding)
		}
	}
	return out
}

func (r *register) told() []entry.WitnessFinding {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.against)
}

func (r *register) witnessed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.confirmed
}

// figures are what a register has left to lend, and its last stamp.
func (r *register) figures() (left int64, hlc uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left, r.hlc
}

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
			shop := newStore()
			witness, till := shop.register(t), shop.register(t)
			for range 4 {
				till.write("sale")
			}
			first := node(t, witness, "", nil)
			original := node(t, till, "", nil, first.Addr().String())
			until(t, "the witness knows the original", func() bool { return till.witnessed() == 5 })
			original.Stop()
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
