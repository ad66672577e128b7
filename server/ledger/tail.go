package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// longAgo is before everything that can have happened.
const longAgo = -1 << 62

// tail is what is folded again of an account: the facts behind a snapshot that have
// been applied before, or all of them when from is empty.
type tail struct {
	places [][]byte // of the account's snapshots, newest first
	from   []byte
	state  []byte
	rows   []SourceRow
	facts  []fact
}

// before moves the beginning to the newest snapshot before a place, never forward,
// and reports whether that was a move.
func (t *tail) before(place []byte) bool {
	was := t.from
	t.from = nil
	for _, p := range t.places {
		if bytes.Compare(p, place) < 0 {
			t.from = p
			break
		}
	}
	return !bytes.Equal(was, t.from)
}

// since is the effective time behind which the tail's facts lie.
func (t *tail) since() int64 {
	if len(t.from) < 8 {
		return longAgo
	}
	return int64(binary.BigEndian.Uint64(t.from) ^ 1<<63)
}

// tails reads what must be folded again because of late facts: of each account the
// facts from the newest snapshot before all that its late facts can change. All
// accounts are read in one statement a round; most need one round.
func (l *Ledger) tails(ctx context.Context, s *set, late map[AccountKey][]*fact) (map[AccountKey]*tail, error) {
	out := make(map[AccountKey]*tail, len(late))
	moved := sortedAccounts(late)
	rows, err := l.o.Store.Snapshots(ctx, moved)
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	for _, key := range moved {
		out[key] = &tail{}
	}
	for _, row := range rows {
		t := out[row.AccountKey]
		t.places = append(t.places, row.Place)
	}
	for _, key := range moved {
		t := out[key]
		slices.SortFunc(t.places, func(a, b []byte) int { return bytes.Compare(b, a) })
		t.before(firstPlace(late[key]))
	}
	for len(moved) > 0 {
		if err := l.tailRows(ctx, s, out, moved); err != nil {
			return nil, err
		}
		if moved, err = l.tooShort(ctx, s, out, moved, late); err != nil {
			return nil, err
		}
	}
	return out, l.tailFacts(ctx, s, out)
}

func firstPlace(facts []*fact) []byte {
	first := facts[0].place()
	for _, f := range facts[1:] {
		if p := f.place(); bytes.Compare(p, first) < 0 {
			first = p
		}
	}
	for _, f := range facts {
		if f.since == 0 {
			continue
		}
		if p := (SourceRow{EffectiveAt: f.since}).place(); bytes.Compare(p, first) < 0 {
			first = p
		}
	}
	return first
}

// tailRows reads the sources behind the beginnings of tails.
func (l *Ledger) tailRows(ctx context.Context, s *set, tails map[AccountKey]*tail, keys []AccountKey) error {
	since := make([]SinceKey, len(keys))
	for i, key := range keys {
		tails[key].rows = nil
		since[i] = SinceKey{key, tails[key].since()}
	}
	rows, err := l.o.Store.SourcesSince(ctx, since)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	for _, row := range rows {
		if t := tails[row.AccountKey]; !s.fresh[countedKey{row.Account, row.Source}] && bytes.Compare(row.place(), t.from) > 0 {
			t.rows = append(t.rows, row)
		}
	}
	return nil
}

// tooShort moves the beginnings of tails before everything that their facts undo, or
// that names the sales they make, and returns those that it moved.
func (l *Ledger) tooShort(ctx context.Context, s *set, tails map[AccountKey]*tail, keys []AccountKey, late map[AccountKey][]*fact) ([]AccountKey, error) {
	moved := map[AccountKey]bool{}
	var sales []SaleKey
	for _, key := range keys {
		t := tails[key]
		rows := slices.Clone(t.rows)
		for _, f := range late[key] {
			rows = append(rows, f.source())
		}
		for _, row := range rows {
			if len(t.from) > 0 && row.unbounded() {
				t.before(nil)
				moved[key] = true
			}
			if row.EffectiveAt == t.since() && endedSince(s.accounts[key.Account].rights, t.since()) {
				t.before((SourceRow{EffectiveAt: t.since()}).place())
				moved[key] = true
			}
			if row.Subject != uuid.Nil {
				sales = append(sales, SaleKey{Shard: key.Shard, Sale: row.Subject})
			}
		}
	}
	named, err := l.o.Store.SubjectSources(ctx, sales)
	if err != nil {
		return nil, fmt.Errorf("read what names the sales: %w", err)
	}
	for _, row := range named {
		t := tails[row.AccountKey]
		if t != nil && !s.fresh[countedKey{row.Account, row.Source}] && bytes.Compare(row.place(), t.from) <= 0 && t.before(row.place()) {
			moved[row.AccountKey] = true
		}
	}
	return keysOf(moved), nil
}

// unbounded reports whether what the fact changes or looks for cannot be found by its
// source: a return that names its sale by where it stands, the undoing of a
// correction, or a decision about an earlier fact.
func (r SourceRow) unbounded() bool {
	return r.Kind == entry.KindHQCorrectionUndo || r.Kind == entry.KindHQExceptionDecision || r.Kind == entry.KindReturn && r.Subject == uuid.Nil
}

// tailFacts reads the facts and the states of tails.
func (l *Ledger) tailFacts(ctx context.Context, s *set, tails map[AccountKey]*tail) error {
	var rows []SourceRow
	var states []SnapshotKey
	for _, key := range sortedAccounts(tails) {
		rows = append(rows, tails[key].rows...)
		if from := tails[key].from; len(from) > 0 {
			states = append(states, SnapshotKey{key, from})
		}
	}
	facts, err := l.sourceFacts(ctx, s, rows)
	if err != nil {
		return err
	}
	found, err := l.o.Store.SnapshotStates(ctx, states)
	if err != nil {
		return fmt.Errorf("read snapshots: %w", err)
	}
	for _, row := range found {
		tails[row.AccountKey].state = row.State
	}
	for key, t := range tails {
		t.facts = facts[key]
		slices.SortFunc(t.facts, byEffect)
	}
	return nil
}

// begin returns a set with an account as it was where a tail begins, for these facts.
func (s *set) begin(key AccountKey, t *tail, facts []fact) (*set, error) {
	r := newSet()
	r.rules = s.rules
	a := newAccount(AccountRow{AccountKey: key, Version: s.accounts[key.Account].version}, nil)
	r.accounts[key.Account] = a
	if len(t.from) > 0 {
		if err := a.hold(t.state); err != nil {
			return nil, err
		}
		a.endedBefore(t.since(), s.accounts[key.Account].rights)
	}
	return r, r.heed(facts)
}

// foldOn folds facts, which are in their order, onto the set.
func (s *set) foldOn(facts []fact) error {
	for i := range facts {
		if err := s.fold(&facts[i]); err != nil {
			return fmt.Errorf("fact %s: %w", facts[i].Hash.Short(), err)
		}
	}
	return nil
}

// folded is what a tail is without its late facts.
type folded struct {
	postings   []Posting
	exceptions []Exception
	lots       []LotRow
	units      map[string][4]int64 // free, allowance, pending, overdraft; those that are not all zero
}

func (s *set) folded(key AccountKey) folded {
	out := folded{postings: s.postings, exceptions: slices.Concat(s.exceptions, s.unmet())}
	a := s.accounts[key.Account]
	for _, unit := range sortedKeys(a.holdings) {
		for _, lot := range a.holdings[unit].Lots {
			out.lots = append(out.lots, LotRow{key, unit, a.lotSource[lot.ID], lot})
		}
	}
	out.units = a.sums()
	return out
}

func (a *account) sums() map[string][4]int64 {
	out := map[string][4]int64{}
	for unit, h := range a.holdings {
		if sums := [4]int64{h.Free, h.Allowance, h.Pending, h.Overdraft}; sums != [4]int64{} {
			out[unit] = sums
		}
	}
	return out
}

// errDiverged means that a tail without its late facts does not fold to what is stored.
var errDiverged = errors.New("what is stored is not what the facts give now")

// stands reports whether an account, as it was read, is what folding gave.
func (a *account) stands(was folded) bool {
	open := 0
	for _, row := range was.lots {
		if isOpen(&row.Lot) {
			if a.stored[row.ID] != row.Lot {
				return false
			}
			open++
		}
	}
	for _, lot := range a.stored {
		if isOpen(&lot) {
			open--
		}
	}
	return open == 0 && maps.Equal(a.sums(), was.units)
}

// refoldTail folds the tail of an account without its late facts and with them. What
// was posted for the tail is what folding it without them gives, so that nothing of
// it need be read; where the account shows that it is not, because a rule set came
// after the sales that cite it or an earlier release folded otherwise, nothing is done
// and the error is errDiverged. It returns the exceptions of the tail's facts when
// they change.
func (s *set) refoldTail(key AccountKey, t *tail, fresh []*fact) (*dispute, error) {
	facts := slices.Clone(t.facts)
	news := map[journal.Hash]bool{}
	for _, f := range fresh {
		news[f.Hash] = true
		facts = append(facts, *f)
	}
	slices.SortStableFunc(facts, byEffect)
	first := slices.IndexFunc(facts, func(f fact) bool { return news[f.Hash] })
	if slices.ContainsFunc(fresh, func(f *fact) bool { return f.Kind == entry.KindHQExceptionDecision }) {
		first = 0 // what was decided about changes, wherever it stands
	}
	r, err := s.begin(key, t, facts)
	if err != nil {
		return nil, err
	}
	if err := r.foldOn(facts[:first]); err != nil {
		return nil, err
	}
	var was folded
	if first == len(t.facts) {
		was = r.folded(key)
		was.postings, r.postings = nil, nil // everything else is in order
	} else if was, err = s.without(key, t); err != nil {
		return nil, err
	}
	if !s.accounts[key.Account].stands(was) {
		return nil, errDiverged
	}
	r.snaps.every = s.snaps.every
	if err := r.foldOn(facts[first:]); err != nil {
		return nil, err
	}
	r.exceptions = append(r.exceptions, r.unmet()...)
	cause := r.causeOf(fresh)
	s.correct(cause, news, was.postings, r.postings)
	s.adopt(key, was.lots, r)
	maps.Copy(s.kinds, r.kinds)
	s.snaps.taken = append(s.snaps.taken, r.snaps.taken...)
	stale := SnapshotKey{AccountKey: key}
	if first > 0 || len(t.from) > 0 {
		stale.Place = facts[first].place()
	}
	s.snaps.stale = append(s.snaps.stale, stale)
	a := s.accounts[key.Account]
	for _, f := range fresh {
		a.passed(f)
	}
	a.place = facts[len(facts)-1].place()
	return s.disputed(key, t, cause, news, was.exceptions, r.exceptions), nil
}

// without folds a tail without its late facts.
func (s *set) without(key AccountKey, t *tail) (folded, error) {
	r, err := s.begin(key, t, t.facts)
	if err != nil {
		return folded{}, err
	}
	if err := r.foldOn(slices.Clone(t.facts)); err != nil {
		return folded{}, err
	}
	return r.folded(key), nil
}
