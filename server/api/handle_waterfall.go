package api

import (
	"context"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// GetDayWaterfall implements StrictServerInterface.
func (h handlers) GetDayWaterfall(ctx context.Context, r GetDayWaterfallRequestObject) (GetDayWaterfallResponseObject, error) {
	w, err := h.o.StoreDays.Waterfall(ctx, r.ID, entry.DateOf(r.Date.Time))
	if err != nil {
		return nil, err
	}
	out := GetDayWaterfall200JSONResponse{
		BusinessDate: showDate(w.Date), Lanes: showAll(w.Lanes, showFallLane), Rows: showAll(w.Rows, showFallRow),
		LateIn: []WaterfallLate{}, LateOut: []WaterfallLate{},
	}
	if w.Certified != nil {
		out.Number, out.HqEpoch = new(int64(w.Certified.Number)), new(int64(w.HQEpoch))
	}
	for _, l := range w.LateIn {
		out.LateIn = append(out.LateIn, WaterfallLate{BusinessDate: showDate(l.Date), Entries: int64(l.Entries)})
	}
	for _, l := range w.LateOut {
		out.LateOut = append(out.LateOut, WaterfallLate{BusinessDate: showDate(l.Date), Number: new(int64(l.Number)), Entries: int64(l.Entries)})
	}
	if w.LateThrough != 0 {
		out.LateThrough = new(showDate(w.LateThrough))
	}
	return out, nil
}

// ListDayEntries implements StrictServerInterface.
func (h handlers) ListDayEntries(ctx context.Context, r ListDayEntriesRequestObject) (ListDayEntriesResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	p := r.Params
	line, err := storeday.LineOf(string(p.Kind), valueOf(p.Currency), string(valueOf(p.Flow)), valueOf(p.Unit), valueOf(p.Basis))
	if err != nil {
		return nil, err
	}
	of := storeday.Behind{Store: r.ID, Date: entry.DateOf(r.Date.Time), Writer: journal.Writer{ID: p.Terminal, Epoch: uint32(p.Epoch)}, Line: line}
	if p.Epoch < 1 || int64(of.Writer.Epoch) != p.Epoch {
		return nil, badParameter("epoch", "must be 1 to 4294967295")
	}
	list, next, err := h.o.StoreDays.Entries(ctx, of, opaque(p.Cursor), size)
	return ListDayEntries200JSONResponse{Items: showAll(list, showDayEntry), Next: unlessEmpty(next)}, err
}

func showDayEntry(e storeday.DayEntry) DayEntry {
	return DayEntry{
		Seq: int64(e.Seq), Hash: e.Hash.String(), BusinessDate: showDate(e.Date), OccurredAt: time.UnixMilli(e.OccurredAt).UTC(), Amount: e.Amount, Rejected: e.Rejected,
	}
}

func showFallLane(l storeday.LaneFall) WaterfallLane {
	out := WaterfallLane{
		Terminal: l.Terminal, Name: l.Name, Epoch: int64(l.Epoch), First: int64(l.First), Last: int64(l.Last),
		Closes: showAll(l.Closes, func(c storeday.Said) WaterfallClose {
			return WaterfallClose{Seq: int64(c.Seq), BusinessDate: showDate(c.Date)}
		}),
		Differences: showAll(l.Differences, showDifference),
		Forks: showAll(l.Forks, func(f storeday.Fork) WaterfallFork {
			return WaterfallFork{Branch: f.Branch, First: int64(f.First), Last: int64(f.Last), Head: f.Head}
		}),
	}
	if l.Why != "" {
		out.Why = new(WaterfallLaneWhy(l.Why))
	}
	if l.Over != "" {
		out.Over = new(WaterfallLaneOver(l.Over))
	}
	if g := l.Gap; g != nil {
		out.Gap = &WaterfallGap{Declaration: openapi_types.UUID(g.Declaration), After: int64(g.After), Said: int64(g.Said), Bound: showAll(g.Bound, func(b storeday.Bound) WaterfallBound {
			return WaterfallBound{Unit: b.Unit, Rights: b.Rights, StandIn: b.StandIn}
		})}
	}
	return out
}

func showDifference(d storeday.Difference) WaterfallDifference {
	return WaterfallDifference{Exception: d.Exception(), Seq: int64(d.Seq), Figure: d.Figure, Said: d.Said, Found: d.Found}
}

func showFallRow(r storeday.Row) WaterfallRow {
	out := WaterfallRow{
		Kind: WaterfallRowKind(r.Kind.String()), Steps: showSteps(r.Steps), LateOut: showFall(r.LateOut), Lanes: showAll(r.Lanes, showSteps),
		Currency: unlessEmpty(r.Currency), Unit: unlessEmpty(r.Unit),
	}
	if r.Flow != 0 {
		out.Flow = new(WaterfallRowFlow(r.Flow.String()))
	}
	if r.Basis != 0 {
		out.Basis = new(r.Basis.String())
	}
	return out
}

func showSteps(s storeday.Steps) WaterfallSteps {
	return WaterfallSteps{
		Said: showFall(s.Said), Differs: showFall(s.Differs), Unclosed: showFall(s.Unclosed), Rejected: showFall(s.Rejected), LateIn: showFall(s.LateIn), Certified: showFall(s.Certified),
	}
}

func showFall(s storeday.Sum) WaterfallSum { return WaterfallSum{Count: s.Count, Amount: s.Amount} }
