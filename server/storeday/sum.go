package storeday

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// summed is what the spans of a day add up to.
type summed struct {
	figures     map[entry.Date]*daybook.Figures
	counts      map[entry.Date]uint64
	differences []ledger.Exception
}

// sum reads the entries of all spans and fills the certificate with what they say.
func (s *Service) sum(ctx context.Context, store fleet.Store, date entry.Date, spans []Span, gaps map[journal.Writer]*Gap, c *Certificate) (summed, error) {
	all := summed{figures: map[entry.Date]*daybook.Figures{date: {}}, counts: map[entry.Date]uint64{}}
	kinds := map[string]Exceptions{}
	c.Journals = []Journal{}
	for _, span := range spans {
		head, none, err := s.addLane(ctx, store, date, span, &all)
		if err != nil {
			return summed{}, err
		}
		w := span.Lane.Writer
		covered := Journal{
			Terminal: w.ID, Name: span.Lane.Name, Epoch: w.Epoch, First: span.First, Last: span.Last, Over: span.Lane.Over, Gap: gaps[w], Rejected: none,
		}
		if span.Last >= span.First {
			covered.Head = head.String()
		}
		c.Journals = append(c.Journals, covered)
		rows, err := s.env.Store.ExceptionsWithin(ctx, w, span.First, span.Last)
		if err != nil {
			return summed{}, fmt.Errorf("count exceptions: %w", err)
		}
		for _, r := range rows {
			k := kinds[r.Kind]
			kinds[r.Kind] = Exceptions{r.Kind, k.Open + r.Open, k.Settled + r.Settled, k.Amount + r.Amount}
		}
	}
	for _, d := range slices.Sorted(maps.Keys(all.figures)) {
		var filled entry.DayClose
		all.figures[d].Fill(&filled)
		shown := figuresOf(d, all.counts[d], filled)
		if d == date {
			c.Day = shown
		} else {
			c.Late = append(c.Late, shown)
		}
	}
	c.Exceptions = slices.SortedFunc(maps.Values(kinds), func(a, b Exceptions) int { return cmp.Compare(a.Kind, b.Kind) })
	c.Differences = len(all.differences)
	return all, nil
}

// addLane adds one lane's span and returns the hash of its last entry, and the entries that
// count for nothing.
func (s *Service) addLane(ctx context.Context, store fleet.Store, date entry.Date, span Span, all *summed) (head journal.Hash, none []uint64, err error) {
	// A certificate ends at a close, unless the journal had none to come.
	whole := span.First == 1
	if !whole {
		before, err := s.env.Store.MainEntries(ctx, span.Lane.Writer, span.First-1, span.First-1, 1)
		if err != nil {
			return head, nil, fmt.Errorf("read the entry before the day: %w", err)
		}
		whole = len(before) == 1 && before[0].Kind == entry.KindDayClose
	}
	t := newTally(span.First, whole)
	hashes, near := map[uint64]journal.Hash{}, map[uuid.UUID]entry.Sale{}
	for next := span.First; next <= span.Last; {
		entries, err := s.env.Store.MainEntries(ctx, span.Lane.Writer, next, span.Last, readAtOnce)
		if err != nil {
			return head, nil, fmt.Errorf("read the entries of a day: %w", err)
		}
		if len(entries) == 0 {
			return head, nil, fmt.Errorf("read the entries of a day: journal %d of terminal %s has none at %d", span.Lane.Writer.Epoch, span.Lane.Writer.ID, next)
		}
		sales, err := s.undone(ctx, span.Lane.Writer, entries, near)
		if err != nil {
			return head, nil, err
		}
		rejected, err := s.rejected(ctx, span.Lane.Writer, entries)
		if err != nil {
			return head, nil, err
		}
		for _, e := range entries {
			r := Read{Seq: e.Seq, Hash: e.Hash, Raw: e.Raw, Nothing: rejected[e.Hash], Sale: sales[e.Seq]}
			if r.Nothing {
				none = append(none, e.Seq)
			}
			if e.Kind == entry.KindDayClose {
				hashes[e.Seq] = e.Hash
			}
			t.add(r, date)
			head, next = e.Hash, e.Seq+1
		}
	}
	for at, f := range t.byDate {
		all.add(at, f, t.counts[at])
	}
	for _, d := range t.differences() {
		all.differences = append(all.differences, exceptionOf(store, span.Lane.Writer, d, hashes[d.Seq], s.env.Clock.Now().UnixMilli()))
	}
	return head, none, nil
}

func (a *summed) add(date entry.Date, f *daybook.Figures, n uint64) {
	if a.figures[date] == nil {
		a.figures[date] = &daybook.Figures{}
	}
	a.figures[date].Merge(f)
	a.counts[date] += n
}

// rejected names the entries that count for nothing, as a person decided: only what a
// terminal that is shut out delivered can be among them.
func (s *Service) rejected(ctx context.Context, w journal.Writer, entries []ledger.Entry) (map[journal.Hash]bool, error) {
	if !slices.ContainsFunc(entries, func(e ledger.Entry) bool { return !e.Proven }) {
		return nil, nil
	}
	out, err := s.env.Store.Rejected(ctx, w, entries[0].Seq, entries[len(entries)-1].Seq)
	if err != nil {
		return nil, fmt.Errorf("read what was rejected: %w", err)
	}
	return out, nil
}

// undone finds the sales that the voids among entries undo, by the void's number. A sale
// of a member is found by its id. One without a member is in no account: it stands before
// the void in the same journal. near are those of the page before.
func (s *Service) undone(ctx context.Context, w journal.Writer, entries []ledger.Entry, near map[uuid.UUID]entry.Sale) (map[uint64]*entry.Sale, error) {
	voids := map[uint64]entry.Void{}
	var ids []uuid.UUID
	for _, e := range entries {
		if sale, ok := anonymous(e); ok {
			near[sale.ID] = sale
		}
		if v, ok := bodyOf[entry.Void](e, entry.KindVoid); ok {
			voids[e.Seq] = v
			ids = append(ids, v.Sale)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	sales, err := s.env.Store.SalesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("find the sales of voids: %w", err)
	}
	out := map[uint64]*entry.Sale{}
	for seq, v := range voids {
		sale, ok := sales[v.Sale]
		if !ok {
			sale, ok = near[v.Sale]
		}
		if !ok {
			if sale, ok, err = s.before(ctx, w, entries[0].Seq, v.Sale); err != nil {
				return nil, err
			}
		}
		if ok {
			out[seq] = &sale
		}
	}
	return out, nil
}

// farthest is how many entries before a day are searched for a sale without a member: a
// till of a busy lane writes so many in a week.
const farthest = 20000

// before looks for a sale without a member in front of an entry.
func (s *Service) before(ctx context.Context, w journal.Writer, seq uint64, id uuid.UUID) (entry.Sale, bool, error) {
	for last, stop := seq-1, seq-min(seq, farthest); last > stop; {
		first := last - min(last, readAtOnce) + 1
		entries, err := s.env.Store.MainEntries(ctx, w, first, last, readAtOnce)
		if err != nil {
			return entry.Sale{}, false, fmt.Errorf("find the sale of a void: %w", err)
		}
		for _, e := range entries {
			if sale, ok := anonymous(e); ok && sale.ID == id {
				return sale, true, nil
			}
		}
		last = first - 1
	}
	return entry.Sale{}, false, nil
}

func anonymous(e ledger.Entry) (entry.Sale, bool) {
	sale, ok := bodyOf[entry.Sale](e, entry.KindSale)
	return sale, ok && sale.Account == uuid.Nil
}

// bodyOf reads an entry of a kind. One that cannot be read is an exception of its own.
func bodyOf[T any](e ledger.Entry, kind entry.Kind) (body T, ok bool) {
	if e.Kind != kind {
		return body, false
	}
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return body, false
	}
	body, err = entry.DecodeBody[T](env)
	return body, err == nil
}

func exceptionOf(store fleet.Store, w journal.Writer, d Difference, source journal.Hash, now int64) ledger.Exception {
	return ledger.Exception{
		ID:    uuid.NewSHA1(uuid.Nil, append(source[:], string(ledger.DayCloseDiffers)+d.Figure...)),
		Shard: shard.Of(w.ID), Kind: ledger.DayCloseDiffers, State: ledger.ExceptionOpen, Liable: "store",
		Cause:  fmt.Sprintf("the close of %s says of its %s %s; the entries say %s", d.Date, d.Figure, d.Said, d.Found),
		Source: source, Terminal: w.ID, Epoch: w.Epoch, Seq: d.Seq, Store: store.ID, OccurredAt: now, RecordedAt: now,
	}
}
