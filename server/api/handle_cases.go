package api

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// by is who calls, for the trail of an exception.
func (h handlers) by(ctx context.Context) casework.Person {
	p := callerOf(ctx).person
	return casework.Person{ID: p.ID, Name: p.Name, Role: p.Role}
}

// work shows an exception with what was done about it, and what is suggested.
func (h handlers) work(ctx context.Context) func(casework.Work, error) (ExceptionWork, error) {
	return func(w casework.Work, err error) (ExceptionWork, error) {
		if err != nil {
			return ExceptionWork{}, err
		}
		suggestion, err := h.o.Cases.Suggestion(ctx, w)
		return showWork(w, suggestion), err
	}
}

// GetExceptionWork implements StrictServerInterface.
func (h handlers) GetExceptionWork(ctx context.Context, r GetExceptionWorkRequestObject) (GetExceptionWorkResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Work(ctx, r.ID))
	return GetExceptionWork200JSONResponse(w), err
}

// OwnException implements StrictServerInterface.
func (h handlers) OwnException(ctx context.Context, r OwnExceptionRequestObject) (OwnExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Own(ctx, h.by(ctx), r.ID, r.Body.Own))
	return OwnException200JSONResponse(w), err
}

// AssignException implements StrictServerInterface.
func (h handlers) AssignException(ctx context.Context, r AssignExceptionRequestObject) (AssignExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Assign(ctx, h.by(ctx), r.ID, valueOf(r.Body.Person)))
	return AssignException200JSONResponse(w), err
}

// CommentException implements StrictServerInterface.
func (h handlers) CommentException(ctx context.Context, r CommentExceptionRequestObject) (CommentExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Remark(ctx, h.by(ctx), r.ID, r.Body.Text))
	return CommentException200JSONResponse(w), err
}

// SetExceptionDue implements StrictServerInterface.
func (h handlers) SetExceptionDue(ctx context.Context, r SetExceptionDueRequestObject) (SetExceptionDueResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.SetDue(ctx, h.by(ctx), r.ID, r.Body.DueAt, r.Body.Text))
	return SetExceptionDue200JSONResponse(w), err
}

// SetExceptionLiable implements StrictServerInterface.
func (h handlers) SetExceptionLiable(ctx context.Context, r SetExceptionLiableRequestObject) (SetExceptionLiableResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.SetLiable(ctx, h.by(ctx), r.ID, string(r.Body.Liable), r.Body.Text))
	return SetExceptionLiable200JSONResponse(w), err
}

// ResolveException implements StrictServerInterface.
func (h handlers) ResolveException(ctx context.Context, r ResolveExceptionRequestObject) (ResolveExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Resolve(ctx, h.by(ctx), r.ID, casework.Resolution(r.Body.Resolution), r.Body.Text))
	return ResolveException200JSONResponse(w), err
}

// ReopenException implements StrictServerInterface.
func (h handlers) ReopenException(ctx context.Context, r ReopenExceptionRequestObject) (ReopenExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Reopen(ctx, h.by(ctx), r.ID, r.Body.Text))
	return ReopenException200JSONResponse(w), err
}

// ProposeAboutException implements StrictServerInterface.
func (h handlers) ProposeAboutException(ctx context.Context, r ProposeAboutExceptionRequestObject) (ProposeAboutExceptionResponseObject, error) {
	w, err := h.work(ctx)(h.o.Cases.Propose(ctx, h.by(ctx), r.ID, casework.Deed{
		Action: casework.Action(r.Body.Action), Resolution: casework.Resolution(valueOf(r.Body.Resolution)),
		Liable: string(valueOf(r.Body.Liable)), Text: r.Body.Text,
	}))
	return ProposeAboutException200JSONResponse(w), err
}

// DecideProposal implements StrictServerInterface.
func (h handlers) DecideProposal(ctx context.Context, r DecideProposalRequestObject) (DecideProposalResponseObject, error) {
	decide, known := map[CaseVerdict]func(context.Context, casework.Person, uuid.UUID, uuid.UUID, string) (casework.Work, error){
		Approve: h.o.Cases.Approve, Refuse: h.o.Cases.Refuse, Withdraw: h.o.Cases.Withdraw,
	}[r.Body.Verdict]
	if !known {
		return nil, badField("/verdict", "must be approve, refuse or withdraw")
	}
	w, err := h.work(ctx)(decide(ctx, h.by(ctx), r.ID, r.Proposal, valueOf(r.Body.Text)))
	return DecideProposal200JSONResponse(w), err
}

func showWork(w casework.Work, s casework.Suggestion) ExceptionWork {
	return ExceptionWork{
		Exception: showException(w.Exception), Resolution: string(w.Case.Resolution), Owner: unlessEmpty(w.Case.Owner), OwnerName: w.Case.OwnerName,
		Notes: showAll(w.Notes, func(n casework.Note) ExceptionNote {
			return ExceptionNote{ID: n.ID, At: n.At, Person: n.Person, Name: n.Name, What: n.What, Text: n.Text}
		}),
		Liable: w.Liable(), DueAt: unlessEmpty(w.Case.DueAt), DueBy: unlessEmpty(w.Case.DueBy), Overdue: w.Overdue, NeedsTwo: w.NeedsTwo,
		Proposals: showAll(w.Proposals, func(p casework.Proposal) CaseProposal {
			return CaseProposal{
				ID: p.ID, Action: CaseAction(p.Action), Resolution: unlessEmpty(string(p.Resolution)), Liable: unlessEmpty(p.Liable), Text: p.Text,
				State: string(p.State), MadeBy: p.MadeBy, MadeByName: p.MadeByName, MadeAt: p.MadeAt, DecidedBy: unlessEmpty(p.DecidedBy),
				DecidedByName: unlessEmpty(p.DecidedByName), DecidedAt: unlessEmpty(p.DecidedAt), DecidedText: p.DecidedText,
			}
		}),
		Suggestion: CaseSuggestion{Action: string(s.Action), Resolution: string(s.Resolution), Reason: s.Reason, Count: s.Count, Text: s.Text},
	}
}

func readBulk(b BulkNew) casework.Bulk {
	f := b.Filter
	return casework.Bulk{
		Filter: casework.Filter{
			Kind: causeOf(f.Cause), Store: valueOf(f.Store), Terminal: valueOf(f.Terminal), Attribution: loyalty.LossCause(valueOf(f.Attribution)),
			Liable: string(valueOf(f.Liable)), Unit: valueOf(f.Unit), Currency: valueOf(f.Currency), UpTo: valueOf(f.UpTo),
			Owner: valueOf(f.Owner), Unowned: valueOf(f.Unowned), Overdue: valueOf(f.Overdue), Before: valueOf(f.Before),
		},
		Outcome: casework.Outcome(b.Action), Person: valueOf(b.Person), Resolution: casework.Resolution(valueOf(b.Resolution)),
		DueAt: valueOf(b.DueAt), Text: valueOf(b.Text),
	}
}

// PreviewBulk implements StrictServerInterface.
func (h handlers) PreviewBulk(ctx context.Context, r PreviewBulkRequestObject) (PreviewBulkResponseObject, error) {
	t, err := h.o.Cases.TryBulk(ctx, readBulk(*r.Body))
	return PreviewBulk200JSONResponse(showTrial(t)), err
}

// WorkInBulk implements StrictServerInterface.
func (h handlers) WorkInBulk(ctx context.Context, r WorkInBulkRequestObject) (WorkInBulkResponseObject, error) {
	t, err := h.o.Cases.DoBulk(ctx, h.by(ctx), readBulk(r.Body.Bulk), r.Body.Count)
	return WorkInBulk200JSONResponse(showTrial(t)), err
}

func showTrial(t casework.Trial) CaseTrial {
	return CaseTrial{
		Count: t.N, LeftOut: t.LeftOut, More: t.More, Some: showAll(t.Some, func(id uuid.UUID) uuid.UUID { return id }),
		Sums: showAll(t.Sums, func(s casework.Sum) CaseSum {
			return CaseSum{Unit: unlessEmpty(s.Unit), Currency: unlessEmpty(s.Currency), Amount: s.Amount}
		}),
	}
}

// maxAgeingLines bounds the lines of one report; the list has all of them.
const maxAgeingLines = 1000

// GetExceptionAgeing implements StrictServerInterface.
func (h handlers) GetExceptionAgeing(ctx context.Context, r GetExceptionAgeingRequestObject) (GetExceptionAgeingResponseObject, error) {
	report, err := h.o.Cases.Ageing(ctx, valueOf(r.Params.At))
	if err != nil {
		return nil, err
	}
	lines := casework.WithoutStores(report.Lines)
	return GetExceptionAgeing200JSONResponse{
		At: report.At, Lines: showAll(lines[:min(len(lines), maxAgeingLines)], showAged), Totals: showAll(report.Totals, showAged), More: len(lines) > maxAgeingLines,
	}, nil
}

func showAged(l casework.Line) AgeingLine {
	return AgeingLine{
		Cause: l.Kind, Liable: l.Liable, Store: unlessEmpty(l.Store), StoreCode: l.StoreCode, Unit: l.Unit, Currency: l.Currency,
		Ages: showAll(l.Cells[:], showCell), Total: showCell(l.Total),
	}
}

func showCell(c casework.Cell) AgeingCell {
	return AgeingCell{Count: c.N, Amount: c.Amount, Money: c.Money}
}

// decideAll releases or rejects what exceptions say waits in suspense.
func (h handlers) decideAll(ctx context.Context, ids []uuid.UUID, verdict entry.Verdict) ([]Exception, error) {
	out := make([]Exception, 0, len(ids))
	for _, id := range ids {
		e, err := h.o.Cases.Decide(ctx, h.by(ctx), id, verdict)
		if err != nil {
			return nil, err
		}
		out = append(out, showException(e))
	}
	return out, nil
}

// causeOf reads the name of a cause; an empty one is any.
func causeOf(text *string) ledger.ExceptionKind {
	return ledger.ExceptionKind(strings.TrimSpace(valueOf(text)))
}
