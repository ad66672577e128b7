package api

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

// isPart says whether a path is that of a part of a file, which is no JSON.
func isPart(path string) bool {
	return strings.HasPrefix(path, basePath+"/stores/") && strings.Contains(path, "/pos-imports/") && strings.Contains(path, "/parts/")
}

// isPreview says whether a path is that of a preview, which keeps nothing.
func isPreview(path string) bool {
	return strings.HasPrefix(path, basePath+"/stores/") && strings.Contains(path, "/pos-imports/") && strings.HasSuffix(path, "/preview")
}

// reader is who brings books in and decides about them.
func (h handlers) reader(ctx context.Context) posbooks.Person {
	p := callerOf(ctx).person
	return posbooks.Person{ID: p.ID, Name: p.Name}
}

// ListPosMappings implements StrictServerInterface.
func (h handlers) ListPosMappings(ctx context.Context, r ListPosMappingsRequestObject) (ListPosMappingsResponseObject, error) {
	all, err := h.o.Books.Mappings(ctx, valueOf(r.Params.Store))
	return ListPosMappings200JSONResponse{Items: showAll(all, showMapping)}, err
}

// CreatePosMapping implements StrictServerInterface.
func (h handlers) CreatePosMapping(ctx context.Context, r CreatePosMappingRequestObject) (CreatePosMappingResponseObject, error) {
	if valueOf(r.Body.Version) != 0 {
		return nil, problem.New(problem.StateConflict, "a new mapping has no version")
	}
	m, err := h.putMapping(ctx, uuid.Nil, *r.Body)
	return CreatePosMapping201JSONResponse(showMapping(m)), err
}

// ChangePosMapping implements StrictServerInterface.
func (h handlers) ChangePosMapping(ctx context.Context, r ChangePosMappingRequestObject) (ChangePosMappingResponseObject, error) {
	if valueOf(r.Body.Version) < 1 {
		return nil, &problem.Error{Code: problem.InvalidField, Detail: "which version is changed must be said", Fields: map[string]string{"/version": "is missing"}}
	}
	m, err := h.putMapping(ctx, r.ID, *r.Body)
	return ChangePosMapping200JSONResponse(showMapping(m)), err
}

func (h handlers) putMapping(ctx context.Context, id uuid.UUID, c PosMappingChange) (posbooks.Mapping, error) {
	rules, err := readRules(c.Rules)
	if err != nil {
		return posbooks.Mapping{}, err
	}
	return h.o.Books.PutMapping(ctx, h.reader(ctx), posbooks.Mapping{ID: id, Store: valueOf(c.Store), Name: c.Name, Version: uint64(valueOf(c.Version)), Rules: rules})
}

// DeletePosMapping implements StrictServerInterface.
func (h handlers) DeletePosMapping(ctx context.Context, r DeletePosMappingRequestObject) (DeletePosMappingResponseObject, error) {
	return DeletePosMapping204Response{}, h.o.Books.DeleteMapping(ctx, r.ID)
}

// CreatePosImport implements StrictServerInterface.
func (h handlers) CreatePosImport(ctx context.Context, r CreatePosImportRequestObject) (CreatePosImportResponseObject, error) {
	rules, err := readRules(r.Body.Rules)
	if err != nil {
		return nil, err
	}
	i, err := h.o.Books.Begin(ctx, h.reader(ctx), r.ID, r.Body.Name, r.Body.Size, rules)
	return CreatePosImport201JSONResponse(showImport(i)), err
}

// GetPosImport implements StrictServerInterface.
func (h handlers) GetPosImport(ctx context.Context, r GetPosImportRequestObject) (GetPosImportResponseObject, error) {
	i, err := h.o.Books.Import(ctx, r.ID, r.Import)
	return GetPosImport200JSONResponse(showImport(i)), err
}

// AddPosPart implements StrictServerInterface.
func (h handlers) AddPosPart(ctx context.Context, r AddPosPartRequestObject) (AddPosPartResponseObject, error) {
	part, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read part: %w", err)
	}
	i, err := h.o.Books.AddPart(ctx, r.ID, r.Import, r.N, part)
	return AddPosPart200JSONResponse(showImport(i)), err
}

// PreviewPosImport implements StrictServerInterface.
func (h handlers) PreviewPosImport(ctx context.Context, r PreviewPosImportRequestObject) (PreviewPosImportResponseObject, error) {
	rules, err := readRules(*r.Body)
	if err != nil {
		return nil, err
	}
	p, err := h.o.Books.Preview(ctx, r.ID, r.Import, rules)
	return PreviewPosImport200JSONResponse{
		Unreadable: unlessEmpty(p.Unreadable), Encoding: unlessEmpty(p.Encoding), Delimiter: unlessEmpty(p.Delimiter), Head: showAll(p.Head, func(s string) string { return s }),
		Rows: showAll(p.Rows, showPosRow), Bad: showAll(p.BadRows, func(b posbooks.Bad) PosBadRow { return PosBadRow(b) }),
	}, err
}

// RunPosImport implements StrictServerInterface.
func (h handlers) RunPosImport(ctx context.Context, r RunPosImportRequestObject) (RunPosImportResponseObject, error) {
	rules, err := readRules(*r.Body)
	if err != nil {
		return nil, err
	}
	i, err := h.o.Books.Run(ctx, r.ID, r.Import, rules)
	return RunPosImport200JSONResponse(showImport(i)), err
}

// CancelPosImport implements StrictServerInterface.
func (h handlers) CancelPosImport(ctx context.Context, r CancelPosImportRequestObject) (CancelPosImportResponseObject, error) {
	i, err := h.o.Books.Cancel(ctx, r.ID, r.Import)
	return CancelPosImport200JSONResponse(showImport(i)), err
}

// ListPosDays implements StrictServerInterface.
func (h handlers) ListPosDays(ctx context.Context, r ListPosDaysRequestObject) (ListPosDaysResponseObject, error) {
	from, to, err := readSpan(r.Params.From.Time, r.Params.To.Time)
	if err != nil {
		return nil, err
	}
	if _, err := h.o.Fleet.Store(ctx, r.ID); err != nil {
		return nil, err
	}
	days, err := h.o.Books.Days(ctx, r.ID, from, to)
	if err != nil {
		return nil, err
	}
	troubles, err := h.o.Books.Troubles(ctx, r.ID)
	return ListPosDays200JSONResponse{Items: showAll(days, showPosDay), Troubles: showAll(troubles, showPosTrouble)}, err
}

// MatchPosDays implements StrictServerInterface.
func (h handlers) MatchPosDays(ctx context.Context, r MatchPosDaysRequestObject) (MatchPosDaysResponseObject, error) {
	from, to, err := readSpan(r.Body.From.Time, r.Body.To.Time)
	if err != nil {
		return nil, err
	}
	if _, err := h.o.Fleet.Store(ctx, r.ID); err != nil {
		return nil, err
	}
	return MatchPosDays200JSONResponse(*r.Body), h.o.Books.Again(ctx, r.ID, from, to)
}

// CountPosResults implements StrictServerInterface.
func (h handlers) CountPosResults(ctx context.Context, r CountPosResultsRequestObject) (CountPosResultsResponseObject, error) {
	p := r.Params
	n, err := h.o.Books.WouldDecide(ctx, posFilter(r.ID, string(valueOf(p.Outcome)), p.Lane, p.From, p.To, p.MostAmount), p.Settled)
	return CountPosResults200JSONResponse{Results: n}, err
}

// DecidePosResults implements StrictServerInterface.
func (h handlers) DecidePosResults(ctx context.Context, r DecidePosResultsRequestObject) (DecidePosResultsResponseObject, error) {
	b := r.Body
	f := posFilter(r.ID, string(valueOf(b.Outcome)), b.Lane, b.From, b.To, b.MostAmount)
	f.IDs = valueOf(b.Ids)
	d, err := h.o.Books.Decide(ctx, h.reader(ctx), f, b.Settled, b.Reason)
	return DecidePosResults200JSONResponse{ID: d.ID, Results: d.Results}, err
}

// posFilter reads which results are meant; what is nil narrows nothing.
func posFilter(store uuid.UUID, outcome string, lane *string, from, to *openapi_types.Date, most *int64) posbooks.Filter {
	f := posbooks.Filter{Store: store, Outcome: posbooks.Outcome(outcome), Lane: valueOf(lane), MostAmount: -1}
	if from != nil {
		f.From = entry.DateOf(from.Time)
	}
	if to != nil {
		f.To = entry.DateOf(to.Time)
	}
	if most != nil {
		f.MostAmount = max(*most, 0)
	}
	return f
}
