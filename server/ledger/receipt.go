package ledger

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	// receiptLife is how old a sale may be that a receipt's number alone finds.
	receiptLife = 100 * 24 * time.Hour
	// receiptPause is how long a search that found nothing is not made again.
	receiptPause = time.Hour
	// receiptPage is how many entries are looked through at once.
	receiptPage = 500
	// receiptsNamed bounds how many sales an exception names.
	receiptsNamed = 5
)

// onlyReceipt reports whether a receipt's number is all that a return knows.
func onlyReceipt(r *entry.Return) bool {
	return r.Sale == uuid.Nil && r.OriginSeq == 0 && r.SaleReceipt != ""
}

// withReceipt finds the sales of the return's store with the number of its receipt,
// whichever terminal made them. It looks once every terminal of the store that ever
// delivered is heard of until the return, or for the grace: then no other sale with that number is on its
// way, and one is no guess. ok is false before that.
func (l *Ledger) withReceipt(ctx context.Context, f *fact) (sales []fact, ok bool, err error) {
	progress, err := l.o.Store.Progress(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("read progress: %w", err)
	}
	now := l.o.Clock.Now()
	patient := now.UnixMilli() < f.RecordedAt+l.o.Grace.Milliseconds()
	progress = slices.DeleteFunc(progress, func(p Progress) bool { return p.Store != f.Store })
	for _, p := range progress {
		if patient && (p.Watermark < p.Head.Seq || p.EffectiveAt < f.EffectiveAt) {
			return nil, false, nil
		}
	}
	l.mu.Lock()
	last, tried := l.searched[f.Hash]
	l.mu.Unlock()
	if tried && now.Sub(last) < receiptPause {
		return nil, false, nil
	}
	for _, p := range progress {
		if f.ret.Origin != uuid.Nil && p.Terminal != f.ret.Origin {
			continue
		}
		found, err := l.receiptsOf(ctx, p, f)
		if err != nil {
			return nil, false, err
		}
		sales = append(sales, found...)
	}
	l.mu.Lock()
	if len(l.searched) > receiptPage {
		clear(l.searched)
	}
	l.searched[f.Hash] = now
	l.mu.Unlock()
	return onePerSale(sales), true, nil
}

// receiptsOf looks through one journal, whose times never run back.
func (l *Ledger) receiptsOf(ctx context.Context, p Progress, f *fact) ([]fact, error) {
	w := Waiting{Terminal: p.Terminal, Epoch: p.Epoch, Branch: p.Branch}
	var failed error
	first := sort.Search(int(p.AppliedSeq), func(n int) bool {
		w.AppliedSeq = uint64(n)
		rows, err := l.o.Store.WaitingEntries(ctx, w, 1)
		if err != nil {
			failed = err
		}
		return len(rows) == 0 || rows[0].EffectiveAt >= f.EffectiveAt-receiptLife.Milliseconds()
	})
	var out []fact
	for w.AppliedSeq = uint64(first); failed == nil && w.AppliedSeq < p.AppliedSeq; {
		rows, err := l.o.Store.WaitingEntries(ctx, w, receiptPage)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		for _, e := range rows {
			w.AppliedSeq = e.Seq
			if e.EffectiveAt > f.EffectiveAt || e.Seq > p.AppliedSeq {
				return out, nil
			}
			if e.Kind != entry.KindSale {
				continue
			}
			if sale, ok := factOf(e); ok && sale.sale != nil && sale.sale.Receipt == f.ret.SaleReceipt {
				out = append(out, sale)
			}
		}
	}
	return out, failed
}

// onePerSale leaves one of several entries of one sale, as after a fork.
func onePerSale(sales []fact) []fact {
	slices.SortFunc(sales, byEffect)
	seen := map[uuid.UUID]bool{}
	return slices.DeleteFunc(sales, func(f fact) bool {
		was := seen[f.sale.ID]
		seen[f.sale.ID] = true
		return was
	})
}

// ambiguous leaves a return to a person: which of several sales came back is no
// matter for a guess. The return is not tried again.
func (l *Ledger) ambiguous(ctx context.Context, w AwaitedReturn, f *fact, sales []fact) error {
	hashes := make([]byte, 0, receiptsNamed*len(journal.Hash{}))
	for _, sale := range sales[:min(len(sales), receiptsNamed)] {
		hashes = append(hashes, sale.Hash[:]...)
	}
	if err := l.leaveToPerson(ctx, w, f, hashes); err != nil {
		return err
	}
	step := f.step(StepAmbiguous)
	step.Cause = hashes
	return l.keepSteps(ctx, map[int][]Step{f.shard: {step}}, nil)
}

// tried is when a return was last tried that is not tried again.
const tried = 1 << 62

// leaveToPerson raises the exception that names the sales with these hashes.
func (l *Ledger) leaveToPerson(ctx context.Context, w AwaitedReturn, f *fact, hashes []byte) error {
	var names []string
	var first journal.Hash
	for hash := range slices.Chunk(hashes, len(first)) {
		var h journal.Hash
		copy(h[:], hash)
		if len(names) == 0 {
			first = h
		}
		names = append(names, h.Short())
	}
	s := newSet()
	e := unmatched(f)
	e.State, e.Cause = ExceptionOpen, "several sales have this receipt number: entries "+strings.Join(names, ", ")
	s.raise(f, 1, e)
	w.TriedAt = tried
	if err := l.o.Store.PutAwaited(ctx, w); err != nil {
		return fmt.Errorf("note return: %w", err)
	}
	return l.o.Store.SaveChanges(ctx, Changes{Exceptions: s.exceptions, Explained: []Exception{{
		ID: derivedID(f.Hash, string(ReturnUnmatched)+"/0"), Shard: f.shard, State: ExceptionWithdrawn, ExplainedBy: first, EndedAt: l.o.Clock.Now().UnixMilli(),
	}}})
}
