package api

import (
	"maps"
	"slices"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// readRules reads how a file is read. A word or a field that stands there twice is refused.
func readRules(p PosRules) (posbooks.Rules, error) {
	r := posbooks.Rules{
		Format: posbooks.Format(p.Format), Totals: valueOf(p.Totals), Expects: posbooks.Expects(p.Expects), Paid: valueOf(p.Paid), Zone: valueOf(p.Zone), Minutes: valueOf(p.Minutes),
		Minor: valueOf(p.Minor), Encoding: valueOf(p.Encoding), Delimiter: valueOf(p.Delimiter), Decimal: valueOf(p.Decimal), Thousands: valueOf(p.Thousands), Skip: valueOf(p.Skip),
		Headless: valueOf(p.Headless), TimeFormat: valueOf(p.TimeFormat), ClockFormat: valueOf(p.ClockFormat), DateFormat: valueOf(p.DateFormat), Total: valueOf(p.Total),
	}
	var twice string
	words := func(list *[]PosWord, at string) map[string]string {
		var out map[string]string
		for _, w := range valueOf(list) {
			if out == nil {
				out = map[string]string{}
			}
			if out[w.Word] != "" {
				twice = at
			}
			out[w.Word] = w.Means
		}
		return out
	}
	r.Lanes, r.Kinds = words(p.Lanes, "/lanes"), words(p.Kinds, "/kinds")
	for _, c := range valueOf(p.Columns) {
		if r.Columns == nil {
			r.Columns = map[posbooks.Field]string{}
		}
		if r.Columns[posbooks.Field(c.Field)] != "" {
			twice = "/columns"
		}
		r.Columns[posbooks.Field(c.Field)] = c.Column
	}
	if twice != "" {
		return r, &problem.Error{Code: problem.InvalidField, Detail: "files cannot be read so", Fields: map[string]string{twice: "has something twice"}}
	}
	return r, nil
}

func showRules(r posbooks.Rules) PosRules {
	out := PosRules{
		Format: PosRulesFormat(r.Format), Totals: &r.Totals, Expects: PosRulesExpects(r.Expects), Paid: &r.Paid, Zone: unlessEmpty(r.Zone), Minutes: &r.Minutes, Minor: &r.Minor,
		Encoding: unlessEmpty(r.Encoding), Delimiter: unlessEmpty(r.Delimiter), Decimal: unlessEmpty(r.Decimal), Thousands: unlessEmpty(r.Thousands), Skip: &r.Skip, Headless: &r.Headless,
		TimeFormat: unlessEmpty(r.TimeFormat), ClockFormat: unlessEmpty(r.ClockFormat), DateFormat: unlessEmpty(r.DateFormat), Total: unlessEmpty(r.Total),
	}
	words := func(words map[string]string) *[]PosWord {
		list := showAll(slices.Sorted(maps.Keys(words)), func(w string) PosWord { return PosWord{Word: w, Means: words[w]} })
		return &list
	}
	out.Lanes, out.Kinds = words(r.Lanes), words(r.Kinds)
	columns := showAll(slices.Sorted(maps.Keys(r.Columns)), func(f posbooks.Field) PosColumn { return PosColumn{Field: PosColumnField(f), Column: r.Columns[f]} })
	out.Columns = &columns
	return out
}

func showMapping(m posbooks.Mapping) PosMapping {
	return PosMapping{ID: m.ID, Name: m.Name, Store: unlessEmpty(m.Store), Version: int64(m.Version), Rules: showRules(m.Rules)}
}

func showImport(i posbooks.Import) PosImport {
	return PosImport{
		ID: i.ID, Store: i.Store, Name: i.Name, Size: i.Size, Arrived: i.Arrived, Parts: i.Parts, State: PosImportState(i.State), Reason: unlessEmpty(i.Reason), Code: unlessEmpty(string(i.Code)), Same: unlessEmpty(i.Same),
		Done: i.Done, Goal: i.Goal, Rows: i.Rows, Bad: i.Bad, Ignored: i.Ignored, TotalLines: i.TotalLines, TotalsWrong: i.TotalsWrong, Replaced: i.Replaced,
		FirstDay: showSomeDate(i.First), LastDay: showSomeDate(i.Last), Encoding: unlessEmpty(i.Encoding), Delimiter: unlessEmpty(i.Delimiter), By: i.By.Name,
		CreatedAt: i.CreatedAt, ChangedAt: i.ChangedAt, Rules: showRules(i.Rules),
	}
}

// showSomeDate shows a date that may be none.
func showSomeDate(d entry.Date) *openapi_types.Date {
	if d == 0 {
		return nil
	}
	shown := showDate(d)
	return &shown
}

func showPosRow(r posbooks.Row) PosRow {
	out := PosRow{
		Line: r.Line, Receipt: r.Receipt, Lane: r.Lane, Day: showDate(r.Day), Kind: PosRowKind(r.Kind.String()), Currency: r.Currency, Amount: r.Amount, Total: r.Total, Expected: r.Expected,
	}
	if r.At != 0 {
		at := time.UnixMilli(r.At).UTC()
		out.At = &at
	}
	if r.HasDiscount {
		out.Discount = &r.Discount
	}
	if r.HasCount {
		out.Count = &r.Count
	}
	return out
}

func showPosDay(d posbooks.Day) PosDay {
	return PosDay{
		BusinessDate: showDate(d.Date), State: PosDayState(d.Standing()), Matched: d.Matched, MissingHere: d.MissingHere, MissingThere: d.MissingThere, Different: d.Different, Outside: d.Outside, Undone: d.Undone,
		Open: d.Open, Waiting: d.Dirty, MatchedAt: unlessEmpty(d.MatchedAt),
	}
}

func showPosTrouble(t posbooks.Trouble) PosTrouble {
	return PosTrouble{Work: PosTroubleWork(t.Work), Reason: t.Reason, Tries: t.Tries, Since: t.Since, Last: t.Last, Next: t.Next}
}
