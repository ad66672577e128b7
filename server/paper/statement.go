package paper

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// MostDays is how many rows a statement has on paper by counterparty and day; with more
// they are left out, and the paper says so.
const MostDays = 5000

// Statement is a party's statement of a month with its lines added up by counterparty and
// day. Memory grows with these rows and not with the lines.
type Statement struct {
	of      clearing.Statement
	others  map[uuid.UUID]clearing.Party
	days    map[dayKey]*daySum
	tooMany bool
}

type dayKey struct {
	of       clearing.Month
	other    uuid.UUID
	day      entry.Date
	kind     clearing.Kind
	fee      string
	unit     string
	currency string
}

type daySum struct{ points, owed, owes int64 }

// NewStatement begins the paper of a statement.
func NewStatement(of clearing.Statement) *Statement {
	s := &Statement{of: of, others: map[uuid.UUID]clearing.Party{}, days: map[dayKey]*daySum{}}
	for _, g := range of.Groups {
		s.others[g.Counterparty.ID] = g.Counterparty
	}
	return s
}

// Add adds a line of the statement.
func (s *Statement) Add(l clearing.Line) {
	for _, side := range l.Sides() {
		if side.Party == s.of.Party.ID {
			s.put(l, side)
		}
	}
}

func (s *Statement) put(l clearing.Line, of clearing.Side) {
	key := dayKey{l.Of, of.Other, l.Day, l.Kind, l.Fee, l.Unit, of.Currency}
	sum := s.days[key]
	if sum == nil {
		if len(s.days) >= MostDays {
			s.tooMany = true
			return
		}
		sum = &daySum{}
		s.days[key] = sum
	}
	sum.points, sum.owed, sum.owes = sum.points+l.Points, sum.owed+of.Owed, sum.owes+of.Owes
}

// PDF is the statement on A4, in the language of its party, or in English when there are no
// words in that.
func (s *Statement) PDF() ([]byte, error) {
	locale := Prefers(s.of.Party.Language)
	w := locale.settling()
	p := newSheets(w.title, "", locale)
	p.foot = strings.Join([]string{p.clean(s.of.Party.Code, "–"), s.of.Month.String(), cmp.Or(s.of.Number, w.draft)}, " · ")
	s.top(p, w)
	s.totals(p, w)
	s.groups(p, w, 0)
	for _, n := range s.of.Notes {
		s.note(p, w, n)
	}
	s.byDay(p, w)
	if len(s.of.Remarks) > 0 {
		p.head(w.remarks)
		for _, r := range s.of.Remarks {
			p.para(strings.TrimSpace(fmt.Sprintf("%s: %s  %s", word(w.left, r.What), p.say.whole(r.Count), p.clean(r.Store, ""))))
		}
	}
	return p.bytes()
}

// top is whose statement it is, and of what.
func (s *Statement) top(p *sheets, w settleWords) {
	title := w.title
	if s.of.Number == "" {
		title += " · " + w.draft
	}
	p.block(title, p.faces.Bold, sizeTitle, margin, textWidth)
	p.y += 2
	if s.of.Number == "" {
		p.para(w.draftText)
	}
	p.pair(w.number, cmp.Or(s.of.Number, w.none), p.faces.Bold, sizeText, textWidth)
	p.pair(w.period, s.of.Month.First().String()+" – "+s.of.Month.Last().String(), p.faces.Regular, sizeText, textWidth)
	p.pair(w.cut, moment(s.of.CutAt), p.faces.Regular, sizeText, textWidth)
	if s.of.LockedAt != 0 {
		p.pair(w.locked, time.UnixMilli(s.of.LockedAt).UTC().Format(time.DateOnly), p.faces.Regular, sizeText, textWidth)
	}
	p.y += 2
	for _, who := range []struct {
		label string
		clearing.Party
	}{{w.party, s.of.Party}, {w.programme, s.of.Programme}} {
		p.pair(who.label, p.clean(who.Name, "")+" ("+p.clean(who.Code, "–")+")", p.faces.Bold, sizeText, textWidth)
		for _, line := range strings.Split(who.Address, "\n") {
			if line = p.clean(line, ""); line != "" {
				p.pair("", line, p.faces.Regular, sizeText, textWidth)
			}
		}
		if number := p.clean(who.TaxNumber, ""); number != "" {
			p.pair("", w.taxNumber+" "+number, p.faces.Regular, sizeText, textWidth)
		}
	}
}

// totals are what is paid, currency by currency: sums of two are never mixed.
func (s *Statement) totals(p *sheets, w settleWords) {
	p.head(w.sums)
	p.para(map[bool]string{true: w.gross, false: w.netted}[s.of.Party.Gross])
	p.table(w.totalColumns(), totalRows(p, s.of.Totals))
	for _, t := range s.of.Totals {
		var said []string
		switch {
		case s.of.Party.Gross:
			said = []string{w.toGet + " " + p.say.money(t.Currency, t.Owed), w.toPay + " " + p.say.money(t.Currency, t.Owes)}
		case t.Net > 0:
			said = []string{w.toGet + " " + p.say.money(t.Currency, t.Net)}
		case t.Net < 0:
			said = []string{w.toPay + " " + p.say.money(t.Currency, -t.Net)}
		}
		for _, text := range said {
			p.block(text, p.faces.Bold, sizeHead, margin, textWidth)
		}
	}
	if len(s.of.Totals) == 0 {
		p.para(w.even)
	}
}

func (w settleWords) totalColumns() []column {
	return []column{{title: w.owed, part: 3, right: true}, {title: w.owes, part: 3, right: true}, {title: w.net, part: 3, right: true}}
}

func totalRows(p *sheets, totals []clearing.Total) (rows [][]string) {
	for _, t := range totals {
		rows = append(rows, []string{p.say.money(t.Currency, t.Owed), p.say.money(t.Currency, t.Owes), p.say.money(t.Currency, t.Net)})
	}
	return rows
}

// note is a credit or debit note: what the statement says of a month that was locked.
func (s *Statement) note(p *sheets, w settleWords, n clearing.Note) {
	name := w.credit
	if slices.ContainsFunc(n.Totals, func(t clearing.Total) bool { return !t.Credit() }) {
		name = w.debit
	}
	p.head(put(w.note, strings.TrimSpace(name+" "+n.Number), n.Of.String()))
	if n.OfNumber != "" {
		p.para(put(w.ofNumber, n.OfNumber))
	}
	p.table(w.totalColumns(), totalRows(p, n.Totals))
	s.groups(p, w, n.Of)
}

// groups are the lines of the month, or of one that a note corrects, summed up.
func (s *Statement) groups(p *sheets, w settleWords, of clearing.Month) {
	var rows [][]string
	for _, g := range s.of.Groups {
		if g.Of == of {
			rows = append(rows, []string{
				p.clean(g.Counterparty.Code+" "+g.Counterparty.Name, "–"), w.reason(p, g.Kind, g.Fee, g.Unit), p.say.whole(g.Points), p.say.money(g.Currency, g.Owed), p.say.money(g.Currency, g.Owes),
			})
		}
	}
	if len(rows) == 0 {
		return
	}
	if of == 0 {
		p.head(w.month)
	}
	p.table([]column{
		{title: w.counterparty, part: 4}, {title: w.lines, part: 4}, {title: w.points, part: 2.4, right: true}, {title: w.owed, part: 3, right: true}, {title: w.owes, part: 3, right: true},
	}, rows)
}

// reason says what an amount is for.
func (w settleWords) reason(p *sheets, kind clearing.Kind, fee, unit string) string {
	if unit == clearing.UnitUses {
		unit = w.uses
	}
	return strings.Join(strings.Fields(word(w.kinds, string(kind))+" "+p.clean(fee, "")+" "+p.clean(unit, "")), " ")
}

// byDay writes the rows by counterparty and day.
func (s *Statement) byDay(p *sheets, w settleWords) {
	if len(s.days) == 0 {
		return
	}
	p.head(w.days)
	if s.tooMany {
		p.para(w.tooMany)
		return
	}
	keys := slices.SortedFunc(maps.Keys(s.days), func(a, b dayKey) int {
		return cmp.Or(
			cmp.Compare(s.others[a.other].Code, s.others[b.other].Code), bytes.Compare(a.other[:], b.other[:]), cmp.Compare(a.of, b.of), cmp.Compare(a.day, b.day),
			cmp.Compare(a.kind, b.kind), cmp.Compare(a.fee, b.fee), cmp.Compare(a.unit, b.unit), cmp.Compare(a.currency, b.currency),
		)
	})
	var rows [][]string
	for _, k := range keys {
		sum, day := s.days[k], k.day.String()
		if k.of != 0 {
			day += " (" + put(w.of, k.of.String()) + ")"
		}
		rows = append(rows, []string{
			p.clean(s.others[k.other].Code, "–"), day, w.reason(p, k.kind, k.fee, k.unit), p.say.whole(sum.points), p.say.money(k.currency, sum.owed), p.say.money(k.currency, sum.owes),
		})
	}
	p.table([]column{
		{title: w.counterparty, part: 2.4},
		{title: p.say.date, part: 2.6},
		{title: w.lines, part: 3.6},
		{title: w.points, part: 2.2, right: true},
		{title: w.owed, part: 2.8, right: true},
		{title: w.owes, part: 2.8, right: true},
	}, rows)
}
