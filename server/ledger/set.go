package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
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
	stored    map[loyalty.ID]loyalty.Lot // lots as they were read
	touched   map[string]bool            // units whose rows must be written
}

func newAccount(key AccountKey, version uint64, marks []wire.Mark) *account {
	return &account{
		AccountKey: key, version: version, marks: marks, holdings: map[string]*loyalty.Holding{},
		lotSource: map[loyalty.ID]journal.Hash{}, stored: map[loyalty.ID]loyalty.Lot{}, touched: map[string]bool{},
	}
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
	sales      map[SaleKey]*SaleRow
	changed    map[SaleKey]bool
	rules      map[uint64]loyalty.RuleSet
	postings   []Posting
	exceptions []Exception
	explained  []Exception
	books      map[BookKey]int64
	line       int // of the last posting of the fact being folded
}

func newSet() *set {
	return &set{
		accounts: map[uuid.UUID]*account{}, sales: map[SaleKey]*SaleRow{}, changed: map[SaleKey]bool{},
		rules: map[uint64]loyalty.RuleSet{}, books: map[BookKey]int64{},
	}
}

// derivedID is the UUID version 5, in the namespace of no UUID, of a source's hash
// and a word or number: the id of what the source caused.
func derivedID(source journal.Hash, what string) uuid.UUID {
	return uuid.NewSHA1(uuid.Nil, append(source[:], what...))
}

func postingID(source journal.Hash, line int) uuid.UUID {
	return uuid.NewSHA1(uuid.Nil, binary.BigEndian.AppendUint32(source[:], uint32(line)))
}

// post books the moves of a fact.
func (s *set) post(f *fact, unit string, ruleSet uint64, moves ...loyalty.Move) {
	for _, m := range moves {
		s.line++
		s.postings = append(s.postings, Posting{
			ID: postingID(f.Hash, s.line), Shard: f.shard, Account: f.account, Source: f.Hash, Line: s.line,
			Unit: unit, Amount: m.Amount, From: m.From, To: m.To, Store: f.Store, Lot: m.Lot,
			OccurredAt: f.OccurredAt, EffectiveAt: f.EffectiveAt, RecordedAt: f.RecordedAt, RuleSet: ruleSet,
		})
		s.book(f, m.From, unit, -m.Amount)
		s.book(f, m.To, unit, m.Amount)
	}
}

func (s *set) book(f *fact, book loyalty.Book, unit string, amount int64) {
	if book.Own() {
		return
	}
	key := BookKey{Shard: f.shard, Book: book, Unit: unit}
	if book == loyalty.BookStore {
		key.Owner = f.Store
	}
	s.books[key] += amount
}

// raise adds an exception of a fact. n tells apart several of one kind.
func (s *set) raise(f *fact, n int, e Exception) {
	e.ID = derivedID(f.Hash, string(e.Kind)+"/"+strconv.Itoa(n))
	e.State = ExceptionOpen
	e.Shard, e.Source, e.Account = f.shard, f.Hash, f.account
	e.Terminal, e.Epoch, e.Seq, e.Store = f.Terminal, f.Epoch, f.Seq, f.Store
	e.OccurredAt, e.RecordedAt = f.OccurredAt, f.RecordedAt
	s.exceptions = append(s.exceptions, e)
}

// on runs fn on a copy of a holding that has vested what is due, and keeps the
// copy when fn succeeds: an amount that cannot be booked leaves nothing half done.
func (s *set) on(f *fact, a *account, unit string, ruleSet uint64, fn func(h *loyalty.Holding) ([]loyalty.Move, error)) error {
	h := a.holding(unit).Clone()
	vested, err := h.Vest(f.RecordedAt)
	if err != nil {
		return fmt.Errorf("account %s, %s: %w", a.Account, unit, err)
	}
	moves, err := fn(&h)
	if err != nil {
		return fmt.Errorf("account %s, %s: %w", a.Account, unit, err)
	}
	*a.holdings[unit] = h
	a.touched[unit] = true
	s.post(f, unit, ruleSet, append(vested, moves...)...)
	return nil
}

// changes lists what the set writes, in one order, so that two writers never wait
// for each other in a circle and a replay writes the same.
func (s *set) changes() (Changes, error) {
	c := Changes{Postings: s.postings, Books: s.books, Exceptions: s.exceptions, Explained: s.explained}
	for _, a := range s.sorted() {
		marks, err := wire.Marshal(a.marks)
		if err != nil {
			return Changes{}, err
		}
		c.Accounts = append(c.Accounts, AccountRow{a.AccountKey, a.version, marks})
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
	for key := range s.changed {
		c.Sales = append(c.Sales, *s.sales[key])
	}
	slices.SortFunc(c.Sales, func(a, b SaleRow) int { return compareIDs(a.Shard, a.Sale, b.Shard, b.Sale) })
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
