package posbooks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/posbooks/match"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// readAtOnce is how many entries are read in one go.
const readAtOnce = 500

// fact is a sale, a return or a void of a journal.
type fact struct {
	match.Ours
	name   string // of the lane, as people write it
	writer journal.Writer
	seq    uint64
	source journal.Hash
}

// lane is the journal of a terminal, which is read from one place on.
type lane struct {
	writer journal.Writer
	name   string
	head   uint64
	next   uint64
	page   []ledger.Entry
}

// reader reads the journals of a store day by day, each entry once.
type reader struct {
	s     *Service
	place Place
	lanes []*lane
	known map[string]bool // names of lanes, folded
}

// folded is how names of lanes are compared.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// starts is when a business day begins.
func (p Place) starts(day entry.Date) time.Time {
	at := day.Time()
	return time.Date(at.Year(), at.Month(), at.Day(), 0, int(p.Ends/time.Minute), 0, 0, p.Zone) // of the wall clock
}

// terminals are those of a store at which its till software runs, by id.
func (s *Service) terminals(ctx context.Context, store uuid.UUID) (map[uuid.UUID]string, error) {
	const size = 200
	out := map[uuid.UUID]string{}
	var after uuid.UUID
	for {
		page, err := s.env.Fleet.Terminals(ctx, store, after, size)
		if err != nil {
			return nil, fmt.Errorf("list terminals: %w", err)
		}
		for _, t := range page {
			if after = t.ID; !s.env.Virtual(t.Name) {
				out[t.ID] = t.Name
			}
		}
		if len(page) < size {
			return out, nil
		}
	}
}

// heads are the names of a store's terminals and where their journals end.
func (s *Service) heads(ctx context.Context, store uuid.UUID) (map[uuid.UUID]string, map[journal.Writer]uint64, error) {
	names, err := s.terminals(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	heads, err := s.env.Store.JournalHeads(ctx, slices.Collect(maps.Keys(names)))
	if err != nil {
		return nil, nil, fmt.Errorf("read heads of journals: %w", err)
	}
	return names, heads, nil
}

// journals opens the journals of a store where a day begins.
func (s *Service) journals(ctx context.Context, place Place, from entry.Date) (*reader, error) {
	names, heads, err := s.heads(ctx, place.Store)
	if err != nil {
		return nil, err
	}
	r := &reader{s: s, place: place, known: map[string]bool{}}
	for _, name := range names {
		r.known[folded(name)] = true
	}
	for w, head := range heads {
		l := &lane{writer: w, name: names[w.ID], head: head}
		if err := r.seek(ctx, l, place.starts(from).UnixMilli()); err != nil {
			return nil, err
		}
		r.lanes = append(r.lanes, l)
	}
	slices.SortFunc(r.lanes, func(a, b *lane) int { return strings.Compare(a.writer.String(), b.writer.String()) })
	return r, nil
}

// seek finds the first entry of a journal that took effect at a time or later. Effective
// times never fall along a journal.
func (r *reader) seek(ctx context.Context, l *lane, at int64) error {
	first, behind := uint64(1), l.head+1
	for first < behind {
		middle := first + (behind-first)/2
		found, err := r.s.env.Store.MainEntries(ctx, l.writer, middle, l.head, 1)
		if err != nil {
			return fmt.Errorf("look for an entry: %w", err)
		}
		if len(found) == 0 || found[0].EffectiveAt >= at {
			behind = middle
		} else {
			first = found[0].Seq + 1
		}
	}
	l.next = first
	return nil
}

// day reads the facts of the next day; days come in order. Undoes is set where a sale is of
// the same day.
func (r *reader) day(ctx context.Context, day entry.Date) ([]fact, error) {
	before := r.place.starts(day.Next()).UnixMilli()
	var out []fact
	sales, voids := map[sold]int{}, map[int]sold{}
	for _, l := range r.lanes {
		for {
			e, ok, err := r.peek(ctx, l)
			if err != nil {
				return nil, err
			}
			if !ok || e.EffectiveAt >= before {
				break
			}
			l.next, l.page = e.Seq+1, l.page[1:]
			f, id, undone, ok := r.fact(l, e)
			if !ok {
				continue
			}
			if f.Kind == match.Sale {
				sales[sold{l.writer.ID, id}] = len(out)
			} else if f.Kind == match.Void {
				voids[len(out)] = sold{l.writer.ID, undone}
			}
			out = append(out, f)
		}
	}
	return out, r.undo(ctx, out, sales, voids)
}

// peek returns the next entry of a lane that counts.
func (r *reader) peek(ctx context.Context, l *lane) (ledger.Entry, bool, error) {
	for len(l.page) == 0 {
		if l.next > l.head {
			return ledger.Entry{}, false, nil
		}
		page, err := r.s.env.Store.MainEntries(ctx, l.writer, l.next, l.head, readAtOnce)
		if err != nil {
			return ledger.Entry{}, false, fmt.Errorf("read entries: %w", err)
		}
		if len(page) == 0 {
			l.next = l.head + 1
			continue
		}
		last := page[len(page)-1].Seq
		nothing, err := r.s.env.Store.Rejected(ctx, l.writer, page[0].Seq, last)
		if err != nil {
			return ledger.Entry{}, false, fmt.Errorf("read what was rejected: %w", err)
		}
		for _, e := range page {
			if !nothing[e.Hash] {
				l.page = append(l.page, e)
			}
		}
		if len(l.page) == 0 {
			l.next = last + 1
		}
	}
	return l.page[0], true, nil
}

// isFact says whether entries of a kind are in the books of a till software.
func isFact(k entry.Kind) bool {
	return k == entry.KindSale || k == entry.KindReturn || k == entry.KindVoid
}

// fact reads a sale, a return or a void: its id, and of a void that of its sale. What cannot
// be read is an exception of its own.
func (r *reader) fact(l *lane, e ledger.Entry) (f fact, id, undone uuid.UUID, ok bool) {
	f = fact{Ours: match.Ours{Lane: folded(l.name), At: e.EffectiveAt}, name: l.name, writer: l.writer, seq: e.Seq, source: e.Hash}
	if !isFact(e.Kind) {
		return f, id, undone, false
	}
	env, err := entry.Decode(e.Raw)
	if err != nil {
		return f, id, undone, false
	}
	switch e.Kind {
	case entry.KindSale:
		var sale entry.Sale
		if sale, err = entry.DecodeBody[entry.Sale](env); err == nil {
			f.sale(sale)
			f.Kind, id = match.Sale, sale.ID
		}
	case entry.KindReturn:
		var back entry.Return
		if back, err = entry.DecodeBody[entry.Return](env); err == nil {
			f.Kind, f.Receipt, f.Currency, f.Amount = match.Return, back.Receipt, back.Refund.Currency, back.Refund.Minor
		}
	case entry.KindVoid:
		var void entry.Void
		if void, err = entry.DecodeBody[entry.Void](env); err == nil {
			f.Kind, undone, f.Currency, f.Amount = match.Void, void.Sale, void.Total.Currency, void.Total.Minor
		}
	}
	return f, id, undone, err == nil
}

// sale takes over what a sale says of money.
func (f *fact) sale(s entry.Sale) {
	f.Receipt, f.Currency, f.Amount, f.Discount = s.Receipt, s.Total.Currency, s.Total.Minor, 0
	for _, r := range s.Redeemed {
		f.Discount = plus(f.Discount, r.Discount)
	}
}

// sold is a sale of a terminal. A void undoes one of its own.
type sold struct{ terminal, sale uuid.UUID }

// undo gives voids the number and the money of their sales.
func (r *reader) undo(ctx context.Context, facts []fact, sales map[sold]int, voids map[int]sold) error {
	elsewhere := map[uuid.UUID][]uuid.UUID{}
	for at, id := range voids {
		if s, here := sales[id]; here {
			of := facts[s]
			facts[at].Receipt, facts[at].Currency, facts[at].Amount, facts[at].Discount, facts[at].Undoes = of.Receipt, of.Currency, of.Amount, of.Discount, s+1
			continue
		}
		elsewhere[id.terminal] = append(elsewhere[id.terminal], id.sale)
	}
	for terminal, ids := range elsewhere {
		found, err := r.s.env.Store.SalesOf(ctx, terminal, ids)
		if err != nil {
			return fmt.Errorf("read sales that were voided: %w", err)
		}
		for at, id := range voids {
			if sale, ok := found[id.sale]; ok && id.terminal == terminal && facts[at].Undoes == 0 {
				facts[at].sale(sale)
			}
		}
	}
	return nil
}
