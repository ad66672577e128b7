package api

import (
	"context"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// ListStatements implements StrictServerInterface.
func (h handlers) ListStatements(ctx context.Context, r ListStatementsRequestObject) (ListStatementsResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	out := ListStatements200JSONResponse{}
	out.Items, out.Next, err = paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]settlement.Statement, error) {
		return h.o.Settlement.Statements(ctx, month, after, valueOf(r.Params.Cursor) == "", limit)
	}, func(s settlement.Statement) uuid.UUID { return s.Party.ID }, showStatement)
	return out, err
}

// GetStatement implements StrictServerInterface.
func (h handlers) GetStatement(ctx context.Context, r GetStatementRequestObject) (GetStatementResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	s, err := h.o.Settlement.Statement(ctx, month, r.Party)
	return GetStatement200JSONResponse(showStatement(s)), err
}

// ListStatementLines implements StrictServerInterface.
func (h handlers) ListStatementLines(ctx context.Context, r ListStatementLinesRequestObject) (ListStatementLinesResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	out := ListStatementLines200JSONResponse{}
	out.Items, out.Next, err = numbered(r.Params.Limit, r.Params.Cursor, func(after uint64, limit int) ([]settlement.Line, error) {
		return h.o.Settlement.Lines(ctx, month, r.Party, int64(after), limit)
	}, func(l settlement.Line) uint64 { return uint64(l.No) }, showStatementLine)
	return out, err
}

func showStatement(s settlement.Statement) Statement {
	return Statement{
		Party: showParty(s.Party), Month: s.Month.String(), State: StatementState(s.State), Number: s.Number,
		CutAt: time.UnixMilli(s.CutAt).UTC(), LockedAt: timeOf(s.LockedAt), Totals: showAll(s.Totals, showTotal),
		Groups: showAll(s.Groups, func(g settlement.Group) StatementGroup {
			return StatementGroup{
				Counterparty: g.Counterparty.ID, CounterpartyCode: g.Counterparty.Code, Kind: StatementKind(g.Kind), Fee: unlessEmpty(g.Fee), Unit: g.Unit, Currency: g.Currency,
				Of: monthText(g.Of), Points: g.Points, Owed: g.Owed, Owes: g.Owes, Lines: g.Lines,
			}
		}),
		Notes: showAll(s.Notes, func(n settlement.Note) StatementNote {
			return StatementNote{Number: n.Number, Of: n.Of.String(), OfNumber: n.OfNumber, Totals: showAll(n.Totals, showTotal)}
		}),
		Remarks: showAll(s.Remarks, func(x settlement.Remark) StatementRemark {
			return StatementRemark{What: StatementRemarkWhat(x.What), Store: x.Store, Count: x.Count}
		}),
	}
}

func showTotal(t settlement.Total) StatementTotal {
	return StatementTotal{Currency: t.Currency, Owed: t.Owed, Owes: t.Owes, Net: t.Net}
}

func showStatementLine(l settlement.Line) StatementLine {
	out := StatementLine{
		Number: l.No, Kind: StatementKind(l.Kind), Fee: unlessEmpty(l.Fee), From: l.From, To: l.To, FromStore: unlessEmpty(l.FromStore), ToStore: unlessEmpty(l.ToStore),
		Unit: l.Unit, Day: showDate(l.Day), Points: l.Points, PerThousand: l.PerThousand, Of: monthText(l.Of),
		Debit: LineAmount{Currency: l.Debit.Currency, Minor: l.Debit.Minor}, Credit: LineAmount{Currency: l.Credit.Currency, Minor: l.Credit.Minor},
	}
	if l.Rate != 0 {
		rate := rateText(l.Rate)
		out.Rate, out.RateFrom, out.RateSource = &rate, &openapi_types.Date{Time: l.RateFrom.Time()}, &l.RateSource
	}
	return out
}

// lineColumns are those of a statement's file.
var lineColumns = []console.Column{
	{Name: "number", Kind: console.Number},
	{Name: "kind", Kind: console.Word},
	{Name: "fee", Kind: console.Text},
	{Name: "corrects", Kind: console.Text},
	{Name: "day", Kind: console.Text},
	{Name: "owes", Kind: console.Text},
	{Name: "owed", Kind: console.Text},
	{Name: "issued_at", Kind: console.Text},
	{Name: "redeemed_at", Kind: console.Text},
	{Name: "unit", Kind: console.Text},
	{Name: "points", Kind: console.Number},
	{Name: "per_thousand", Kind: console.Number},
	{Name: "debit_currency", Kind: console.Text},
	{Name: "debit_minor", Kind: console.Number},
	{Name: "credit_currency", Kind: console.Text},
	{Name: "credit_minor", Kind: console.Number},
	{Name: "rate", Kind: console.Text},
	{Name: "rate_from", Kind: console.Text},
	{Name: "rate_source", Kind: console.Text},
}

// GetStatementFile implements StrictServerInterface.
func (h handlers) GetStatementFile(ctx context.Context, r GetStatementFileRequestObject) (GetStatementFileResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	s, err := h.o.Settlement.Statement(ctx, month, r.Party)
	if err != nil {
		return nil, err
	}
	var lines int64
	for _, g := range s.Groups {
		lines += g.Lines
	}
	if format := console.Format(r.Params.Format); format == console.XLSX && lines > console.MostXLSX {
		return nil, problem.Newf(problem.TooManyRows, "a sheet has at most %d rows", console.MostXLSX)
	}
	terms, err := h.o.Settlement.TermsOf(ctx, month)
	if err != nil {
		return nil, err
	}
	if err := h.takeFile(); err != nil {
		return nil, err
	}
	f, err := console.NewFile("settlement-"+s.Party.Code+"-"+month.String(), lineColumns, console.Format(r.Params.Format), valueOf(r.Params.Mark),
		func(ctx context.Context, do func(console.Row) error) error {
			return h.o.Settlement.EachLine(ctx, month, r.Party, func(l settlement.Line) error { return do(lineRow(terms, l)) })
		})
	if err != nil {
		<-h.files
		return nil, err
	}
	return download{handlers: h, file: f}, nil
}

// lineRow is a line as a row of a file.
func lineRow(terms *clearing.Terms, l settlement.Line) console.Row {
	row := console.Row{
		l.No, string(l.Kind), l.Fee, valueOf(monthText(l.Of)), l.Day.String(), terms.Named(l.From).Code, terms.Named(l.To).Code, terms.Place(l.FromStore).Code, terms.Place(l.ToStore).Code,
		l.Unit, l.Points, l.PerThousand, l.Debit.Currency, l.Debit.Minor, l.Credit.Currency, l.Credit.Minor, "", "", "",
	}
	if l.Rate != 0 {
		row[16], row[17], row[18] = rateText(l.Rate), l.RateFrom.String(), l.RateSource
	}
	return row
}
