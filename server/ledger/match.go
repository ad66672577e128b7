package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/journal"
)

// matchAtOnce bounds how many waiting returns are tried after a set.
const matchAtOnce = 50

// await notes what undoes a sale that must be found first.
func (l *Ledger) await(ctx context.Context, facts []fact) error {
	for _, f := range facts {
		if !f.awaits() {
			continue
		}
		err := l.o.Store.PutAwaited(ctx, AwaitedReturn{Terminal: f.Terminal, Epoch: f.Epoch, Seq: f.Seq, Source: f.Hash})
		if err != nil {
			return fmt.Errorf("note return: %w", err)
		}
	}
	return nil
}

// matchReturns looks for the sales of waiting returns. One that is found is posted
// in the account of its sale; one that is not is an exception that waits.
func (l *Ledger) matchReturns(ctx context.Context) error {
	waiting, err := l.o.Store.Awaited(ctx, matchAtOnce)
	if err != nil {
		return fmt.Errorf("read waiting returns: %w", err)
	}
	for _, w := range waiting {
		if w.TriedAt == tried {
			continue
		}
		err := l.o.Store.InTx(ctx, func(ctx context.Context) error { return l.matchReturn(ctx, w) })
		if err != nil && !Broken(err) { // it waits until the account of its sale can be folded
			return err
		}
	}
	return nil
}

func (l *Ledger) matchReturn(ctx context.Context, w AwaitedReturn) error {
	f, err := l.awaited(ctx, w)
	if err != nil {
		return err
	}
	if !f.undoes() { // its bytes were changed; verification names that
		return l.o.Store.DropAwaited(ctx, w)
	}
	s := newSet()
	sale, found, err := l.saleSomewhere(ctx, &f)
	if err != nil {
		return err
	}
	if !found && f.ret != nil && onlyReceipt(f.ret) && w.TriedAt != 0 {
		sales, _, err := l.withReceipt(ctx, &f)
		if err != nil {
			return err
		}
		if len(sales) > 1 {
			return l.ambiguous(ctx, w, &f, sales)
		}
		if len(sales) == 1 {
			if sale, found, err = l.o.Store.SaleAnywhere(ctx, sales[0].sale.ID, sales[0].Terminal); err != nil {
				return err
			}
		}
	}
	if !found {
		if w.TriedAt == 0 {
			s.raise(&f, 0, unmet(&f))
			if err := l.recordMatch(ctx, &f, StepAwaits, journal.Hash{}); err != nil {
				return err
			}
		}
		w.TriedAt = l.o.Clock.Now().UnixMilli()
		if err := l.o.Store.PutAwaited(ctx, w); err != nil {
			return err
		}
		return l.o.Store.SaveChanges(ctx, Changes{Exceptions: s.exceptions})
	}
	if err := l.o.Store.SaveChanges(ctx, Changes{Explained: []Exception{met(&f, sale.Source, l.o.Clock.Now().UnixMilli())}}); err != nil {
		return err
	}
	if err := l.o.Store.DropAwaited(ctx, w); err != nil {
		return err
	}
	if sale.Account != uuid.Nil { // a sale without a member has nothing to undo here
		posted := f
		posted.shard, posted.account, posted.of = sale.Shard, sale.Account, sale.Sale
		if err := l.postRouted(ctx, []fact{posted}); err != nil { // to where the sale is, whatever was linked since
			return err
		}
	} else if err := l.undoneBeside(ctx, f.Entry, sale.Sale); err != nil {
		return err
	}
	return l.recordMatch(ctx, &f, StepMatched, sale.Source)
}

// awaited reads the entry of a waiting return.
func (l *Ledger) awaited(ctx context.Context, w AwaitedReturn) (fact, error) {
	rows, err := l.o.Store.EntriesAt(ctx, w.Terminal, w.Epoch, w.Seq)
	if err != nil {
		return fact{}, fmt.Errorf("read entry: %w", err)
	}
	for _, e := range rows {
		if e.Hash != w.Source {
			continue
		}
		if e.State == Applied {
			e.State = Accepted
		}
		f, _ := factOf(e)
		f.await()
		return f, nil
	}
	return fact{}, nil
}

// unmet is the exception of a fact whose sale is not known.
func unmet(f *fact) Exception {
	if f.ret != nil {
		return unmatched(f)
	}
	return Exception{
		Kind: VoidWithoutSale, Liable: liableStore, Member: f.void.Member, Cause: "the sale it voids has not arrived",
	}
}

// met withdraws the exception of a fact whose sale was found at a time.
func met(f *fact, sale journal.Hash, at int64) Exception {
	id := derivedID(f.Hash, string(unmet(f).Kind)+"/0")
	return Exception{ID: id, Shard: f.shard, State: ExceptionWithdrawn, ExplainedBy: sale, EndedAt: at}
}

// saleSomewhere finds the posted sale that a fact undoes: by its id, or by where its
// entry stands in the journal of another terminal.
func (l *Ledger) saleSomewhere(ctx context.Context, f *fact) (SaleRow, bool, error) {
	if f.void != nil {
		return l.o.Store.SaleAnywhere(ctx, f.void.Sale, f.Terminal)
	}
	r := f.ret
	sale := r.Sale
	if sale == uuid.Nil && r.Origin != uuid.Nil && r.OriginSeq != 0 {
		rows, err := l.o.Store.EntriesAt(ctx, r.Origin, r.OriginEpoch, r.OriginSeq)
		if err != nil {
			return SaleRow{}, false, fmt.Errorf("read entry of the sale: %w", err)
		}
		for _, e := range rows {
			e.State = Accepted
			if f, ok := factOf(e); ok && f.sale != nil {
				sale = f.sale.ID
			}
		}
	}
	if sale == uuid.Nil {
		return SaleRow{}, false, nil
	}
	return l.o.Store.SaleAnywhere(ctx, sale, r.Origin)
}
