package storeday

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Line is what one row of a waterfall adds up: money of a kind in a currency, or what a kind
// earned or redeemed of a unit.
type Line struct {
	Kind     entry.Kind
	Currency string        // of money
	Flow     entry.DayFlow // of a unit; zero with money
	Unit     string        // empty counts uses of vouchers
	Basis    entry.Basis
}

// Sum counts and adds up. Amounts are in minor units, or whole units.
type Sum struct{ Count, Amount int64 }

func (s Sum) plus(o Sum) Sum  { return Sum{s.Count + o.Count, s.Amount + o.Amount} }
func (s Sum) minus(o Sum) Sum { return Sum{s.Count - o.Count, s.Amount - o.Amount} }

// Steps lead from what terminals said to what head office certifies. Each but Said is what
// it changes, so that Said + Differs + Unclosed + Rejected + LateIn = Certified.
type Steps struct {
	Said      Sum // in their closes
	Differs   Sum // what head office finds in the same entries, less what was said
	Unclosed  Sum // entries of which no close speaks, of a journal that is over
	Rejected  Sum // entries that count for nothing, as a person decided
	LateIn    Sum // entries of dates that were certified before; they stand under their own
	Certified Sum // of the date; of a day that is not certified, what it would be now
}

func (s Steps) plus(o Steps) Steps {
	return Steps{
		s.Said.plus(o.Said), s.Differs.plus(o.Differs), s.Unclosed.plus(o.Unclosed), s.Rejected.plus(o.Rejected), s.LateIn.plus(o.LateIn),
		s.Certified.plus(o.Certified),
	}
}

// Row is a line with its steps: of all lanes, and of each in the order of
// [Waterfall.Lanes]. LateOut is what later certificates have of the date.
type Row struct {
	Line
	Steps
	LateOut Sum
	Lanes   []Steps
}

// LaneFall is one journal of a day.
type LaneFall struct {
	Journal
	Why         Why          // why the day waits for it; empty: it does not
	Closes      []Said       // those of the span
	Differences []Difference // of what closes said
}

// LateIn says that the day has entries of another date.
type LateIn struct {
	Date    entry.Date
	Entries uint64
}

// LateOut says that a later certificate has entries of the date.
type LateOut struct {
	Date    entry.Date
	Number  uint64
	Entries uint64
}

// Waterfall is how a day came to its figures.
type Waterfall struct {
	Date      entry.Date
	Certified *Certified // nil while the day is not
	HQEpoch   uint32     // of the certificate
	Lanes     []LaneFall
	Rows      []Row
	LateIn    []LateIn // by date
	LateOut   []LateOut
	// LateThrough is the last date whose certificate was looked at for LateOut; zero: all
	// there are. Those behind it may have more.
	LateThrough entry.Date
}

// Waterfall works out how a day came to its figures: that of its certificate, or as it
// stands. It reads the entries of the day. A date behind the first day that is open is
// problem.NotFound.
func (s *Service) Waterfall(ctx context.Context, id uuid.UUID, date entry.Date) (Waterfall, error) {
	store, err := s.env.Fleet.Store(ctx, id)
	if err != nil {
		return Waterfall{}, err
	}
	w := Waterfall{Date: date}
	pieces, err := s.pieces(ctx, store, &w)
	if err != nil {
		return Waterfall{}, err
	}
	late := map[entry.Date]uint64{}
	lanes := make([]map[Line]Steps, len(pieces))
	for i, p := range pieces {
		t := newTally(date)
		covered, err := s.addLane(ctx, Span{p.lane, p.First, p.Last}, t)
		if err != nil {
			return Waterfall{}, err
		}
		if p.certified {
			covered = p.Journal
		}
		w.Lanes = append(w.Lanes, LaneFall{Journal: covered, Why: p.why, Closes: t.said(), Differences: t.differences()})
		lanes[i] = t.steps()
		for of, n := range t.counts {
			if of != date {
				late[of] += n
			}
		}
	}
	for _, of := range slices.Sorted(maps.Keys(late)) {
		w.LateIn = append(w.LateIn, LateIn{of, late[of]})
	}
	out, err := s.lateOut(ctx, id, &w)
	if err != nil {
		return Waterfall{}, err
	}
	w.Rows = rowsOf(lanes, out)
	return w, nil
}

// piece is a journal's part of a day.
type piece struct {
	Journal
	lane      Lane
	why       Why
	certified bool
}

// pieces are what the certificate of a date covers, or what the next one would.
func (s *Service) pieces(ctx context.Context, store fleet.Store, w *Waterfall) (out []piece, err error) {
	kept, err := s.env.Store.Certified(ctx, store.ID, w.Date)
	if err == nil {
		says, err := kept.Read()
		if err != nil {
			return nil, err
		}
		w.Certified, w.HQEpoch = &kept, says.HQEpoch
		for _, j := range says.Journals {
			out = append(out, piece{Journal: j, lane: Lane{Writer: journal.Writer{ID: j.Terminal, Epoch: j.Epoch}, Name: j.Name, Over: j.Over, Gap: j.Gap}, certified: true})
		}
		return out, nil
	}
	if problem.CodeOf(err) != problem.NotFound {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	_, next, err := s.next(ctx, store)
	if err != nil {
		return nil, err
	}
	if next != w.Date {
		return nil, problem.Newf(problem.NotFound, "%s is not certified, and it is not the next day to be", w.Date)
	}
	lanes, err := s.lanes(ctx, store)
	if err != nil {
		return nil, err
	}
	spans, waiting := Stand(w.Date, s.over(store, w.Date), lanes)
	why := map[journal.Writer]Why{}
	for _, l := range waiting {
		why[l.Lane.Writer] = l.Why
	}
	for _, span := range spans {
		out = append(out, piece{Journal: Journal{First: span.First, Last: span.Last}, lane: span.Lane, why: why[span.Lane.Writer]})
	}
	return out, nil
}

// mostLater bounds how many later certificates are looked at: eleven years of days.
const mostLater = 10 * mostCertified

// lateOut adds up what later certificates have of the date.
func (s *Service) lateOut(ctx context.Context, id uuid.UUID, w *Waterfall) (map[Line]Sum, error) {
	sums := map[Line]Sum{}
	if w.Certified == nil {
		return sums, nil
	}
	last := w.Date
	for looked := 0; ; {
		later, err := s.env.Store.CertifiedDays(ctx, id, last.Next(), mostCertified)
		if err != nil {
			return nil, fmt.Errorf("list later certificates: %w", err)
		}
		for _, kept := range later {
			if looked == mostLater {
				w.LateThrough = last
				return sums, nil
			}
			if err := w.lateOf(kept, sums); err != nil {
				return nil, err
			}
			last, looked = kept.Date, looked+1
		}
		if len(later) < mostCertified {
			return sums, nil
		}
	}
}

// lateOf adds what one later certificate has of the date.
func (w *Waterfall) lateOf(kept Certified, sums map[Line]Sum) error {
	says, err := kept.Read()
	if err != nil {
		return err
	}
	for _, late := range says.Late {
		if late.Date != w.Date.String() {
			continue
		}
		w.LateOut = append(w.LateOut, LateOut{kept.Date, kept.Number, late.Entries})
		for line, sum := range late.sums() {
			sums[line] = sums[line].plus(sum)
		}
	}
	return nil
}

// said lists the closes that were compared.
func (t *tally) said() (out []Said) {
	for _, c := range t.closes {
		out = append(out, Said{c.seq, c.said.Date})
	}
	return out
}

// steps are those of the lane that was added.
func (t *tally) steps() map[Line]Steps {
	out := map[Line]Steps{}
	add := func(c entry.DayClose, to func(*Steps, Sum)) {
		for line, sum := range sumsOf(c) {
			steps := out[line]
			to(&steps, sum)
			out[line] = steps
		}
	}
	for _, c := range t.closes {
		add(c.said, func(s *Steps, v Sum) { s.Said, s.Differs = s.Said.plus(v), s.Differs.minus(v) })
		add(c.ours, func(s *Steps, v Sum) { s.Differs, s.Unclosed = s.Differs.plus(v), s.Unclosed.minus(v) })
	}
	add(filled(&t.nothing), func(s *Steps, v Sum) { s.Unclosed, s.Rejected = s.Unclosed.plus(v), s.Rejected.minus(v) })
	for date, f := range t.byDate {
		add(filled(f), func(s *Steps, v Sum) {
			s.Unclosed = s.Unclosed.plus(v) // all that is not in a close, as all less what is
			if date == t.date {
				s.Certified = s.Certified.plus(v)
			} else {
				s.LateIn = s.LateIn.minus(v)
			}
		})
	}
	return out
}
