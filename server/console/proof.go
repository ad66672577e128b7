package console

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// Signed is a checkpoint as HQ took it in, with the key the terminal showed at its
// enrolment.
type Signed struct {
	journal.Checkpoint
	PublicKey  ed25519.PublicKey
	RecordedAt time.Time
}

// Proofs is the storage of proofs.
type Proofs interface {
	EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error)
	// EntriesBetween returns the entries of a journal with numbers from first to last, of
	// all branches, in the order of numbers.
	EntriesBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ledger.Entry, error)
	// CheckpointOver returns the first checkpoint of a branch at or after an entry, or
	// problem.NotFound.
	CheckpointOver(ctx context.Context, w journal.Writer, branch int, seq uint64) (Signed, error)
}

// Proof is the chain from an entry to a checkpoint. Steps begin with the entry; Holds says
// whether they lead from Previous to the checkpoint's head and its signature verifies.
type Proof struct {
	Writer     journal.Writer
	Previous   journal.Hash
	Steps      []ledger.Entry
	Checkpoint Signed
	Holds      bool
}

// Prover finds entries and proofs, of terminals' journals and of HQ's own.
type Prover struct {
	proofs  Proofs
	rows    OwnRows
	office  Office
	writers map[uuid.UUID]int
}

// NewProver returns a prover.
func NewProver(p Proofs, rows OwnRows, office Office) *Prover {
	return &Prover{proofs: p, rows: rows, office: office, writers: writersOf(office.HQ)}
}

// of returns where a writer's journal is kept.
func (p *Prover) of(writer uuid.UUID) Proofs {
	if in, is := p.writers[writer]; is {
		return own{rows: p.rows, office: p.office, in: in}
	}
	return p.proofs
}

// Entries returns the entries with one number, of all branches. HQ's own writers are
// writers like terminals; the store of their entries is nobody's.
func (p *Prover) Entries(ctx context.Context, writer uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error) {
	return p.of(writer).EntriesAt(ctx, writer, epoch, seq)
}

// Proof returns the proof of an entry: of the one with a hash when hash is not empty.
// problem.NotFound says that there is no such entry.
func (p *Prover) Proof(ctx context.Context, w journal.Writer, seq uint64, hash string) (Proof, error) {
	from := p.of(w.ID)
	found, err := from.EntriesAt(ctx, w.ID, w.Epoch, seq)
	if err != nil {
		return Proof{}, fmt.Errorf("read entry: %w", err)
	}
	for _, e := range found {
		if hash == "" || e.Hash.String() == hash {
			return proved(ctx, from, w, e)
		}
	}
	return Proof{}, problem.New(problem.NotFound, "no such entry")
}

// proved leads from an entry to the checkpoint over it.
func proved(ctx context.Context, from Proofs, w journal.Writer, e ledger.Entry) (Proof, error) {
	cp, err := from.CheckpointOver(ctx, w, e.Branch, e.Seq)
	if err != nil {
		return Proof{}, err
	}
	around, err := from.EntriesBetween(ctx, w, e.Seq-1, cp.Last)
	if err != nil {
		return Proof{}, fmt.Errorf("read entries: %w", err)
	}
	out := Proof{Writer: w, Checkpoint: cp, Steps: []ledger.Entry{e}}
	known := e.Seq == 1 && journal.HashEntry(w, 1, journal.Hash{}, e.Raw) == e.Hash
	for _, other := range around {
		if other.Seq == e.Seq-1 && journal.HashEntry(w, e.Seq, other.Hash, e.Raw) == e.Hash {
			out.Previous, known = other.Hash, true
		}
	}
	at := e
	for _, next := range around {
		// Of several with one number, the one that goes on from here.
		if next.Seq == at.Seq+1 && journal.HashEntry(w, next.Seq, at.Hash, next.Raw) == next.Hash {
			out.Steps, at = append(out.Steps, next), next
		}
	}
	out.Holds = known && at.Seq == cp.Last && at.Hash == cp.Head && cp.Verify(cp.PublicKey) == nil
	return out, nil
}
