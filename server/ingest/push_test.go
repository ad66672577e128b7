package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestG4_TheSameBatchGetsTheSameReceipt(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 20)
	first := push(t, till, 1, 10)
	hq.Clock.Advance(time.Hour)
	if again := push(t, till, 1, 10); !bytes.Equal(first, again) {
		t.Error("the same batch got another receipt")
	}
	receipt, err := wire.Open[wire.Receipt](first, wire.DomainReceipt, hq.Keys, books.Start)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Seq != 10 || !bytes.Equal(receipt.Hash, till.Hashes[9][:]) || receipt.Terminal != till.ID {
		t.Errorf("receipt %+v", receipt)
	}
	push(t, till, 5, 15) // an overlap is trimmed
	push(t, till, 3, 7)  // known whole
	push(t, till, 16, 20)
	wantEntries(t, hq, 20)
	hq.Apply(t)
	hq.Verify(t)
}

func TestG6_AGapSaysWhatIsWanted(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 20)
	push(t, till, 1, 5)
	_, err := till.Push(8, 12)
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.BatchGap || p.Fields["want_seq"] != "6" {
		t.Errorf("got %v", err)
	}
	wantEntries(t, hq, 5)
}

func TestG6_AChangedBatchIsRefusedWhole(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 5)
	for name, c := range map[string]struct {
		spoil func(*wire.Batch)
		code  problem.Code
	}{
		"entry changed":     {func(b *wire.Batch) { b.Entries[2] = append(bytes.Clone(b.Entries[2]), 0) }, problem.BatchInvalid},
		"entry dropped":     {func(b *wire.Batch) { b.Entries = append(b.Entries[:2:2], b.Entries[3:]...) }, problem.BatchSignature},
		"entries exchanged": {func(b *wire.Batch) { b.Entries[1], b.Entries[2] = b.Entries[2], b.Entries[1] }, problem.BatchInvalid},
		"head forged":       {func(b *wire.Batch) { b.Head[0]++ }, problem.BatchSignature},
		"signature forged":  {func(b *wire.Batch) { b.Signature[0]++ }, problem.BatchSignature},
		"no entries":        {func(b *wire.Batch) { b.Entries = nil }, problem.BatchInvalid},
		"no first number":   {func(b *wire.Batch) { b.First = 0 }, problem.BatchInvalid},
		"number overflows":  {func(b *wire.Batch) { b.First = 1<<64 - 1 }, problem.BatchInvalid},
		"short hash":        {func(b *wire.Batch) { b.Prev = b.Prev[:31] }, problem.BatchInvalid},
		"first follows":     {func(b *wire.Batch) { b.Prev[0] = 1 }, problem.BatchInvalid},
		"other terminal":    {func(b *wire.Batch) { b.Terminal[0]++ }, problem.BatchInvalid},
		"newer wire":        {func(b *wire.Batch) { b.V = 9 }, problem.WireVersion},
		"too many":          {func(b *wire.Batch) { b.Entries = make([][]byte, wire.MaxBatchEntries+1) }, problem.BatchTooLarge},
		"entry too large":   {func(b *wire.Batch) { b.Entries[1] = make([]byte, entry.MaxSize+1) }, problem.BatchInvalid},
		"empty entry":       {func(b *wire.Batch) { b.Entries[1] = nil }, problem.BatchInvalid},
		"too large in all":  {func(b *wire.Batch) { b.Entries = large() }, problem.BatchTooLarge},
	} {
		b := till.Batch(1, 5)
		b.Entries = append([][]byte(nil), b.Entries...)
		c.spoil(&b)
		_, err := hq.Ingest.Push(context.Background(), till.Terminal(), b, books.Start)
		if err == nil || problem.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	wantEntries(t, hq, 0)
}

func large() [][]byte {
	var out [][]byte
	for range 17 {
		out = append(out, make([]byte, entry.MaxSize))
	}
	return out
}

func TestG6_ACloneIsAFork(t *testing.T) {
	for _, c := range []struct {
		name        string
		first, last func(clone *books.Till) int
	}{
		{"from the last common entry", func(*books.Till) int { return 11 }, func(c *books.Till) int { return len(c.Entries) }},
		{"from before it", func(*books.Till) int { return 6 }, func(c *books.Till) int { return len(c.Entries) }},
		{"from the first entry", func(*books.Till) int { return 1 }, func(c *books.Till) int { return len(c.Entries) }},
		{"from after it", func(*books.Till) int { return 13 }, func(c *books.Till) int { return len(c.Entries) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			hq := books.New(t)
			account := hq.Member(t, "ann", 1000)
			till := longTill(t, hq, 10)
			clone := till.Clone()
			for range 5 {
				till.Sell(t, account, 1000, 10)
			}
			clone.Void(t, uuid.NewSHA1(clone.ID, []byte("no sale")), uuid.Nil)
			for range 6 {
				clone.Sell(t, account, 1000, 20)
			}
			push(t, till, 1, len(till.Entries))
			receipt := push(t, clone, c.first(clone), c.last(clone))
			if again := push(t, clone, c.first(clone), c.last(clone)); !bytes.Equal(receipt, again) {
				t.Error("the forked batch got another receipt")
			}
			if !hq.Quarantined(till.ID) {
				t.Error("the terminal was not quarantined")
			}
			list := hq.Exceptions(t, ledger.Fork)
			if len(list) != 1 || list[0].Terminal != till.ID {
				t.Errorf("exceptions: %+v", list)
			}
			// What is missing of the clone's branch may come later.
			push(t, clone, 9, len(clone.Entries))
			wantEntries(t, hq, 15+7)
			// The honest branch goes on.
			till.Sell(t, account, 1000, 10)
			push(t, till, 15, 16)
			hq.Apply(t)
			hq.Verify(t)
			if got := hq.Holding(t, account, "points"); got.Free != 1000-6*10+6*9-6*20+6*9 {
				t.Errorf("points: %+v", got)
			}
		})
	}
}

// A copy of an epoch that has ended may deliver long after the terminal enrolled
// again; that shuts nobody out.
func TestG6_AForkOfAnEndedEpochShutsNobodyOut(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 10)
	clone := till.Clone()
	till.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	clone.Write(t, entry.KindNote, entry.Note{Code: entry.NoteJournalCut})
	push(t, till, 1, len(till.Entries))
	clone.State = ingest.StateQuarantined // as fleet.Deliverer says of an ended epoch
	push(t, clone, 1, len(clone.Entries))
	if len(hq.Exceptions(t, ledger.Fork)) != 1 {
		t.Error("nobody is told of the fork")
	}
	if hq.Quarantined(till.ID) {
		t.Error("the terminal is shut out for what its last epoch did")
	}
}

func TestG6_AForkPostsOneSaleOnce(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 1000)
	till := longTill(t, hq, 3)
	clone := till.Clone()
	sale := till.Sale(t, account, 1000, 100)
	till.Write(t, entry.KindSale, sale)
	clone.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	clone.Write(t, entry.KindSale, sale)
	push(t, till, 1, 4)
	push(t, clone, 1, 5)
	hq.Apply(t)
	hq.Verify(t)
	if h := hq.Holding(t, account, "points"); h.Free != 1000-100+9 {
		t.Errorf("points: %+v", h)
	}
	if list := hq.Exceptions(t, ledger.SaleRepeated); len(list) != 1 {
		t.Errorf("exceptions: %+v", list)
	}
}

func TestG5_OneUnreadableEntryStopsNoOther(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	till := longTill(t, hq, 2)
	till.WriteRaw([]byte("no cbor at all"))
	till.Write(t, entry.KindSale, map[int]string{1: "no sale"})
	till.Write(t, 999, entry.Note{Code: 1})
	till.Write(t, entry.KindReturn, entry.Note{Code: 1})
	till.WriteRaw(newerVersion(t, till))
	till.Sell(t, account, 1000, 0)
	push(t, till, 1, 8)
	hq.Apply(t)
	hq.Verify(t)
	if h := hq.Holding(t, account, "points"); h.Free != 10 {
		t.Errorf("points: %+v", h)
	}
	status, err := hq.Ledger.Status(context.Background())
	if err != nil || status.Quarantined != 3 || status.Parked != 2 || status.Applied != 3 {
		t.Errorf("status: %+v, %v", status, err)
	}
	if list := hq.Exceptions(t, ledger.Unreadable); len(list) != 3 {
		t.Errorf("exceptions: %+v", list)
	}
	progress, err := hq.Ledger.Progress(context.Background())
	if err != nil || progress[0].AppliedSeq != 8 || progress[0].Watermark != 2 {
		t.Errorf("progress: %+v, %v", progress, err)
	}
}

// newerVersion is an entry as a later release would write it.
func newerVersion(t *testing.T, till *books.Till) []byte {
	t.Helper()
	raw := bytes.Clone(till.Entries[0])
	if raw[1] != 1 || raw[2] != entry.Version {
		t.Fatalf("the envelope begins with %x", raw[:4])
	}
	raw[2] = 2
	return raw
}

func TestHelloFindsTheCommonHead(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 10)
	hello := func(acked int, head *books.Till) wire.Welcome {
		h := wire.Hello{
			V: 1, Terminal: till.ID, Epoch: 1, FirstSeq: 1,
			HeadSeq: uint64(len(head.Entries)), HeadHash: head.Hashes[len(head.Entries)-1][:],
		}
		if acked > 0 {
			h.AckedSeq, h.AckedHash = uint64(acked), head.Hashes[acked-1][:]
		}
		welcome, err := hq.Ingest.Hello(context.Background(), till.Terminal(), h, hq.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return welcome
	}
	if w := hello(0, till); w.HaveSeq != 0 {
		t.Errorf("new: %+v", w)
	}
	push(t, till, 1, 6)
	if w := hello(6, till); w.HaveSeq != 6 || !bytes.Equal(w.HaveHash, till.Hashes[5][:]) || w.RetainSeq != 0 {
		t.Errorf("behind: %+v", w)
	}
	// HQ was restored and is behind what it once acknowledged.
	if w := hello(9, till); w.HaveSeq != 6 {
		t.Errorf("restored: %+v", w)
	}
	hq.Clock.Advance(2 * time.Hour)
	if w := hello(6, till); w.RetainSeq != 6 {
		t.Errorf("retention: %+v", w)
	}
	clone := till.Clone()
	clone.Entries, clone.Hashes = clone.Entries[:4], clone.Hashes[:4]
	clone.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	if w := hello(0, clone); w.HaveSeq != 0 || len(w.HaveHash) != 0 {
		t.Errorf("contradiction: %+v", w)
	}
}

// A disk that was rolled back went on from entry 4, which HQ had acknowledged. It
// must be told a head of its own journal, or it would take HQ's for a clone's and
// send nothing: not even what it has sold since.
func TestG5_ARolledBackDiskStillDelivers(t *testing.T) {
	for name, sold := range map[string]int64{"shorter than HQ's": 2, "longer than HQ's": 20} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			account := hq.Member(t, "ann", 1000)
			till := longTill(t, hq, 10)
			push(t, till, 1, 10)
			old := till.Clone()
			old.Entries, old.Hashes = old.Entries[:4], old.Hashes[:4]
			old.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
			for range sold {
				old.Sell(t, account, 1000, 10)
			}
			last := len(old.Entries)
			welcome, err := hq.Ingest.Hello(context.Background(), old.Terminal(), wire.Hello{
				V: 1, Terminal: old.ID, Epoch: 1, FirstSeq: 1, HeadSeq: uint64(last), HeadHash: old.Hashes[last-1][:],
				AckedSeq: 4, AckedHash: old.Hashes[3][:],
			}, hq.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			if welcome.HaveSeq != 4 || !bytes.Equal(welcome.HaveHash, old.Hashes[3][:]) {
				t.Fatalf("HQ has %d, %x: not a head of this journal", welcome.HaveSeq, welcome.HaveHash)
			}
			push(t, old, 5, last)
			if !hq.Quarantined(till.ID) || len(hq.Exceptions(t, ledger.Fork)) != 1 {
				t.Error("the fork was not seen")
			}
			wantEntries(t, hq, 10+1+sold)
			hq.Apply(t)
			hq.Verify(t)
		})
	}
}

// one knows one till.
type one struct{ *books.Till }

func (o one) Deliverer(context.Context, uuid.UUID, uint32) (ingest.Terminal, error) {
	return o.Terminal(), nil
}

func (o one) Adopt(context.Context, []byte) error { return nil }

func TestG4_ImportTakesAnExportOnce(t *testing.T) {
	hq := books.New(t)
	till := longTill(t, hq, 30)
	push(t, till, 1, 12)
	runs := [][2]int{{5, 14}, {15, 30}}
	for i, c := range []struct {
		end  bool
		want ingest.Imported
		code problem.Code
	}{
		{false, ingest.Imported{Batches: 2, Entries: 26, New: 18}, problem.ExportIncomplete}, // what it holds is in all the same
		{true, ingest.Imported{Batches: 2, Entries: 26}, ""},
	} {
		var file bytes.Buffer
		if err := till.Export(&file, runs, c.end); err != nil {
			t.Fatal(err)
		}
		got, err := hq.Ingest.Import(context.Background(), &file, one{till}, uuid.Nil, books.Start)
		if c.code == "" && err != nil || c.code != "" && problem.CodeOf(err) != c.code || got != c.want {
			t.Errorf("import %d: %+v, %v", i, got, err)
		}
	}
	wantEntries(t, hq, 30)
	hq.Apply(t)
	hq.Verify(t)
}

func TestBackpressureSaysWhenToComeAgain(t *testing.T) {
	limiter := ingest.NewLimiter(10)
	release, err := limiter.Acquire(50)
	if err != nil {
		t.Fatalf("a single batch is always let in: %v", err)
	}
	_, err = limiter.Acquire(1)
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Backpressure || p.RetryAfter < 1 {
		t.Errorf("got %v", err)
	}
	release()
	if _, err := limiter.Acquire(1); err != nil {
		t.Error(err)
	}
}

func longTill(t *testing.T, hq *books.HQ, n int) *books.Till {
	t.Helper()
	till := hq.Till(t, "1")
	for len(till.Entries) < n {
		till.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	}
	return till
}

func push(t *testing.T, till *books.Till, first, last int) []byte {
	t.Helper()
	receipt, err := till.Push(first, last)
	if err != nil {
		t.Fatalf("push %d to %d: %v", first, last, err)
	}
	return receipt
}

func wantEntries(t *testing.T, hq *books.HQ, want int64) {
	t.Helper()
	status, err := hq.Ledger.Status(context.Background())
	if err != nil || status.Entries != want {
		t.Errorf("%d entries are stored, want %d; %v", status.Entries, want, err)
	}
}
