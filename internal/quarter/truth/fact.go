package truth

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// ID names an account, a sale or a terminal.
type ID = [16]byte

// Programme is the issuer of what head office gave by itself, where a store stands else.
const Programme = -1

// Kind says what a fact did.
type Kind uint8

// Kinds of facts.
const (
	Sale Kind = iota + 1
	Void
	Return
	Gift    // of head office
	Arrival // points that came from another account, lot by lot
	Leave   // all points went to another account
	Join    // the account began at a till: until it is heard of, nothing counts for it
)

// Fact is something that happened to an account. Times are Unix milliseconds.
type Fact struct {
	At    int64 // when it took effect
	Known int64 // when head office heard of it
	Lane  ID
	Epoch uint32
	Seq   uint64
	Kind  Kind
	Name  ID  // the sale; of a void or return the sale that it undoes
	Store int // by number

	Total, Discount  int64 // of a sale, minor units
	Back             int64 // of a return: the price of the goods that came back
	Earned, Redeemed int64
	Expires          int64 // of what was earned; zero is never
	Refused          bool  // people decided that it counts for nothing
	Other            ID    // of Arrival and Leave: the other account
}

// Book is all accounts.
type Book struct {
	facts map[ID][]*Fact
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{facts: map[ID][]*Fact{}} }

// Add adds a fact to an account. The order of adding has no meaning.
func (b *Book) Add(account ID, f *Fact) { b.facts[account] = append(b.facts[account], f) }

// Accounts lists all accounts that something happened to, in a fixed order.
func (b *Book) Accounts() []ID {
	out := make([]ID, 0, len(b.facts))
	for id := range b.facts {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, c ID) int { return bytes.Compare(a[:], c[:]) })
	return out
}

// Facts is how many facts there are.
func (b *Book) Facts() int {
	n := 0
	for _, f := range b.facts {
		n += len(f)
	}
	return n
}

// Ever is a moment after everything.
const Ever = int64(1) << 62

// Fold is how an account stood at a moment, of all that head office knew by known.
func (b *Book) Fold(account ID, at, known int64) *State {
	var heard []*Fact
	for _, f := range b.facts[account] {
		if f.Kind == Join && f.Known > known {
			return &State{}
		}
		if f.At <= at && f.Known <= known && !f.Refused {
			heard = append(heard, f)
		}
	}
	slices.SortFunc(heard, func(a, c *Fact) int {
		return cmp.Or(cmp.Compare(a.At, c.At), bytes.Compare(a.Lane[:], c.Lane[:]), cmp.Compare(a.Epoch, c.Epoch), cmp.Compare(a.Seq, c.Seq))
	})
	s := &State{sales: map[ID]*sold{}}
	for _, f := range heard {
		s.pass(f.At)
		s.take(f, func(other ID, at int64) *State { return b.Fold(other, at, known) })
	}
	if at != Ever {
		s.pass(at)
	}
	return s
}

// MonthsLater is the first moment, in UTC, after the day that lies n months after at; the
// 31st becomes the last day of a shorter month.
func MonthsLater(at int64, n int) int64 {
	t := time.UnixMilli(at).UTC()
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, n, 0)
	days := first.AddDate(0, 1, 0).Sub(first) / (24 * time.Hour)
	return first.AddDate(0, 0, min(t.Day(), int(days))).UnixMilli()
}

// Of returns what happened to an account, in no order.
func (b *Book) Of(account ID) []*Fact { return b.facts[account] }
