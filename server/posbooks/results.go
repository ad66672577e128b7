package posbooks

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/posbooks/match"
)

// keep stores what a day came to that had a mark before it was read.
func (s *Service) keep(ctx context.Context, place Place, d sheetOf, mark int64) error {
	day := Day{Store: place.Store, Date: d.day, Outside: int64(len(d.matched.Outside)), Undone: int64(len(d.matched.UndoneOurs) + len(d.matched.UndoneTheirs)), MatchedAt: s.now(), Mark: mark}
	var all []Found
	if len(d.theirs) > 0 || len(d.found) > 0 {
		all = s.receipts(place, d)
	}
	if len(d.totals) > 0 {
		all = append(all, totals(place, d)...)
	}
	names := map[uuid.UUID]int{}
	for i, f := range all {
		switch f.Outcome {
		case Matched:
			day.Matched++
		case MissingHere:
			day.MissingHere++
		case MissingThere:
			day.MissingThere++
		case Different:
			day.Different++
		}
		// Rows that are the same in everything are told by their number.
		if n := names[f.ID]; n > 0 {
			all[i].ID = uuid.NewSHA1(f.ID, fmt.Append(nil, n))
		}
		names[f.ID]++
	}
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error { return s.env.Store.PutPosResults(ctx, day, all) })
	if err != nil {
		return fmt.Errorf("keep results of %s: %w", d.day, err)
	}
	return nil
}

// receipts are the results of a day's receipts. Without a receipt in the books nothing is
// missing there: the books of the day have not come.
func (s *Service) receipts(place Place, d sheetOf) []Found {
	out := d.found
	for _, p := range d.matched.Pairs {
		out = append(out, pairOf(place, &d, p, d.theirs[p.Theirs], d.ours[p.Ours]))
	}
	for _, i := range d.matched.MissingHere {
		k := d.theirs[i]
		out = append(out, Found{
			ID: theirID(place, k), Store: place.Store, Day: d.day, Outcome: MissingHere, Amount: k.Amount, Discount: k.Discount, Theirs: theirSide(k), Import: k.Import, Line: k.Line,
		})
	}
	if len(d.theirs) == 0 {
		return out
	}
	for _, j := range d.matched.MissingThere {
		o := d.ours[j]
		out = append(out, Found{
			ID: uuid.NewSHA1(place.Store, o.source[:]), Store: place.Store, Day: d.day, Outcome: MissingThere, Amount: -o.Amount, Discount: -o.Discount,
			Ours: ourSide(o), Writer: o.writer, Seq: o.seq, Source: o.source,
		})
	}
	return out
}

func pairOf(place Place, d *sheetOf, p match.Pair, k Kept, o fact) Found {
	f := Found{
		ID: theirID(place, k), Store: place.Store, Day: d.day, Outcome: Matched, By: p.By, Differs: p.Differs, Amount: p.Amount, Discount: p.Discount, Apart: p.Time.Milliseconds(),
		Theirs: theirSide(k), Ours: ourSide(o), Import: k.Import, Line: k.Line, Writer: o.writer, Seq: o.seq, Source: o.source,
	}
	if p.Differs != 0 {
		f.Outcome = Different
	}
	return f
}

// theirID names a row of a store by what it says, so that it is the same in a file that is
// sent again.
func theirID(place Place, k Kept) uuid.UUID {
	return uuid.NewSHA1(place.Store, fmt.Appendf(nil, "%q %q %d %d %d %s %d %d %t", k.Receipt, k.Lane, k.Day, k.At, k.Kind, k.Currency, k.Amount, k.Discount, k.Total))
}

func theirSide(k Kept) Side {
	return Side{k.Receipt, k.Lane, k.At, k.Kind, k.Currency, k.Amount, k.Discount, k.Count}
}

func ourSide(o fact) Side {
	return Side{Receipt: o.Receipt, Lane: o.name, At: o.At, Kind: o.Kind, Currency: o.Currency, Amount: o.Amount, Discount: o.Discount}
}

// totals are the results of a day's sums.
func totals(place Place, d sheetOf) (out []Found) {
	rows := make([]match.Total, len(d.totals))
	from := map[match.TotalKey]Kept{}
	for i, k := range d.totals {
		key := match.TotalKey{Lane: folded(k.Lane), Kind: k.Kind, Currency: k.Currency}
		rows[i] = match.Total{TotalKey: key, Amount: k.Amount, Paid: k.Paid, Discount: k.Discount, HasDiscount: k.HasDiscount, Count: k.Count, HasCount: k.HasCount}
		from[key] = k
	}
	for _, p := range match.Totals(rows, d.facts, d.rules.Tolerance()) {
		f := Found{Store: place.Store, Day: d.day, Total: true, Differs: p.Differs, Amount: p.Amount, Discount: p.Discount}
		switch {
		case !p.There:
			f.Outcome, f.Amount, f.Discount = MissingThere, -p.Ours.Amount, -p.Ours.Discount
		case !p.Here && p.Differs != 0:
			f.Outcome = MissingHere
		case p.Differs != 0:
			f.Outcome = Different
		default:
			f.Outcome = Matched
		}
		if p.Here {
			f.Ours = Side{Lane: p.Ours.Lane, Kind: p.Ours.Kind, Currency: p.Ours.Currency, Amount: p.Ours.Amount, Discount: p.Ours.Discount, Count: p.Ours.Count}
		}
		if p.There {
			k := from[p.Theirs.TotalKey]
			f.ID, f.Theirs, f.Import, f.Line = theirID(place, k), theirSide(k), k.Import, k.Line
		} else {
			f.ID = uuid.NewSHA1(place.Store, fmt.Appendf(nil, "%d %q %d %s", d.day, p.Ours.Lane, p.Ours.Kind, p.Ours.Currency))
		}
		out = append(out, f)
	}
	return out
}
