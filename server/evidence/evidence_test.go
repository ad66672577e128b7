package evidence_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

func service(hq *books.HQ) *evidence.Service {
	return evidence.New(hq.DB, console.NewProver(hq.DB, hq.DB, console.Office{HQ: hq.ID, Keys: hq.Keys}))
}

func push(t *testing.T, till *books.Till, first, last int) {
	t.Helper()
	if _, err := till.Push(first, last); err != nil {
		t.Fatal(err)
	}
}

// A fork shows both branches by number, what each sold, and proofs that hold.
func TestG6_AForkIsSeenSideBySide(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 1000)
	till := hq.Till(t, "one")
	till.Sell(t, account, 500, 0)
	common := len(till.Entries)
	clone := till.Clone()
	till.Sell(t, account, 1000, 10)
	till.Sell(t, account, 1000, 0)
	clone.Sell(t, account, 3000, 20)
	push(t, till, 1, len(till.Entries))
	push(t, clone, common+1, len(clone.Entries))
	hq.Apply(t)
	found := hq.Exceptions(t, ledger.Fork)
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	b, err := service(hq).Of(t.Context(), found[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	f := b.Fork
	if f == nil || f.At != uint64(common+1) || len(f.Branches) != 2 || f.Cut {
		t.Fatalf("%+v", f)
	}
	for i, want := range []struct {
		entries int
		sold    int64
	}{{2, 2000}, {1, 3000}} {
		got := f.Branches[i]
		sale := slices.IndexFunc(got.Sums, func(s console.Sum) bool { return s.Figure == console.FigureSale })
		if got.Entries != want.entries || sale < 0 || got.Sums[sale].Amount != want.sold || got.Checkpoint == nil {
			t.Errorf("branch %d: %+v", i, got)
		}
	}
	for _, r := range f.Rows {
		same := r.Cells[0] != nil && r.Cells[1] != nil && r.Cells[0].Hash == r.Cells[1].Hash
		if before := r.Seq <= uint64(common); before != same || r.Differs != (r.Seq == uint64(common+1)) {
			t.Errorf("row %d: %+v", r.Seq, r)
		}
	}
	if len(b.Entries) != 2 {
		t.Fatalf("%d entries", len(b.Entries))
	}
	for _, e := range b.Entries {
		if e.Proof == nil || !e.Proof.Holds {
			t.Errorf("entry %d of branch %d: %+v", e.Entry.Seq, e.Entry.Branch, e.Proof)
		}
	}
}

// Of a journal of which much was seen elsewhere, so many heads are told, and that there are more.
func TestAForkTellsSoManyHeads(t *testing.T) {
	hq := books.New(t)
	till := hq.Till(t, "one")
	till.Sell(t, hq.Member(t, "ann", 100), 500, 0)
	push(t, till, 1, len(till.Entries))
	w := journal.Writer{ID: till.ID, Epoch: 1}
	for n := range 100 {
		err := hq.DB.SaveWitnessed(t.Context(), ingest.Witnessed{
			Writer: w, Head: journal.Head{Seq: uint64(1000 + n), Hash: journal.Hash{byte(n)}}, By: ledger.Entry{Terminal: uuid.New(), Epoch: 1, Seq: 1},
			Signed: wire.SignedHead{Head: []byte{1}, Signature: []byte{1}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	x := ledger.Exception{
		ID: uuid.New(), Shard: shard.Of(till.ID), Kind: ledger.Fork, State: ledger.ExceptionOpen, Terminal: till.ID, Epoch: 1, Seq: 1,
		RecordedAt: hq.Clock.Now().UnixMilli(),
	}
	if err := hq.DB.AddExceptions(t.Context(), []ledger.Exception{x}); err != nil {
		t.Fatal(err)
	}
	b, err := service(hq).Of(t.Context(), x.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Fork.Heads) != 60 || !b.Fork.Cut || b.Fork.Heads[0].Head.Seq != 1000 {
		t.Errorf("%d heads, cut %t", len(b.Fork.Heads), b.Fork.Cut)
	}
}

// An overdraw shows its entry and what happened to the account around it.
func TestAnOverdrawShowsTheAccountAroundIt(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	till := hq.Till(t, "one")
	till.Sell(t, account, 0, 150)
	push(t, till, 1, len(till.Entries))
	hq.Apply(t)
	found := hq.Exceptions(t, ledger.Overdraw)
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	b, err := service(hq).Of(t.Context(), found[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) != 1 || b.Entries[0].Entry.Hash != found[0].Source || b.Entries[0].Proof == nil || !b.Entries[0].Proof.Holds {
		t.Errorf("%+v", b.Entries)
	}
	if b.Account == nil || b.Account.Cut || !slices.ContainsFunc(b.Account.Postings, func(p ledger.Posting) bool { return p.Source == found[0].Source }) {
		t.Errorf("%+v", b.Account)
	}
	if b.Fork != nil || b.Close != nil {
		t.Errorf("%+v %+v", b.Fork, b.Close)
	}
}

// A close that leaves a sale out shows by which figures, and which sale.
func TestACloseThatDiffersNamesTheEntry(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	till := hq.Till(t, "one")
	till.Sell(t, account, 500, 0)
	till.Sell(t, account, 1200, 0)
	left := len(till.Entries)
	till.Sell(t, account, 700, 0)
	last := len(till.Entries)
	till.Write(t, entry.KindDayClose, entry.DayClose{
		Date: entry.DateOf(till.Now()), First: 1, Last: uint64(last), Head: make([]byte, 32), Reason: entry.DayCloseByHand,
		Money: []entry.DayMoney{{Kind: entry.KindSale, Currency: "EUR", Count: 3, Total: 1200}},
	})
	push(t, till, 1, len(till.Entries))
	at, err := hq.DB.EntriesAt(t.Context(), till.ID, 1, uint64(last+1))
	if err != nil || len(at) != 1 {
		t.Fatal(len(at), err)
	}
	x := ledger.Exception{
		ID: uuid.New(), Shard: shard.Of(till.ID), Kind: ledger.DayCloseDiffers, State: ledger.ExceptionOpen, Source: at[0].Hash,
		Terminal: till.ID, Epoch: 1, Seq: uint64(last + 1), RecordedAt: hq.Clock.Now().UnixMilli(),
	}
	if err := hq.DB.AddExceptions(t.Context(), []ledger.Exception{x}); err != nil {
		t.Fatal(err)
	}
	b, err := service(hq).Of(t.Context(), x.ID)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Close.Lines, func(d evidence.Difference) bool { return d.Figure == "money sale EUR total" })
	if i < 0 {
		t.Fatalf("%+v", b.Close)
	}
	if d := b.Close.Lines[i]; d.Said != 1200 || d.Found != 2400 || !slices.Equal(d.Entries, []uint64{uint64(left)}) {
		t.Errorf("%+v", d)
	}
}
