package lan_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

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
