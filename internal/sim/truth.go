package sim

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// fact is an entry of a terminal as it stands at HQ.
type record struct {
	writer journal.Writer
	seq    uint64
	hash   journal.Hash
	proven bool
	entry  entry.Entry
}

// bounds are the least and the most that a figure may be. They differ only where a part
// of a sale came back: how much of its points belongs to that part is not worked out
// here a second time.
type bounds struct{ low, high int64 }

func (b *bounds) add(n int64) { b.low, b.high = b.low+n, b.high+n }

// between adds what may have been undone wholly, partly or not at all.
func (b *bounds) between(n int64) { b.low, b.high = b.low+min(0, n), b.high+max(0, n) }

// saleName names a sale as HQ does.
type saleName struct{ terminal, sale uuid.UUID }

// story is a sale with what was done to it.
type story struct {
	sale     entry.Sale
	voided   bool
	whole    bool
	quantity map[uint16]int64
	returned bool
}

// records reads every entry that HQ has.
func (w *world) records(ctx context.Context) []record {
	rows, err := w.hq.look.QueryContext(ctx, `SELECT terminal, epoch, seq, hash, proven, raw FROM entries ORDER BY terminal, epoch, seq, hash`)
	if err != nil {
		w.fail("read entries: %v", err)
		return nil
	}
	defer rows.Close()
	var out []record
	for rows.Next() {
		var r record
		var id, hash, raw []byte
		if err := rows.Scan(&id, &r.writer.Epoch, &r.seq, &hash, &r.proven, &raw); err != nil {
			w.fail("read entries: %v", err)
			return nil
		}
		r.writer.ID, r.hash = uuid.UUID(id), journal.Hash(hash)
		if r.entry, err = entry.Decode(raw); err != nil {
			w.fail("read entries: %v", err)
			return nil
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		w.fail("read entries: %v", err)
	}
	return out
}

// truth works out what every group of accounts must have, from what HQ was told: no
// order, no lots, no books, only sums.
func (w *world) truth(records []record) map[figure]*bounds {
	out := map[figure]*bounds{}
	at := func(account uuid.UUID, unit string) *bounds {
		f := figure{w.group(account), unit}
		if out[f] == nil {
			out[f] = &bounds{}
		}
		return out[f]
	}
	for _, m := range w.moves {
		at(m.account, m.unit).add(m.amount)
	}
	known := w.known(records)
	claimers := w.claimers(records, known)
	for _, s := range w.stories(records) {
		if s.sale.Account == uuid.Nil {
			w.claimedSale(s, claimers[s.sale.Claim], at)
			continue
		}
		if !known[s.sale.Member] {
			continue // it waits in suspense: no till that could say who it is was heard of
		}
		if s.voided || s.whole {
			// What has expired is taken back without a move: it stays in breakage.
			for _, e := range s.sale.Earned {
				if e.ExpiresAt != 0 {
					at(s.sale.Account, e.Unit).between(e.Amount)
				}
			}
			continue
		}
		count := func(unit string, n int64) {
			if b := at(s.sale.Account, unit); s.returned {
				b.between(n)
			} else {
				b.add(n)
			}
		}
		for _, r := range s.sale.Redeemed {
			count(unitOf(r), -r.Amount)
		}
		for _, e := range s.sale.Earned {
			count(e.Unit, e.Amount)
		}
	}
	return out
}

// stories puts together what was told of each sale. What was not proven when it came
// waits in suspense and changes nothing.
func (w *world) stories(records []record) map[saleName]*story {
	out := map[saleName]*story{}
	for _, r := range records {
		if r.entry.Kind != entry.KindSale || !r.proven {
			continue
		}
		sale, err := entry.DecodeBody[entry.Sale](r.entry)
		if err != nil {
			w.fail("read sale: %v", err)
			return nil
		}
		if name := (saleName{r.writer.ID, sale.ID}); out[name] == nil {
			out[name] = &story{sale: sale, quantity: map[uint16]int64{}}
		}
	}
	for _, r := range records {
		switch {
		case !r.proven:
		case r.entry.Kind == entry.KindVoid:
			void, err := entry.DecodeBody[entry.Void](r.entry)
			if err != nil {
				w.fail("read void: %v", err)
				return nil
			}
			if s := out[saleName{r.writer.ID, void.Sale}]; s != nil {
				s.voided = true
			}
		case r.entry.Kind == entry.KindReturn:
			back, err := entry.DecodeBody[entry.Return](r.entry)
			if err != nil {
				w.fail("read return: %v", err)
				return nil
			}
			if s := out[saleName{back.Origin, back.Sale}]; s != nil {
				s.bring(back)
			}
		}
	}
	return out
}

// bring takes a return in: all is back when every line is.
func (s *story) bring(back entry.Return) {
	s.returned = true
	for _, line := range back.Lines {
		s.quantity[line.No] += line.Quantity
	}
	whole := true
	for _, line := range s.sale.Lines {
		whole = whole && s.quantity[line.No] >= line.Quantity
	}
	s.whole = s.whole || whole || back.Whole && back.Matched
}

// compare holds HQ's figures against the truth.
func (w *world) compare(ctx context.Context, records []record) {
	want, have := w.truth(records), w.figures(ctx)
	for f, b := range want {
		if n := have[f]; n < b.low || n > b.high {
			w.fail("G4, G7: HQ has %d %s, and by all it was told it must have %d to %d", n, w.name(f), b.low, b.high)
		}
	}
	for f, n := range have {
		if want[f] == nil && n != 0 {
			w.fail("G7: HQ has %d %s, and was told of none", n, w.name(f))
		}
	}
}
