package clearing

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// Book sums lines up into the statements of all parties.
type Book struct {
	terms   *Terms
	month   Month
	groups  map[uuid.UUID]map[groupKey]*Group
	overrun bool
}

type groupKey struct {
	other    uuid.UUID
	kind     Kind
	fee      string
	unit     string
	currency string
	of       Month
}

// NewBook begins the statements of a month.
func NewBook(terms *Terms, month Month) *Book {
	return &Book{terms: terms, month: month, groups: map[uuid.UUID]map[groupKey]*Group{}}
}

// Add adds a line to the statements of both its parties, and to the programme's, which
// stands between them.
func (b *Book) Add(l Line) {
	for _, s := range l.Sides() {
		b.put(l, s)
	}
}

func (b *Book) put(l Line, s Side) {
	of := b.groups[s.Party]
	if of == nil {
		of = map[groupKey]*Group{}
		b.groups[s.Party] = of
	}
	key := groupKey{s.Other, l.Kind, l.Fee, l.Unit, s.Currency, l.Of}
	g := of[key]
	if g == nil {
		g = &Group{Counterparty: b.terms.Named(s.Other), Kind: l.Kind, Fee: l.Fee, Unit: l.Unit, Currency: s.Currency, Of: l.Of}
		of[key] = g
	}
	b.sum(&g.Points, l.Points)
	b.sum(&g.Owed, s.Owed)
	b.sum(&g.Owes, s.Owes)
	g.Lines++
}

func (b *Book) sum(to *int64, n int64) {
	s, ok := plus(*to, n)
	if !ok {
		b.overrun = true
		return
	}
	*to = s
}

// Overrun reports whether a sum did not fit.
func (b *Book) Overrun() bool { return b.overrun }

// Statements are those of all parties that have lines, by the codes of the parties.
func (b *Book) Statements() []Statement {
	var out []Statement
	for id, groups := range b.groups {
		s := Statement{Party: b.terms.Named(id), Programme: b.terms.Named(Programme), Month: b.month}
		for _, g := range groups {
			s.Groups = append(s.Groups, *g)
		}
		slices.SortFunc(s.Groups, compareGroups)
		s.Totals = b.totals(s.Groups)
		for of, lines := range notesOf(s.Groups) {
			s.Notes = append(s.Notes, Note{Of: of, Totals: b.totals(lines)})
		}
		slices.SortFunc(s.Notes, func(a, b Note) int { return cmp.Compare(a.Of, b.Of) })
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(a.Party.Code, b.Party.Code), bytes.Compare(a.Party.ID[:], b.Party.ID[:]))
	})
	return out
}

func compareGroups(a, b Group) int {
	return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Counterparty.Code, b.Counterparty.Code), bytes.Compare(a.Counterparty.ID[:], b.Counterparty.ID[:]),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Fee, b.Fee), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Currency, b.Currency))
}

// notesOf are the groups that correct locked months, by month.
func notesOf(groups []Group) map[Month][]Group {
	out := map[Month][]Group{}
	for _, g := range groups {
		if g.Of != 0 {
			out[g.Of] = append(out[g.Of], g)
		}
	}
	return out
}

func (b *Book) totals(groups []Group) []Total {
	by := map[string]*Total{}
	for _, g := range groups {
		t := by[g.Currency]
		if t == nil {
			t = &Total{Currency: g.Currency}
			by[g.Currency] = t
		}
		b.sum(&t.Owed, g.Owed)
		b.sum(&t.Owes, g.Owes)
	}
	out := make([]Total, 0, len(by))
	for _, t := range by {
		t.Net = t.Owed - t.Owes
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}
