package ledger

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/journal"
)

// history is all there is of one account: its facts, and what they did so far.
type history struct {
	facts      []fact
	postings   []Posting
	lots       []LotRow
	exceptions []Exception
}

// foldKinds are the exceptions that folding raises, and that folding again may
// withdraw.
var foldKinds = map[ExceptionKind]bool{
	Overdraw: true, VoucherOveruse: true, UnknownMember: true, Unproven: true, EarningDiffers: true, UnitUnknown: true, VoidWithoutSale: true,
	SaleRepeated: true, InvalidEntry: true, RightUnknown: true, RightMisused: true, ClockAhead: true, Unreadable: true, ReturnUnmatched: true, ReturnExceedsSale: true,
}

// foldAll folds facts from nothing, in their order, taking snapshots as snaps says,
// and returns the set. It is the account as a pure function of the set of its facts.
func (s *set) foldAll(key AccountKey, facts []fact, snaps snapshots) (*set, error) {
	r := newSet()
	r.rules, r.snaps = s.rules, snaps
	if known := s.accounts[key.Account]; known != nil {
		r.accounts[key.Account] = newAccount(AccountRow{AccountKey: key, Version: known.version}, nil)
	}
	slices.SortFunc(facts, byEffect)
	if err := r.heed(facts); err != nil {
		return nil, err
	}
	err := r.foldOn(facts)
	r.exceptions = append(r.exceptions, r.unmet()...)
	return r, err
}

// refold folds an account again, now that it has these fresh facts. What the fresh
// ones do is posted as theirs; where others now do something else than they did,
// the difference is posted as corrections that the first fresh fact caused.
func (s *set) refold(key AccountKey, h history, fresh []*fact) error {
	news := map[journal.Hash]bool{}
	facts := slices.Clone(h.facts)
	for _, f := range fresh {
		news[f.Hash] = true
		facts = append(facts, *f)
	}
	r, err := s.foldAll(key, facts, snapshots{every: s.snaps.every})
	if err != nil {
		return err
	}
	cause := r.causeOf(fresh)
	s.correct(cause, news, h.postings, r.postings)
	s.reopen(cause, news, h.exceptions, r.exceptions)
	s.adopt(key, h.lots, r)
	maps.Copy(s.kinds, r.kinds)
	s.snaps.taken = append(s.snaps.taken, r.snaps.taken...)
	s.snaps.stale = append(s.snaps.stale, SnapshotKey{AccountKey: key})
	if a := s.accounts[key.Account]; a != nil {
		for _, f := range fresh {
			a.passed(f)
		}
		a.place = facts[len(facts)-1].place()
	}
	return nil
}

// effectKey is where an amount moved, and for which source.
type effectKey struct {
	subject   journal.Hash
	unit      string
	lot       uuid.UUID
	store     uuid.UUID
	from, to  loyalty.Book
	effective int64
	ruleSet   uint64
}

func (k effectKey) compare(o effectKey) int {
	return cmp.Or(
		cmp.Compare(k.effective, o.effective), bytes.Compare(k.subject[:], o.subject[:]), strings.Compare(k.unit, o.unit),
		bytes.Compare(k.lot[:], o.lot[:]), cmp.Compare(k.from, o.from), cmp.Compare(k.to, o.to),
		bytes.Compare(k.store[:], o.store[:]), cmp.Compare(k.ruleSet, o.ruleSet),
	)
}

// netOf adds a posting, times factor, to nets; a move back is a negative move.
func netOf(nets map[effectKey]int64, p Posting, factor int64) {
	k := effectKey{p.subject(), p.Unit, p.Lot, p.Store, p.From, p.To, p.EffectiveAt, p.RuleSet}
	if k.from > k.to {
		k.from, k.to, factor = k.to, k.from, -factor
	}
	nets[k] += factor * p.Amount
}

// causeOf is the first of fresh facts, as recorded when all of them are known, with what
// they undo: what they correct was as it had been until then.
func (s *set) causeOf(fresh []*fact) *fact {
	cause := *fresh[0]
	for _, f := range fresh {
		cause.RecordedAt = max(cause.RecordedAt, f.RecordedAt, s.knownAt[f.Hash])
	}
	return &cause
}

// correct posts what the fresh facts do, and what all others do differently.
func (s *set) correct(cause *fact, fresh map[journal.Hash]bool, before, after []Posting) {
	nets := map[effectKey]int64{}
	line := 0
	for _, p := range after {
		if !fresh[p.Source] {
			netOf(nets, p, 1)
			continue
		}
		s.add(p)
		if p.Source == cause.Hash {
			line = p.Line
		}
	}
	for _, p := range before {
		netOf(nets, p, -1)
	}
	keys := make([]effectKey, 0, len(nets))
	for k, n := range nets {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, effectKey.compare)
	for _, k := range keys {
		amount := nets[k]
		if amount < 0 {
			k.from, k.to, amount = k.to, k.from, -amount
		}
		line++
		s.add(Posting{
			ID: postingID(cause.Hash, line), Shard: cause.shard, Account: cause.account, Source: cause.Hash, Line: line,
			Unit: k.unit, Amount: amount, From: k.from, To: k.to, Store: k.store, Lot: k.lot,
			OccurredAt: cause.OccurredAt, EffectiveAt: k.effective, RecordedAt: cause.RecordedAt, RuleSet: k.ruleSet, Corrects: k.subject,
		})
	}
}

// exceptionKey is what makes two exceptions the same finding.
type exceptionKey struct {
	source journal.Hash
	kind   ExceptionKind
	unit   string
	amount int64
	money  int64
	cause  string
}

func (e Exception) key() exceptionKey {
	return exceptionKey{e.Source, e.Kind, e.Unit, e.Amount, e.Money, e.Cause}
}

// reopen withdraws the exceptions that are explained now and raises the new ones.
// One that a person has decided about stays as it is.
func (s *set) reopen(cause *fact, fresh map[journal.Hash]bool, before, after []Exception) {
	had := map[exceptionKey][]Exception{}
	for _, e := range before {
		if foldKinds[e.Kind] && e.State != ExceptionWithdrawn {
			had[e.key()] = append(had[e.key()], e)
		}
	}
	for _, e := range after {
		if same := had[e.key()]; len(same) > 0 {
			had[e.key()] = same[1:]
			continue
		}
		if !fresh[e.Source] {
			e.ID = derivedID(e.Source, e.ID.String()+cause.Hash.String())
			e.RecordedAt = cause.RecordedAt
		}
		s.exceptions = append(s.exceptions, e)
	}
	for _, e := range before {
		left := had[e.key()]
		if !slices.ContainsFunc(left, func(o Exception) bool { return o.ID == e.ID }) || !e.Unsettled() {
			continue
		}
		s.explained = append(s.explained, Exception{ID: e.ID, Shard: e.Shard, State: s.stateAfter(cause, e), ExplainedBy: cause.Hash, EndedAt: cause.RecordedAt})
	}
}

// adopt takes the account as r folded it. Stored are all lots that it had.
func (s *set) adopt(key AccountKey, stored []LotRow, r *set) {
	a, b := s.accounts[key.Account], r.accounts[key.Account]
	if a == nil {
		return
	}
	for unit := range a.holdings {
		b.holding(unit)
	}
	a.holdings, a.lotSource, a.broken = b.holdings, b.lotSource, b.broken
	for unit := range a.holdings {
		a.touched[unit] = true
	}
	a.stored = map[loyalty.ID]loyalty.Lot{}
	for _, row := range stored {
		if h := a.holdings[row.Unit]; h == nil || h.Lot(row.ID) == nil {
			s.lotsGone = append(s.lotsGone, LotKey{UnitKey{key, row.Unit}, uuid.UUID(row.ID)})
			s.gone[row.ID] = row.Lot
			continue
		}
		a.stored[row.ID] = row.Lot
	}
}
