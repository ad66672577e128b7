package api

import (
	"bytes"
	"context"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// ListParties implements StrictServerInterface.
func (h handlers) ListParties(ctx context.Context, _ ListPartiesRequestObject) (ListPartiesResponseObject, error) {
	parties, err := h.o.Settlement.Parties(ctx)
	return ListParties200JSONResponse{Items: showAll(parties, showParty)}, err
}

// CreateParty implements StrictServerInterface.
func (h handlers) CreateParty(ctx context.Context, r CreatePartyRequestObject) (CreatePartyResponseObject, error) {
	p := settlement.Party{
		Code: r.Body.Code, Name: r.Body.Name, TaxNumber: valueOf(r.Body.TaxNumber), Address: valueOf(r.Body.Address), Currency: r.Body.Currency,
		Language: r.Body.Language, Gross: valueOf(r.Body.Gross),
	}
	p, err := h.o.Settlement.PutParty(ctx, callerOf(ctx).person.ID, p, true)
	return CreateParty201JSONResponse(showParty(p)), err
}

// PutParty implements StrictServerInterface.
func (h handlers) PutParty(ctx context.Context, r PutPartyRequestObject) (PutPartyResponseObject, error) {
	p := settlement.Party{
		ID: r.Party, Code: r.Body.Code, Name: r.Body.Name, TaxNumber: valueOf(r.Body.TaxNumber), Address: valueOf(r.Body.Address), Currency: r.Body.Currency,
		Language: r.Body.Language, Gross: valueOf(r.Body.Gross), Version: uint64(r.Body.Version),
	}
	p, err := h.o.Settlement.PutParty(ctx, callerOf(ctx).person.ID, p, false)
	return PutParty200JSONResponse(showParty(p)), err
}

func showParty(p settlement.Party) Party {
	return Party{
		ID: p.ID, Code: p.Code, Name: p.Name, TaxNumber: p.TaxNumber, Address: p.Address, Currency: p.Currency, Language: p.Language, Gross: p.Gross, Version: int64(p.Version),
	}
}

// monthOf reads a month; what is none is nowhere.
func monthOf(text string) (settlement.Month, error) {
	at, err := time.Parse("2006-01", text)
	if err != nil {
		return 0, problem.New(problem.NotFound, "there is no such month")
	}
	return clearing.MonthOf(entry.DateOf(at)), nil
}

// ListSettlementMonths implements StrictServerInterface.
func (h handlers) ListSettlementMonths(ctx context.Context, r ListSettlementMonthsRequestObject) (ListSettlementMonthsResponseObject, error) {
	out := ListSettlementMonths200JSONResponse{}
	var err error
	out.Items, out.Next, err = numbered(r.Params.Limit, r.Params.Cursor, func(before uint64, limit int) ([]settlement.MonthState, error) {
		return h.o.Settlement.Months(ctx, settlement.Month(before), limit)
	}, func(m settlement.MonthState) uint64 { return uint64(m.Month) }, showMonth)
	return out, err
}

// GetSettlementMonth implements StrictServerInterface.
func (h handlers) GetSettlementMonth(ctx context.Context, r GetSettlementMonthRequestObject) (GetSettlementMonthResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	m, err := h.o.Settlement.Month(ctx, month)
	return GetSettlementMonth200JSONResponse(showMonth(m)), err
}

// DraftSettlementMonth implements StrictServerInterface.
func (h handlers) DraftSettlementMonth(ctx context.Context, r DraftSettlementMonthRequestObject) (DraftSettlementMonthResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	m, err := h.o.Settlement.Draft(ctx, callerOf(ctx).person.ID, month)
	return DraftSettlementMonth202JSONResponse(showMonth(m)), err
}

// LockSettlementMonth implements StrictServerInterface.
func (h handlers) LockSettlementMonth(ctx context.Context, r LockSettlementMonthRequestObject) (LockSettlementMonthResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	var seen int64
	if at := r.Params.CutAt; at != nil {
		seen = at.UnixMilli()
	}
	m, err := h.o.Settlement.LockSeen(ctx, callerOf(ctx).person.ID, month, seen)
	return LockSettlementMonth200JSONResponse(showMonth(m)), err
}

func showMonth(m settlement.MonthState) SettlementMonth {
	out := SettlementMonth{
		Month: m.Month.String(), State: SettlementMonthState(m.State), Missing: showAll(m.Missing, clearing.Missing.String),
		CutAt: timeOf(m.CutAt), LockedAt: timeOf(m.LockedAt), DraftedBy: unlessEmpty(m.DraftedBy), LockedBy: unlessEmpty(m.LockedBy),
	}
	if f := m.Failure; f.Times > 0 {
		out.Failure = &SettlementFailure{Code: string(f.Code), Detail: unlessEmpty(f.Detail), Times: int64(f.Times), RetryAt: time.UnixMilli(f.RetryAt).UTC()}
	}
	return out
}

// PreviewSettlementMonth implements StrictServerInterface. It counts among the files that are
// made at once: it prices all of the month.
func (h handlers) PreviewSettlementMonth(ctx context.Context, r PreviewSettlementMonthRequestObject) (PreviewSettlementMonthResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	if err := h.takeFile(); err != nil {
		return nil, err
	}
	defer func() { <-h.files }()
	p, err := h.o.Settlement.Preview(ctx, month)
	if err != nil {
		return nil, err
	}
	out := PreviewSettlementMonth200JSONResponse{
		Month: p.Month.String(), AsOf: time.UnixMilli(p.AsOf).UTC(), Missing: showAll(p.Missing, clearing.Missing.String), Items: []Statement{},
	}
	for _, s := range p.Statements {
		if party := r.Params.Party; party == nil {
			s.Groups, s.Notes = nil, nil
		} else if *party != s.Party.ID {
			continue
		}
		out.Items = append(out.Items, showStatement(s))
	}
	return out, nil
}

// timeOf is a moment in Unix milliseconds, nil for none.
func timeOf(millis int64) *time.Time {
	if millis == 0 {
		return nil
	}
	at := time.UnixMilli(millis).UTC()
	return &at
}

func monthText(m settlement.Month) *string {
	if m == 0 {
		return nil
	}
	text := m.String()
	return &text
}

// ListSettlementTerms implements StrictServerInterface.
func (h handlers) ListSettlementTerms(ctx context.Context, r ListSettlementTermsRequestObject) (ListSettlementTermsResponseObject, error) {
	out := ListSettlementTerms200JSONResponse{}
	var err error
	out.Items, out.Next, err = numbered(r.Params.Limit, r.Params.Cursor, func(after uint64, limit int) ([]SettlementTerm, error) {
		return h.terms(ctx, settlement.Sort(r.Params.Sort), after, limit)
	}, func(t SettlementTerm) uint64 { return uint64(t.Number) }, func(t SettlementTerm) SettlementTerm { return t })
	return out, err
}

func (h handlers) terms(ctx context.Context, sort settlement.Sort, after uint64, limit int) ([]SettlementTerm, error) {
	s := h.o.Settlement
	switch sort {
	case settlement.SortAssignment:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Assignment) (t SettlementTermNew) {
			t.Assignment = &TermAssignment{Store: v.Store, Party: v.Party, From: showDate(v.From)}
			return t
		})
	case settlement.SortPrice:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Price) (t SettlementTermNew) {
			t.Price = &TermPrice{Unit: v.Unit, Currency: v.Currency, From: showDate(v.From), PerThousand: v.PerThousand}
			return t
		})
	case settlement.SortFee:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Fee) (t SettlementTermNew) {
			t.Fee = &TermFee{
				Code: v.Code, From: showDate(v.From), Unit: unlessEmpty(v.Unit), Payer: TermFeePayer(v.Payer), BasisPoints: &v.BasisPoints, PerThousand: &v.PerThousand,
				Currency: unlessEmpty(v.Currency), Own: &v.Own,
			}
			return t
		})
	case settlement.SortTax:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Tax) (t SettlementTermNew) {
			t.Tax = &TermTax{Party: v.Party, From: showDate(v.From), BasisPoints: v.BasisPoints}
			return t
		})
	case settlement.SortRate:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Rate) (t SettlementTermNew) {
			t.Rate = &TermRate{Base: v.Base, Quote: v.Quote, From: showDate(v.From), Rate: rateText(v.Billionths), Source: v.Source}
			return t
		})
	case settlement.SortAccount:
		return listTerms(ctx, s, sort, after, limit, func(v clearing.Account) (t SettlementTermNew) {
			t.Account = &TermAccount{Party: unlessEmpty(v.Party), Role: TermAccountRole(v.Role), Code: v.Code}
			return t
		})
	}
	return nil, badParameter("sort", "is not a sort of terms")
}

func listTerms[T any](ctx context.Context, s *settlement.Service, sort settlement.Sort, after uint64, limit int, show func(T) SettlementTermNew) ([]SettlementTerm, error) {
	kept, err := settlement.List[T](ctx, s, sort, after, limit)
	return showAll(kept, func(k settlement.Kept[T]) SettlementTerm {
		return SettlementTerm{Number: int64(k.Number), RecordedAt: time.UnixMilli(k.RecordedAt).UTC(), By: k.By, Term: show(k.Term)}
	}), err
}

// CreateSettlementTerm implements StrictServerInterface.
func (h handlers) CreateSettlementTerm(ctx context.Context, r CreateSettlementTermRequestObject) (CreateSettlementTermResponseObject, error) {
	by, s, t := callerOf(ctx).person.ID, h.o.Settlement, *r.Body
	n := 0
	for _, given := range []bool{t.Assignment != nil, t.Price != nil, t.Fee != nil, t.Tax != nil, t.Rate != nil, t.Account != nil} {
		if given {
			n++
		}
	}
	var err error
	switch {
	case n != 1:
		err = problem.New(problem.InvalidField, "give exactly one of assignment, price, fee, tax, rate and account")
	case t.Assignment != nil:
		err = s.Assign(ctx, by, clearing.Assignment{Store: t.Assignment.Store, Party: t.Assignment.Party, From: entry.DateOf(t.Assignment.From.Time)})
	case t.Price != nil:
		err = s.SetPrice(ctx, by, clearing.Price{Unit: t.Price.Unit, Currency: t.Price.Currency, From: entry.DateOf(t.Price.From.Time), PerThousand: t.Price.PerThousand})
	case t.Fee != nil:
		err = s.SetFee(ctx, by, clearing.Fee{
			Code: t.Fee.Code, From: entry.DateOf(t.Fee.From.Time), Unit: valueOf(t.Fee.Unit), Payer: clearing.Payer(t.Fee.Payer),
			BasisPoints: valueOf(t.Fee.BasisPoints), PerThousand: valueOf(t.Fee.PerThousand), Currency: valueOf(t.Fee.Currency), Own: valueOf(t.Fee.Own),
		})
	case t.Tax != nil:
		err = s.SetTax(ctx, by, clearing.Tax{Party: t.Tax.Party, From: entry.DateOf(t.Tax.From.Time), BasisPoints: t.Tax.BasisPoints})
	case t.Rate != nil:
		err = s.SetRate(ctx, by, clearing.Rate{
			Base: t.Rate.Base, Quote: t.Rate.Quote, From: entry.DateOf(t.Rate.From.Time), Billionths: readRate(t.Rate.Rate), Source: t.Rate.Source,
		})
	default:
		err = s.SetAccount(ctx, by, clearing.Account{Party: valueOf(t.Account.Party), Role: clearing.Role(t.Account.Role), Code: t.Account.Code})
	}
	return CreateSettlementTerm201JSONResponse(t), err
}

// readRate reads a decimal number; what does not fit is zero, which no rate is.
func readRate(text string) int64 {
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "eE/") {
		return 0
	}
	r.Mul(r, new(big.Rat).SetInt64(clearing.RateScale))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0
	}
	return r.Num().Int64()
}

func rateText(billionths int64) string {
	text := new(big.Rat).SetFrac64(billionths, clearing.RateScale).FloatString(9)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// ListLinePostings implements StrictServerInterface.
func (h handlers) ListLinePostings(ctx context.Context, r ListLinePostingsRequestObject) (ListLinePostingsResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	after, err := afterMove(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	out := ListLinePostings200JSONResponse{}
	out.Items, out.Next, err = pageOf(r.Params.Limit, func(limit int) ([]clearing.Move, error) {
		_, moves, err := h.o.Settlement.Moves(ctx, month, r.Number, after, limit)
		return moves, err
	}, moveCursor, showMove)
	return out, err
}

// moveMark begins cursors of the postings behind a line.
const moveMark = 'm'

func afterMove(cursor *Cursor) (settlement.MovePlace, error) {
	raw, err := readCursor(cursor, moveMark, 1+len(uuid.UUID{}))
	if raw == nil {
		return settlement.MovePlace{Shard: -1}, err
	}
	return settlement.MovePlace{Shard: int(raw[0]), ID: uuid.UUID(raw[1:])}, nil
}

func moveCursor(m clearing.Move) *string {
	return cursorOf(moveMark, append([]byte{byte(m.Shard)}, m.ID[:]...))
}

func showMove(m clearing.Move) LinePosting {
	return LinePosting{
		Posting: m.ID, Account: m.Account, RecordedAt: time.UnixMilli(m.RecordedAt).UTC(), Kind: StatementKind(m.Kind), Points: m.Points,
		FromDay: showDate(m.FromDay), ToDay: showDate(m.ToDay), Day: showDate(m.Day),
	}
}

// GetSettlementBooks implements StrictServerInterface.
func (h handlers) GetSettlementBooks(ctx context.Context, r GetSettlementBooksRequestObject) (GetSettlementBooksResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	dialect := clearing.Dialect(r.Params.Dialect)
	if dialect != clearing.Hledger && dialect != clearing.Beancount {
		return nil, badParameter("dialect", "must be hledger or beancount")
	}
	if err := h.takeFile(); err != nil { // it reads all lines of the month
		return nil, err
	}
	defer func() { <-h.files }()
	var text bytes.Buffer
	err = h.o.Settlement.WriteBooks(ctx, month, dialect, &text)
	return GetSettlementBooks200TextResponse(text.String()), err
}
