package posbooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks/match"
	"github.com/tallystick/tallystick/sync/entry"
)

// matchDirty matches all days that wait for it, store by store.
func (r *round) matchDirty(ctx context.Context) error {
	for {
		store, days, err := r.env.Store.DirtyPosDays(ctx, r.which(WorkMatch), MostDays)
		if err != nil {
			return fmt.Errorf("find days to match: %w", err)
		}
		if len(days) == 0 {
			return nil
		}
		if err := r.did(ctx, store, WorkMatch, r.matchDays(ctx, store, days, nil)); err != nil {
			return err
		}
	}
}

// matchDays matches days of a store, and tells after each how many there were. Days that
// cannot be matched hold up only those in a row with them.
func (s *Service) matchDays(ctx context.Context, store uuid.UUID, days []Day, done func(int) error) error {
	if len(days) == 0 {
		return nil
	}
	place, err := s.place(ctx, store)
	if err != nil {
		return err
	}
	var failed []error
	for from := 0; from < len(days) && ctx.Err() == nil; {
		to := from
		for to+1 < len(days) && days[to+1].Date == days[to].Date.Next() {
			to++
		}
		if err := s.matchSpan(ctx, place, days[from:to+1]); err != nil {
			failed = append(failed, fmt.Errorf("match days of store %s: %w", place.Code, err))
		}
		if from = to + 1; done != nil {
			if err := done(from); err != nil {
				return err
			}
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// sheetOf is what both sides have of one day, and how it fits together.
type sheetOf struct {
	day     entry.Date
	theirs  []Kept
	rows    []match.Theirs // of theirs that are receipts, at the same places
	totals  []Kept
	ours    []fact
	facts   []match.Ours
	rules   Rules
	matched match.Result
	found   []Found // pairs over the day's end
}

// matchSpan matches days in a row. What one day leaves over is held against
// what its neighbours do: tills and terminals do not end their days at the same moment, and
// some books know no time. A pair over a day's end is of the day of the books. To be the
// same whatever span is matched, two days more on both sides are looked at.
func (s *Service) matchSpan(ctx context.Context, place Place, span []Day) error {
	from, to := span[0].Date, span[len(span)-1].Date
	first := entry.DateOf(from.Time().AddDate(0, 0, -2))
	last := to.Next().Next()
	journals, err := s.journals(ctx, place, first)
	if err != nil {
		return err
	}
	var before *sheetOf
	for day := first; ; day = day.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		today, err := s.sheet(ctx, place, journals, day)
		if err != nil {
			return err
		}
		if before != nil {
			overTheEnd(place, before, today)
			if before.day >= from && before.day <= to {
				if err := s.keep(ctx, place, *before, span[0].Mark); err != nil {
					return err
				}
				span = span[1:]
			}
		}
		if day == last {
			return nil
		}
		before = today
	}
}

// sheet reads and matches one day.
func (s *Service) sheet(ctx context.Context, place Place, journals *reader, day entry.Date) (*sheetOf, error) {
	kept, err := s.env.Store.PosRows(ctx, place.Store, day, s.standing()+1)
	if err != nil {
		return nil, fmt.Errorf("read books of %s: %w", day, err)
	}
	if len(kept) > s.standing() { // what is left out would be lost without a word
		return nil, problem.Newf(problem.DayTooFull, "there are more than %d rows of %s", s.standing(), day)
	}
	out := &sheetOf{day: day}
	if out.ours, err = journals.day(ctx, day); err != nil {
		return nil, fmt.Errorf("read journals of %s: %w", day, err)
	}
	if out.rules, err = s.rulesOf(ctx, place, kept); err != nil {
		return nil, err
	}
	for _, k := range kept {
		if k.Total {
			out.totals = append(out.totals, k)
			continue
		}
		out.theirs = append(out.theirs, k)
		out.rows = append(out.rows, theirsOf(k, journals.known))
	}
	for _, f := range out.ours {
		f.Ours.Receipt = match.Number(f.Ours.Receipt)
		out.facts = append(out.facts, f.Ours)
	}
	out.matched = match.Match(out.rows, out.facts, out.rules.Tolerance())
	return out, nil
}

// rulesOf are the rules of the newest import of a day: the tolerance is theirs.
func (s *Service) rulesOf(ctx context.Context, place Place, kept []Kept) (Rules, error) {
	if len(kept) == 0 {
		return Rules{}, nil
	}
	i, err := s.env.Store.PosImport(ctx, place.Store, kept[len(kept)-1].Import)
	if err != nil {
		return Rules{}, fmt.Errorf("read import: %w", err)
	}
	return i.Rules, nil
}

func theirsOf(k Kept, lanes map[string]bool) match.Theirs {
	lane := folded(k.Lane)
	if !lanes[lane] {
		lane = "" // no terminal's name, so it says nothing
	}
	return match.Theirs{
		Receipt: match.Number(k.Receipt), Lane: lane, At: k.At, Timed: k.At != 0, Kind: k.Kind, Currency: k.Currency, Amount: k.Amount, Paid: k.Paid,
		Discount: k.Discount, HasDiscount: k.HasDiscount, Expected: k.Expected,
	}
}

// spot is where a row stands: in which day, and at which place there.
type spot struct {
	*sheetOf
	at int
}

// left are rows of two days that are over, and the spots they came from.
type left struct {
	theirs     []match.Theirs
	theirSpots []spot
	ours       []match.Ours
	ourSpots   []spot
}

// overTheEnd pairs what two days in a row leave over near the end of the first.
func overTheEnd(place Place, a, b *sheetOf) {
	end := place.starts(b.day).UnixMilli()
	var l left
	for _, sheet := range []*sheetOf{a, b} {
		for _, list := range [][]int{sheet.matched.MissingHere, sheet.matched.Outside} {
			for _, i := range list {
				if r := sheet.rows[i]; r.Timed && near(r.At, end) || !r.Timed && dateless(place, sheet == b) {
					l.theirs, l.theirSpots = append(l.theirs, r), append(l.theirSpots, spot{sheet, i})
				}
			}
		}
		for _, j := range sheet.matched.MissingThere {
			if o := sheet.facts[j]; near(o.At, end) {
				o.Undoes = 0
				l.ours, l.ourSpots = append(l.ours, o), append(l.ourSpots, spot{sheet, j})
			}
		}
	}
	if len(l.theirs) == 0 || len(l.ours) == 0 {
		return
	}
	rules := a.rules
	if len(a.theirs) == 0 {
		rules = b.rules
	}
	theirs, ours := map[spot]bool{}, map[spot]bool{}
	for _, p := range match.Match(l.theirs, l.ours, rules.Tolerance()).Pairs {
		home, other := l.theirSpots[p.Theirs], l.ourSpots[p.Ours]
		home.found = append(home.found, pairOf(place, home.sheetOf, p, home.theirs[home.at], other.ours[other.at]))
		theirs[home], ours[other] = true, true
	}
	for _, sheet := range []*sheetOf{a, b} {
		sheet.matched.MissingHere = sheet.without(sheet.matched.MissingHere, theirs)
		sheet.matched.Outside = sheet.without(sheet.matched.Outside, theirs)
		sheet.matched.MissingThere = sheet.without(sheet.matched.MissingThere, ours)
	}
}

// dateless says whether rows without a time may belong over a day's end: a calendar day
// reaches into the business day before it when that ends late, and into the one behind it
// when it ends early.
func dateless(p Place, behind bool) bool { return p.Ends > 0 && behind || p.Ends < 0 && !behind }

// neighbours are the days with which a day may share pairs.
func neighbours(day entry.Date) []entry.Date {
	return []entry.Date{entry.DateOf(day.Time().AddDate(0, 0, -1)), day.Next()}
}

func near(at, end int64) bool {
	return time.Duration(abs(at-end))*time.Millisecond <= match.Reach
}

func (s *sheetOf) without(places []int, gone map[spot]bool) []int {
	return slices.DeleteFunc(places, func(at int) bool { return gone[spot{s, at}] })
}
