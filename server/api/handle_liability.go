package api

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/sync/entry"
)

// owedAsked are the parameters of a question about what is owed.
type owedAsked struct {
	unit         *string
	by           *LiabilityBy
	known, until *openapi_types.Date
	from, to     *string
}

// question reads a question, and lists the units there are. Without a unit it is about the
// first one; with none at all the unit stays empty.
func (h handlers) question(ctx context.Context, a owedAsked) (q liability.Question, units []string, err error) {
	q = liability.Question{By: liability.Recorded}
	if q.Unit, units, err = h.owedUnit(ctx, a.unit); err != nil {
		return q, nil, err
	}
	if a.by != nil {
		q.By = liability.By(*a.by)
	}
	if a.known != nil {
		q.Known = liability.DayAt(a.known.Time)
	}
	if a.until != nil {
		q.Until = liability.DayAt(a.until.Time)
	}
	for _, m := range []struct {
		name string
		text *string
		into *liability.Month
	}{{"from", a.from, &q.From}, {"to", a.to, &q.To}} {
		if m.text == nil {
			continue
		}
		if *m.into, err = liability.ParseMonth(*m.text); err != nil {
			return q, nil, badParameter(m.name, "must be a month, YYYY-MM")
		}
	}
	return q, units, nil
}

// owedUnit is the unit asked for, or the first there is.
func (h handlers) owedUnit(ctx context.Context, asked *string) (unit string, units []string, err error) {
	units, err = h.o.Liability.Units(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case asked != nil:
		return *asked, units, nil
	case len(units) > 0:
		return units[0], units, nil
	}
	return "", []string{}, nil
}

// GetLiability implements StrictServerInterface.
func (h handlers) GetLiability(ctx context.Context, r GetLiabilityRequestObject) (GetLiabilityResponseObject, error) {
	p := r.Params
	q, units, err := h.question(ctx, owedAsked{p.Unit, p.By, p.Known, p.Until, p.From, p.To})
	if err != nil {
		return nil, err
	}
	today := openapi_types.Date{Time: h.o.Clock.Now().UTC()}
	out := GetLiability200JSONResponse{Units: units, Unit: q.Unit, By: LiabilityBy(q.By), Known: today, Until: today, Months: []LiabilityMonth{}, Worth: []LiabilityWorth{}}
	if q.Unit == "" {
		return out, nil
	}
	report, err := h.o.Liability.Roll(ctx, q)
	if err != nil {
		return nil, err
	}
	out.Known, out.Until = dayShown(report.Known), dayShown(report.Until)
	out.Months, out.Worth = showAll(report.Months, showOwedMonth), showAll(report.Values, showWorth)
	exposure, err := h.o.Rights.Exposure(ctx)
	if err != nil {
		return nil, err
	}
	total := exposure.Total()
	if i := slices.IndexFunc(total, func(l allowance.Line) bool { return l.Unit == q.Unit }); i >= 0 {
		out.Exposure = new(showLine(total[i]))
	}
	return out, nil
}

func dayShown(d liability.Day) openapi_types.Date { return openapi_types.Date{Time: d.Time()} }

func showOwedMonth(m liability.MonthOf) LiabilityMonth {
	b := m.Beside
	return LiabilityMonth{
		Month: m.Month.String(), Total: showOwed(liability.Bucket{Line: m.Total}), Buckets: showAll(m.Buckets, showOwed),
		Beside: LiabilityBeside{
			Spendable: b.Spendable, Reserved: b.Reserved, Unvested: b.Unvested, Overdraft: b.Overdraft, Lapsed: b.Lapsed, Suspense: b.Suspense,
			Broken: b.Broken, Overdrawn: b.Overdrawn,
		},
	}
}

func showOwed(b liability.Bucket) LiabilityLine {
	return LiabilityLine{
		Expires: unlessEmpty(b.Expires.String()), Opening: b.Opening, Issued: b.Issued, Redeemed: b.Redeemed, Expired: b.Expired, Reversed: b.Reversed,
		Restored: b.Restored, Moved: b.Moved, Adjusted: b.Adjusted, Repaid: b.Repaid, Closing: b.Closing,
	}
}

func showWorth(v liability.Valued) LiabilityWorth {
	return LiabilityWorth{Currency: v.Currency, PerThousand: v.PerThousand, From: showDate(v.From), Amount: v.Amount, Source: LiabilityWorthSource(v.Source)}
}

// owedColumns are the columns of the file.
var owedColumns = []console.Column{
	{Name: "unit", Kind: console.Text},
	{Name: "month", Kind: console.Text},
	{Name: "expires", Kind: console.Text},
	{Name: "opening", Kind: console.Number},
	{Name: "issued", Kind: console.Number},
	{Name: "redeemed", Kind: console.Number},
	{Name: "expired", Kind: console.Number},
	{Name: "reversed", Kind: console.Number},
	{Name: "restored", Kind: console.Number},
	{Name: "moved", Kind: console.Number},
	{Name: "adjusted", Kind: console.Number},
	{Name: "repaid", Kind: console.Number},
	{Name: "closing", Kind: console.Number},
	{Name: "by", Kind: console.Word},
	{Name: "known", Kind: console.Text},
}

// GetLiabilityFile implements StrictServerInterface.
func (h handlers) GetLiabilityFile(ctx context.Context, r GetLiabilityFileRequestObject) (GetLiabilityFileResponseObject, error) {
	p := r.Params
	q, _, err := h.question(ctx, owedAsked{p.Unit, p.By, p.Known, p.Until, p.From, p.To})
	if err != nil {
		return nil, err
	}
	report, err := h.o.Liability.Roll(ctx, q)
	if err != nil {
		return nil, err
	}
	var rows []console.Row
	for _, m := range report.Months {
		for _, b := range m.Buckets {
			rows = append(rows, console.Row{
				q.Unit, m.Month.String(), b.Expires.String(), b.Opening, b.Issued, b.Redeemed, b.Expired, b.Reversed, b.Restored, b.Moved, b.Adjusted, b.Repaid,
				b.Closing, string(report.By), report.Known.String(),
			})
		}
	}
	name := "tallystick-liability-" + h.o.Clock.Now().Format("20060102-150405")
	file, err := console.NewFile(name, owedColumns, console.Format(p.Format), valueOf(p.Mark), func(_ context.Context, do func(console.Row) error) error {
		for _, row := range rows {
			if err := do(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := h.takeFile(); err != nil {
		return nil, err
	}
	return download{handlers: h, file: file}, nil
}

// VisitGetLiabilityFileResponse implements the generated interface.
func (d download) VisitGetLiabilityFileResponse(c *fiber.Ctx) error {
	return d.send(c)
}

// ListLiabilityPostings implements StrictServerInterface.
func (h handlers) ListLiabilityPostings(ctx context.Context, r ListLiabilityPostingsRequestObject) (ListLiabilityPostingsResponseObject, error) {
	p := r.Params
	size, err := pageSize(p.Limit)
	if err != nil {
		return nil, err
	}
	q, _, err := h.question(ctx, owedAsked{p.Unit, p.By, p.Known, p.Until, nil, nil})
	if err != nil {
		return nil, err
	}
	b := liability.Behind{Question: q, Column: liability.Column(p.Column)}
	if b.Month, err = liability.ParseMonth(p.Month); err != nil {
		return nil, badParameter("month", "must be a month, YYYY-MM")
	}
	if b.Expires, err = liability.ParseExpiry(valueOf(p.Expires)); err != nil {
		return nil, badParameter("expires", "must be a month, YYYY-MM, or never or rolling")
	}
	list, next, err := h.o.Liability.Postings(ctx, b, opaque(p.Cursor), size)
	return ListLiabilityPostings200JSONResponse{Items: showAll(list, showPosted), Next: unlessEmpty(next)}, err
}

func showPosted(p liability.Posted) LiabilityPosting {
	out := LiabilityPosting{
		ID: p.ID, Account: p.Account, RecordedAt: at(p.RecordedAt), EffectiveAt: at(p.EffectiveAt), Amount: p.Amount, FromBook: p.From.String(), ToBook: p.To.String(),
		Expires: unlessEmpty(liability.Month(p.Expires).String()), Store: unlessEmpty(p.Store), Source: p.Source.String(), Writer: unlessEmpty(p.Writer),
	}
	if p.Seq > 0 {
		out.Epoch, out.Seq = new(int64(p.Epoch)), new(int64(p.Seq))
	}
	return out
}

// GetBreakage implements StrictServerInterface.
func (h handlers) GetBreakage(ctx context.Context, r GetBreakageRequestObject) (GetBreakageResponseObject, error) {
	unit, units, err := h.owedUnit(ctx, r.Params.Unit)
	if err != nil {
		return nil, err
	}
	b, err := h.o.Liability.Breakage(ctx, unit)
	if err != nil {
		return nil, err
	}
	return GetBreakage200JSONResponse{
		Units: units, Unit: unit, Until: b.Until.String(), Open: b.Open, Used: b.Used, Expired: b.Expired, Low: b.Low, High: b.High, Stays: b.Stays,
		Seen: b.Seen, Tested: b.Tested, Older: unlessEmpty(b.Older),
		Cohorts: showAll(b.Cohorts, func(c liability.Cohort) BreakageCohort {
			return BreakageCohort{Issued: c.Issued.String(), Amount: c.In, Used: c.Used, Expired: c.Expired, Open: c.Open, Projected: c.Projected, Rate: c.Rate}
		}),
		Ages: showAll(b.Ages, func(a liability.Age) BreakageAge {
			return BreakageAge{Age: a.Age, Cohorts: a.Cohorts, Open: a.Open, Used: a.Used, Part: a.Part, Left: a.Left}
		}),
		Tests: showAll(b.Tests, func(t liability.Test) BreakageTest {
			return BreakageTest{From: t.After.String(), To: t.Until.String(), Projected: t.Projected, Real: t.Real}
		}),
		Months: showAll(b.Months, func(m liability.Ahead) BreakageMonth {
			return BreakageMonth{Month: m.Month.String(), Expired: m.Expired}
		}),
	}, nil
}

// ListLiabilityValues implements StrictServerInterface.
func (h handlers) ListLiabilityValues(ctx context.Context, _ ListLiabilityValuesRequestObject) (ListLiabilityValuesResponseObject, error) {
	values, err := h.o.Liability.Values(ctx)
	return ListLiabilityValues200JSONResponse{Items: showAll(values, showValue)}, err
}

// PutLiabilityValue implements StrictServerInterface.
func (h handlers) PutLiabilityValue(ctx context.Context, r PutLiabilityValueRequestObject) (PutLiabilityValueResponseObject, error) {
	v, err := h.o.Liability.SetValue(ctx, callerOf(ctx).person.ID, liability.Value{
		Unit: r.Body.Unit, Currency: r.Body.Currency, From: entry.DateOf(r.Body.From.Time), PerThousand: r.Body.PerThousand,
	})
	return PutLiabilityValue200JSONResponse(showValue(v)), err
}

func showValue(v liability.Value) LiabilityValue {
	return LiabilityValue{Unit: v.Unit, Currency: v.Currency, From: showDate(v.From), PerThousand: v.PerThousand, SetAt: v.SetAt}
}
