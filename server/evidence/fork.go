package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// Fork is a journal of which there are two, side by side. At is the first number at which
// they differ; zero when HQ has one of them only, and knows of the other by a witness.
type Fork struct {
	Writer   journal.Writer
	At       uint64
	Branches []Branch
	Rows     []Row
	Cut      bool // there are more branches, rows or heads, or more entries than the sums are of
	Heads    []Seen
}

// Branch is one of the journals, with what it did from the first difference on.
type Branch struct {
	Number     int
	From, Head journal.Head // what it goes on from, and its end
	Last       int64        // when HQ heard of it last, Unix milliseconds
	Entries    int
	Sums       []console.Sum
	Checkpoint *console.Signed // over the first entry that differs
}

// Row is what the branches have at one number, in their order; nil is nothing.
type Row struct {
	Seq     uint64
	Differs bool
	Cells   []*ledger.Entry
}

// Seen is a head of the journal that another terminal was shown. Branch is the one that has
// it; -1 is none.
type Seen struct {
	Head       journal.Head
	By         uuid.UUID // the terminal that was shown it
	BySeq      uint64
	ByEpoch    uint32
	RecordedAt int64
	Branch     int
}

// Rows of a fork: those before the difference and in all; how many numbers behind the
// difference are read, for the sums; and how many heads and branches are told.
const (
	maxBranches = 8
	rowsBefore  = 2
	maxRows     = 60
	maxSummed   = 4000
	maxHeads    = 60
)

// few keeps of many branches the first, of which the main one is the first, and that of a
// number.
func few(branches []ingest.Branch, about int) []ingest.Branch {
	if len(branches) <= maxBranches {
		return branches
	}
	out := slices.Clone(branches[:maxBranches])
	if i := slices.IndexFunc(branches, func(b ingest.Branch) bool { return b.Branch == about }); i >= maxBranches {
		out[maxBranches-1] = branches[i]
	}
	return out
}

// fork puts branches side by side; about is the one that the exception came with.
func (s *Service) fork(ctx context.Context, e ledger.Exception, about int) (*Fork, error) {
	w := journal.Writer{ID: e.Terminal, Epoch: e.Epoch}
	all, err := s.store.Branches(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("read branches: %w", err)
	}
	branches := few(all, about)
	from := e.Seq
	for _, b := range branches {
		if b.Branch > 0 && b.From.Seq+1 <= e.Seq {
			from = min(from, b.From.Seq+1)
		}
	}
	first := max(1, from-min(from, rowsBefore))
	entries, err := s.store.EntriesBetween(ctx, w, first, min(from+maxSummed, math.MaxInt64))
	if err != nil {
		return nil, fmt.Errorf("read branches: %w", err)
	}
	f := lineUp(w, branches, entries)
	f.Cut = f.Cut || len(branches) < len(all)
	for i := range f.Branches {
		if err := s.sign(ctx, &f, i); err != nil {
			return nil, err
		}
	}
	seen, err := s.store.WitnessedBetween(ctx, w, first, math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("read what was witnessed: %w", err)
	}
	if len(seen) > maxHeads {
		f.Cut, seen = true, seen[:maxHeads]
	}
	for _, x := range seen {
		f.Heads = append(f.Heads, Seen{Head: x.Head, By: x.By.Terminal, BySeq: x.By.Seq, ByEpoch: x.By.Epoch, RecordedAt: x.RecordedAt, Branch: branchOf(entries, x.Head)})
	}
	return &f, nil
}

// branchOf is the branch that has a head; -1 is none.
func branchOf(entries []ledger.Entry, head journal.Head) int {
	i := slices.IndexFunc(entries, func(e ledger.Entry) bool { return e.Seq == head.Seq && e.Hash == head.Hash })
	if i < 0 {
		return -1
	}
	return entries[i].Branch
}

// sign adds the checkpoint over the first entry of a branch that differs.
func (s *Service) sign(ctx context.Context, f *Fork, i int) error {
	at := slices.IndexFunc(f.Rows, func(r Row) bool { return r.Seq >= f.At && r.Cells[i] != nil })
	if at < 0 {
		return nil
	}
	p, err := s.prove(ctx, *f.Rows[at].Cells[i])
	if err == nil && p != nil {
		f.Branches[i].Checkpoint = &p.Checkpoint
	}
	return err
}

// lineUp puts the entries of a journal's branches side by side, by number. Before a branch
// leaves the main one it has the main one's entries.
func lineUp(w journal.Writer, branches []ingest.Branch, entries []ledger.Entry) Fork {
	f := Fork{Writer: w}
	at := map[int]int{}
	for _, b := range branches {
		at[b.Branch] = len(f.Branches)
		f.Branches = append(f.Branches, Branch{Number: b.Branch, From: b.From, Head: b.Head, Last: b.LastContact})
	}
	var rows []Row
	for i := range entries {
		e := &entries[i]
		column, known := at[e.Branch]
		if !known {
			continue
		}
		if len(rows) == 0 || rows[len(rows)-1].Seq != e.Seq {
			rows = append(rows, Row{Seq: e.Seq, Cells: make([]*ledger.Entry, len(f.Branches))})
		}
		rows[len(rows)-1].Cells[column] = e
	}
	for i := range rows {
		share(&rows[i], f.Branches)
		if rows[i].Differs && f.At == 0 {
			f.At = rows[i].Seq
		}
	}
	f.sum(rows)
	for _, b := range f.Branches {
		f.Cut = f.Cut || len(rows) > 0 && b.Head.Seq > rows[len(rows)-1].Seq
	}
	f.Cut = f.Cut || len(rows) > maxRows
	f.Rows = rows[:min(len(rows), maxRows)]
	return f
}

// share fills in what branches have from the main one, and sees whether they differ.
func share(r *Row, branches []Branch) {
	main := slices.IndexFunc(branches, func(b Branch) bool { return b.Number == 0 })
	var first *ledger.Entry
	for i, b := range branches {
		if r.Cells[i] == nil && main >= 0 && i != main && r.Seq <= b.From.Seq {
			r.Cells[i] = r.Cells[main]
		}
		switch e := r.Cells[i]; {
		case e == nil:
		case first == nil:
			first = e
		case e.Hash != first.Hash:
			r.Differs = true
		}
	}
}

// sum adds up what each branch did from the first difference on.
func (f *Fork) sum(rows []Row) {
	if f.At == 0 {
		return
	}
	for i := range f.Branches {
		var raw [][]byte
		for _, r := range rows {
			if e := r.Cells[i]; e != nil && r.Seq >= f.At {
				raw = append(raw, e.Raw)
			}
		}
		f.Branches[i].Entries, f.Branches[i].Sums = len(raw), console.SumsOf(raw)
	}
}
