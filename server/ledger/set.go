package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// account is one account in memory while a set is folded.
type account struct {
	AccountKey
	version  uint64
	marks    []wire.Mark
	holdings map[string]*loyalty.Holding
	// lotSource remembers from which source each lot in memory came.
	lotSource map[loyalty.ID]journal.Hash
	stored    map[loyalty.ID]loyalty.Lot     // lots as they were read
	touched   map[string]bool                // units whose rows must be written
	rights    map[RightKey]loyalty.HeldRight // as they were read
	place     []byte                         // of the last fact folded
	broken    int64                          // up to when what expired is breakage
}

func newAccount(row AccountRow, marks []wire.Mark) *account {
	return &account{
		AccountKey: row.AccountKey, version: row.Version, place: row.Place, broken: row.Broken, marks: marks, holdings: map[string]*loyalty.Holding{},
		lotSource: map[loyalty.ID]journal.Hash{}, stored: map[loyalty.ID]loyalty.Lot{}, touched: map[string]bool{}, rights: map[RightKey]loyalty.HeldRight{},
	}
}

// passed notes that a fact has been folded.
func (a *account) passed(f *fact) {
	a.place = f.place()
	if f.Kind < firstHQKind {
		a.mark(f.Entry)
	}
}

// nextDue is when the next lot vests, expires or is breakage, zero when none will.
func (a *account) nextDue() int64 {
	var next int64
	for _, h := range a.holdings {
		for _, at := range []int64{h.NextDue(), h.NextBreak()} {
			if at != 0 && (next == 0 || at < next) {
				next = at
			}
		}
	}
	return next
}

func (a *account) holding(unit string) *loyalty.Holding {
	h := a.holdings[unit]
	if h == nil {
		h = &loyalty.Holding{Unit: unit}
		a.holdings[unit] = h
	}
	return h
}

// mark notes that everything of a terminal through this entry is in the holdings.
func (a *account) mark(e Entry) {
	for i := range a.marks {
		m := &a.marks[i]
		if m.Terminal != e.Terminal {
			continue
		}
		if e.Epoch > m.Epoch || e.Epoch == m.Epoch && e.Seq > m.Seq {
			m.Epoch, m.Seq = e.Epoch, e.Seq
		}
		return
	}
	a.marks = append(a.marks, wire.Mark{Terminal: e.Terminal, Epoch: e.Epoch, Seq: e.Seq})
}

// set is what a run of facts does, folded in memory and written at once.
type set struct {
	accounts   map[uuid.UUID]*account
	fresh      map[countedKey]bool   // facts that are applied now
	sold       map[SaleKey]*soldSale // sales folded so far
	waiting    []*fact               // what undoes sales that have not come yet
	rules      map[uint64]loyalty.RuleSet
	postings   []Posting
	lotsGone   []LotKey
	gone       map[loyalty.ID]loyalty.Lot  // those, as they were
	kinds      map[journal.Hash]entry.Kind // of the facts that have been folded
	knownAt    map[journal.Hash]int64      // when facts that undo sales, and these, were recorded
	exceptions []Exception
	explained  []Exception
	books      map[BookKey]int64
	decided    map[decidedKey]entry.HQDecision
	// corrected is what the corrections folded so far took, by their ids.
	corrected map[uuid.UUID]loyalty.Redemption
	line      int // of the last posting of the fact being folded
	// unknown are the exceptions of this fold about rights that are not made yet.
	unknown map[RightKey][]uuid.UUID
	snaps   snapshots
}

// countedKey names a fact of an account. What undoes a sale that somebody claimed counts
// for the claimer, and for no account in the journal of the terminal where it stands.
type countedKey struct {
	account uuid.UUID
	source  journal.Hash
}

func newSet() *set {
	return &set{
		accounts: map[uuid.UUID]*account{}, fresh: map[countedKey]bool{}, sold: map[SaleKey]*soldSale{},
		rules: map[uint64]loyalty.RuleSet{}, books: map[BookKey]int64{},
		unknown: map[RightKey][]uuid.UUID{}, decided: map[decidedKey]entry.HQDecision{},
		corrected: map[uuid.UUID]loyalty.Redemption{}, gone: map[loyalty.ID]loyalty.Lot{}, kinds: map[journal.Hash]entry.Kind{},
		knownAt: map[journal.Hash]int64{},
	}
}

// derivedID is the UUID version 5, in the namespace of no UUID, of a source's hash
// and a word or number: the id of what the source caused.
func derivedID(source journal.Hash, what string) uuid.UUID {
	return uuid.NewSHA1(uuid.Nil, append(source[:], what...))
}

// MovedLotID is the id of the nth lot that an arriving move makes, counted over all its
// units.
func MovedLotID(source journal.Hash, n int) uuid.UUID { return derivedID(source, "lot/"+itoa(n)) }

func postingID(source journal.Hash, line int) uuid.UUID {
	return uuid.NewSHA1(uuid.Nil, binary.BigEndian.AppendUint32(source[:], uint32(line)))
}

// post books the moves of a fact, which took effect at a time.
func (s *set) post(f *fact, unit string, ruleSet uint64, at int64, moves ...loyalty.Move) {
	for _, m := range moves {
		s.line++
		s.add(Posting{
			ID: postingID(f.Hash, s.line), Shard: f.shard, Account: f.account, Source: f.Hash, Line: s.line,
			Unit: unit, Amount: m.Amount, From: m.From, To: m.To, Store: f.Store, Lot: m.Lot,
			OccurredAt: f.OccurredAt, EffectiveAt: at, RecordedAt: f.RecordedAt, RuleSet: ruleSet,
		})
	}
}

// add adds a posting and books it in the contra books.
func (s *set) add(p Posting) {
	s.postings = append(s.postings, p)
	s.book(p, p.From, -p.Amount)
	s.book(p, p.To, p.Amount)
}

func (s *set) book(p Posting, book loyalty.Book, amount int64) {
	if book.Own() {
		return
	}
	key := BookKey{Shard: p.Shard, Book: book, Unit: p.Unit}
	if book == loyalty.BookStore {
		key.Owner = p.Store
	}
	s.books[key] += amount
}

// raise adds an exception of a fact. n tells apart several of one kind.
func (s *set) raise(f *fact, n int, e Exception) {
	if s.covered(f, e) {
		return
	}
	e.ID = derivedID(f.Hash, string(e.Kind)+"/"+strconv.Itoa(n))
	if e.State == "" {
		e.State = ExceptionOpen
	}
	e.Shard, e.Source, e.Account = f.shard, f.Hash, f.account
	e.Terminal, e.Epoch, e.Seq, e.Store = f.Terminal, f.Epoch, f.Seq, f.Store
	e.OccurredAt, e.RecordedAt = f.OccurredAt, f.RecordedAt
	s.exceptions = append(s.exceptions, e)
}

// on runs fn on a copy of a holding for which time has passed until the fact, and
// keeps the copy when fn succeeds: an amount that cannot be booked leaves nothing
// half done. What comes due by then is posted as of its own date. What expires is
// breakage at once only where the sweep has passed its expiry.
func (s *set) on(f *fact, a *account, unit string, ruleSet uint64, fn func(h *loyalty.Holding) ([]loyalty.Move, error)) error {
	h := a.holding(unit).Clone()
	due, err := h.Advance(f.EffectiveAt)
	var moves []loyalty.Move
	if err == nil {
		moves, err = fn(&h)
	}
	var at []loyalty.Due
	if err == nil {
		at, err = h.Advance(f.EffectiveAt)
	}
	if err != nil {
		return fmt.Errorf("account %s, %s: %w", a.Account, unit, err)
	}
	broken := h.Break(a.broken)
	*a.holdings[unit] = h
	a.touched[unit] = true
	for _, d := range due {
		s.post(f, unit, ruleSet, d.At, d.Moves...)
	}
	s.post(f, unit, ruleSet, f.EffectiveAt, moves...)
	for _, d := range at {
		s.post(f, unit, ruleSet, f.EffectiveAt, d.Moves...)
	}
	for _, d := range broken {
		s.post(f, unit, ruleSet, d.At, d.Moves...)
	}
	return nil
}

// changes lists what the set writes, in one order, so that two writers never wait
// for each other in a circle and a replay writes the same.
func (s *set) changes() (Changes, error) {
	c := Changes{Postings: s.postings, LotsGone: s.lotsGone, Books: s.books, Exceptions: s.exceptions, Explained: s.explained}
	for _, a := range s.sorted() {
		marks, err := wire.Marshal(a.marks)
		if err != nil {
			return Changes{}, err
		}
		c.Accounts = append(c.Accounts, AccountRow{a.AccountKey, a.version, marks, a.place, a.nextDue(), a.broken})
		a.changedRights(&c)
		for _, unit := range sortedKeys(a.touched) {
			h := a.holdings[unit]
			c.Holdings = append(c.Holdings, HoldingRow{a.AccountKey, *h})
			for _, lot := range h.Lots {
				if a.stored[lot.ID] == lot {
					continue
				}
				c.Lots = append(c.Lots, LotRow{a.AccountKey, unit, a.lotSource[lot.ID], lot})
			}
		}
	}
	return c, nil
}

func (s *set) sorted() []*account {
	out := make([]*account, 0, len(s.accounts))
	for _, a := range s.accounts {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *account) int { return compareIDs(a.Shard, a.Account, b.Shard, b.Account) })
	return out
}
