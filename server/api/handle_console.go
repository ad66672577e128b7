package api

import (
	"context"
	"math"
	"reflect"
	"strings"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

func areasOf(role people.Role) []string {
	return showAll(role.Areas(), func(a people.Area) string { return string(a) })
}

// GetHome implements StrictServerInterface.
func (h handlers) GetHome(ctx context.Context, _ GetHomeRequestObject) (GetHomeResponseObject, error) {
	home, err := h.o.Desk.Home(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := h.o.Fleet.Counts(ctx)
	if err != nil {
		return nil, err
	}
	exposure, err := h.o.Rights.Exposure(ctx)
	if err != nil {
		return nil, err
	}
	overdue, err := h.o.Cases.Overdue(ctx)
	if err != nil {
		return nil, err
	}
	return GetHome200JSONResponse{
		At: home.At, Stores: int64(home.Stores), StoresOnline: int64(home.StoresOnline),
		Terminals: TerminalCounts{
			Total: counts.Total, Enrolled: counts.Enrolled, Online: counts.Online, Quarantined: counts.Quarantined, Revoked: counts.Revoked,
		},
		WaitingTerminals: home.Waiting.Terminals, WaitingHq: home.Waiting.HQ, Today: showAll(home.Today, showSum),
		Busiest: showAll(home.Busiest, func(d console.ShopDay) StoreDay {
			return StoreDay{Store: d.ID, Code: d.Code, Name: d.Name, Online: d.Online, Date: showDate(d.Date), Sums: showAll(d.Sums, showSum)}
		}),
		Exceptions: showAll(home.Exceptions, func(c console.Cause) CauseSum {
			return CauseSum{Cause: c.Cause, Unit: c.Unit, Currency: c.Currency, Count: c.N, Amount: c.Amount, Money: c.Money}
		}),
		Overdue: overdue, Worst: showAll(exposure.Total(), showLine), Ending: h.showEnding(),
	}, nil
}

func showSum(s console.Sum) FigureSum {
	return FigureSum{Figure: s.Figure, Unit: s.Unit, Count: s.N, Amount: s.Amount}
}

func showDate(d entry.Date) openapi_types.Date {
	return openapi_types.Date{Time: time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)}
}

// ListDays implements StrictServerInterface.
func (h handlers) ListDays(ctx context.Context, r ListDaysRequestObject) (ListDaysResponseObject, error) {
	n := 30
	if r.Params.Days != nil {
		n = *r.Params.Days
	}
	days, err := h.o.Desk.Days(ctx, n)
	return ListDays200JSONResponse{Items: showAll(days, func(d console.Day) Day {
		return Day{Date: showDate(d.Date), Sums: showAll(d.Sums, showSum)}
	})}, err
}

// GetExposureTrend implements StrictServerInterface.
func (h handlers) GetExposureTrend(ctx context.Context, r GetExposureTrendRequestObject) (GetExposureTrendResponseObject, error) {
	hours := 24
	if r.Params.Hours != nil {
		hours = *r.Params.Hours
	}
	points, err := h.o.Desk.Trend(ctx, hours)
	return GetExposureTrend200JSONResponse{Items: showAll(points, func(p console.WorstCase) ExposurePoint {
		return ExposurePoint{At: p.At, Unit: p.Unit, Worst: p.Worst, Clones: p.Clones}
	})}, err
}

// asked makes a question of a list's parameters: all that are text and no other
// parameter narrow it.
func asked(list string, params any) console.Asked {
	a := console.Asked{List: list, Filters: map[string]string{}}
	v := reflect.ValueOf(params)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("form"), ",")
		text, ok := v.Field(i).Interface().(*string)
		if !ok || text == nil {
			continue
		}
		switch name {
		case "order":
			a.Order = *text
		case "cursor":
			a.Cursor = *text
		default:
			a.Filters[name] = *text
		}
	}
	return a
}

// GetList implements StrictServerInterface.
func (h handlers) GetList(ctx context.Context, r GetListRequestObject) (GetListResponseObject, error) {
	a := asked(r.List, r.Params)
	var err error
	if a.Limit, err = pageSize(r.Params.Limit); err != nil {
		return nil, err
	}
	page, err := h.o.Lists.Page(ctx, a)
	return GetList200JSONResponse{
		Columns: showAll(page.Columns, func(c console.Column) ListColumn { return ListColumn{Name: c.Name, Kind: ListColumnKind(c.Kind)} }),
		Rows:    showAll(page.Rows, func(r console.Row) []any { return r }), Next: unlessEmpty(page.Next),
	}, err
}

// GetEntryProof implements StrictServerInterface.
func (h handlers) GetEntryProof(ctx context.Context, r GetEntryProofRequestObject) (GetEntryProofResponseObject, error) {
	if r.Epoch < 1 || r.Epoch > math.MaxUint32 || r.Seq < 1 {
		return nil, notFound("entry")
	}
	p, err := h.o.Proofs.Proof(ctx, journal.Writer{ID: r.Writer, Epoch: uint32(r.Epoch)}, uint64(r.Seq), valueOf(r.Params.Hash))
	if err != nil {
		return nil, err
	}
	return GetEntryProof200JSONResponse(showProof(p)), nil
}

// QuarantineTerminal implements StrictServerInterface.
func (h handlers) QuarantineTerminal(ctx context.Context, r QuarantineTerminalRequestObject) (QuarantineTerminalResponseObject, error) {
	t, err := h.whole(ctx)(h.o.Fleet.ShutIn(ctx, callerOf(ctx).person.ID, r.ID))
	return QuarantineTerminal200JSONResponse(h.showTerminal(t)), err
}

// PreviewPolicy implements StrictServerInterface.
func (h handlers) PreviewPolicy(ctx context.Context, r PreviewPolicyRequestObject) (PreviewPolicyResponseObject, error) {
	policy := readPolicy(*r.Body)
	if err := h.o.Programme.CheckPolicy(ctx, policy); err != nil {
		return nil, err
	}
	p, err := h.o.Rights.Preview(ctx, policy)
	return PreviewPolicy200JSONResponse{
		Now: showAll(p.Now.Total(), showLine), AtMost: showAll(p.AtMost.Total(), showLine), Settled: showAll(p.Settled.Total(), showLine),
	}, err
}
