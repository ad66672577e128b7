package clearing

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Posting is what settlement looks at of a posting of the ledger.
type Posting struct {
	From, To loyalty.Book
	Amount   int64
	Lot      uuid.UUID
	Corrects bool // it corrects what another fact had posted
	Arrival  bool // its subject is the second leg of a move between accounts
}

// Flow is what a posting means between parties. The debtor is who issued the posting's
// lot, or the programme when Bears is set; the creditor is the posting's store if the kind
// is [KindRedeemed], and the programme if it is [KindRepaid]. Points given back are
// negative.
type Flow struct {
	Kind   Kind
	Bears  bool
	Points int64
}

// side is who stands behind a book.
type side uint8

const (
	nobody side = iota
	issuer
	honouring
	programme
)

// sideOf says who answers for an amount in a book: for what a member has of a lot its
// issuer, for what a store took the store, for what a member owes the programme. What
// travels between accounts stays with its issuer; what a late fact changes about a journey
// the programme bears, since what arrived is spent as what it was said to be.
func sideOf(b loyalty.Book, p Posting) side {
	switch {
	case b == loyalty.BookStore:
		return honouring
	case b == loyalty.BookOverdraft:
		return programme
	case b == loyalty.BookClearing && (p.Corrects || p.Arrival && p.From.Own()):
		return programme
	case (b.Own() || b == loyalty.BookIssue) && p.Lot != uuid.Nil:
		return issuer
	}
	return nobody
}

// FlowOf says what a posting means between parties; ok is false when it means nothing:
// points that are earned, vest, expire, are set aside or wait in suspense stay with whom
// they were.
func FlowOf(p Posting) (f Flow, ok bool) {
	from, to, points := sideOf(p.From, p), sideOf(p.To, p), p.Amount
	if from == honouring || from == programme && to == issuer {
		from, to, points = to, from, -points
	}
	switch {
	case to == honouring && (from == issuer || from == programme):
		return Flow{Kind: KindRedeemed, Bears: from == programme, Points: points}, true
	case to == programme && from == issuer:
		return Flow{Kind: KindRepaid, Points: points}, true
	}
	return Flow{}, false
}

// Move is one posting that counts for settlement, with the stores and dates that say who
// owes whom. Dates are those of the stores' zones: FromDay is when the lot was issued,
// ToDay when it was honoured or given back, Day the business date whose price holds, which
// of what is undone is that of what was done.
type Move struct {
	Shard      int
	Pos        uint64    // of the set in which it was applied
	ID         uuid.UUID // of the posting
	Account    uuid.UUID
	RecordedAt int64
	Month      Month // in whose statements it stands
	Sum
}

// Sum is moves that differ in nothing that matters.
type Sum struct {
	Kind      Kind
	Unit      string
	FromStore uuid.UUID // zero: the programme
	FromDay   entry.Date
	ToStore   uuid.UUID // zero: the programme
	ToDay     entry.Date
	Day       entry.Date
	Points    int64
}

// Spot is where sums and lines meet: what two stores owe for one unit and date. Both come
// in the order of spots.
type Spot struct {
	FromStore uuid.UUID
	ToStore   uuid.UUID
	Unit      string
	Day       entry.Date
}

// Spot says where the sum stands.
func (s Sum) Spot() Spot { return Spot{s.FromStore, s.ToStore, s.Unit, s.Day} }

// Spot says where the line stands.
func (l Line) Spot() Spot { return Spot{l.FromStore, l.ToStore, l.Unit, l.Day} }

// Period is the month in whose statements a move stands that was applied while a month was
// the first one not cut off: its own, unless that one is over.
func Period(day entry.Date, open Month) Month { return max(MonthOf(day), open) }
