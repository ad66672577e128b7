package evidence_test

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// hydra is a journal of very many branches, and counts what is proved of it.
type hydra struct {
	evidence.Store
	about    ledger.Exception
	branches []ingest.Branch
	entries  []ledger.Entry
	proved   int
}

func newHydra(n int) *hydra {
	h := &hydra{about: ledger.Exception{ID: uuid.New(), Kind: ledger.Fork, Terminal: uuid.New(), Epoch: 1, Seq: 1}}
	for i := range n {
		var hash journal.Hash
		binary.BigEndian.PutUint64(hash[:], uint64(i)+1)
		head := journal.Head{Seq: 1, Hash: hash}
		h.branches = append(h.branches, ingest.Branch{Branch: i, Head: head})
		h.entries = append(h.entries, ledger.Entry{Terminal: h.about.Terminal, Epoch: 1, Seq: 1, Hash: hash, Branch: i})
	}
	h.about.Source = h.entries[n-1].Hash
	return h
}

func (h *hydra) Exception(context.Context, uuid.UUID) (ledger.Exception, error) { return h.about, nil }

func (h *hydra) Branches(context.Context, journal.Writer) ([]ingest.Branch, error) {
	return h.branches, nil
}

func (h *hydra) EntriesAt(context.Context, uuid.UUID, uint32, uint64) ([]ledger.Entry, error) {
	return slices.Clone(h.entries), nil
}

func (h *hydra) EntriesBetween(context.Context, journal.Writer, uint64, uint64) ([]ledger.Entry, error) {
	return h.entries, nil
}

func (h *hydra) WitnessedBetween(context.Context, journal.Writer, uint64, uint64) ([]ingest.Witnessed, error) {
	return nil, nil
}

func (h *hydra) Proof(context.Context, journal.Writer, uint64, string) (console.Proof, error) {
	h.proved++
	return console.Proof{}, problem.New(problem.NotFound, "")
}

// A journal may be copied as often as somebody likes. A few branches are shown, among them
// the main one and that which the exception came with, and it says that there are more.
func TestAForkOfAThousandBranchesIsBounded(t *testing.T) {
	h := newHydra(1000)
	began := time.Now()
	b, err := evidence.New(h, h).Of(t.Context(), h.about.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d proofs in %s", h.proved, time.Since(began))
	f := b.Fork
	if len(f.Branches) != 8 || f.Branches[0].Number != 0 || f.Branches[7].Number != 999 || !f.Cut || f.At != 1 {
		t.Errorf("%d branches, cut %t, from %d", len(f.Branches), f.Cut, f.At)
	}
	if len(f.Rows) != 1 || len(f.Rows[0].Cells) != 8 || slices.Contains(f.Rows[0].Cells, nil) {
		t.Errorf("%+v", f.Rows)
	}
	if len(b.Entries) != 8 || b.Entries[7].Entry.Hash != h.about.Source || h.proved > 16 {
		t.Errorf("%d entries, %d proofs", len(b.Entries), h.proved)
	}
}

// As many as are shown are not said to be cut.
func TestEightBranchesAreShownWhole(t *testing.T) {
	h := newHydra(8)
	if b, err := evidence.New(h, h).Of(t.Context(), h.about.ID); err != nil || len(b.Fork.Branches) != 8 || b.Fork.Cut {
		t.Errorf("%+v, %v", b.Fork, err)
	}
}
