package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// handlers implements the generated interface: each translates, calls one use case
// and translates back.
type handlers struct{ *Server }

func (h handlers) Scan(ctx context.Context, r ScanRequestObject) (ScanResponseObject, error) {
	if r.Body.Code == "" {
		return nil, invalid("/code", "is missing")
	}
	if err := h.cfg.Till.Allow(callerOf(ctx, nil)); err != nil {
		return nil, err
	}
	scan, err := h.cfg.Till.Identify(ctx, r.Body.Code)
	if err != nil {
		return nil, err
	}
	return Scan200JSONResponse(scanOf(scan)), nil
}

func (h handlers) Quote(ctx context.Context, r QuoteRequestObject) (QuoteResponseObject, error) {
	req, err := requestOf(*r.Body)
	if err != nil {
		return nil, err
	}
	req.Caller = callerOf(ctx, r.Body.Approval)
	quote, err := h.cfg.Till.Quote(ctx, req)
	if err != nil {
		return nil, err
	}
	return Quote201JSONResponse(quoteOf(quote)), nil
}

func (h handlers) CommitSale(ctx context.Context, r CommitSaleRequestObject) (CommitSaleResponseObject, error) {
	commit := till.Commit{Key: r.Params.IdempotencyKey, Receipt: value(r.Body.PosReceipt), Cashier: value(r.Body.Cashier), Caller: callerOf(ctx, nil)}
	if err := checkKey(commit.Key); err != nil {
		return nil, err
	}
	switch {
	case (r.Body.Quote == nil) == (r.Body.Request == nil):
		return nil, invalid("/quote", "give one of quote and request")
	case r.Body.Quote != nil:
		commit.Quote = *r.Body.Quote
		if commit.Quote == uuid.Nil {
			return nil, problem.New(problem.QuoteUnknown, "the quote's id is empty")
		}
	default:
		req, err := requestOf(*r.Body.Request)
		if err != nil {
			return nil, err
		}
		commit.Request, commit.Caller.Approval = req, value(r.Body.Request.Approval)
	}
	var err error
	if commit.KeyHash, err = hashOf("sale", r.Body); err != nil {
		return nil, err
	}
	sale, err := h.cfg.Till.Commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	found := till.Found{Sale: sale, Left: sale.Left()}
	if sale.Replayed {
		// It may have been voided or returned since.
		if found, err = h.cfg.Till.Sale(ctx, sale.Body.ID); err != nil {
			return nil, err
		}
	}
	body := h.saleOf(found)
	if !sale.Replayed && !sale.Training {
		h.committed(eventSale, body)
		h.printAfter(ctx, sale.Entry)
	}
	return CommitSale201JSONResponse(body), nil
}

func (h handlers) GetSale(ctx context.Context, r GetSaleRequestObject) (GetSaleResponseObject, error) {
	found, err := h.cfg.Till.Sale(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	return GetSale200JSONResponse(h.saleOf(found)), nil
}

func (h handlers) VoidSale(ctx context.Context, r VoidSaleRequestObject) (VoidSaleResponseObject, error) {
	void, err := h.void(ctx, till.Void{
		Sale: r.Id, Key: r.Params.IdempotencyKey, Reason: entry.VoidCashier, Cashier: value(r.Body.Cashier),
		Caller: callerOf(ctx, r.Body.Approval),
	}, "void "+r.Id.String(), r.Body)
	if err != nil {
		return nil, err
	}
	return VoidSale201JSONResponse(void), nil
}

func (h handlers) VoidByKey(ctx context.Context, r VoidByKeyRequestObject) (VoidByKeyResponseObject, error) {
	if err := checkKey(r.Body.SaleKey); err != nil {
		return nil, invalid("/sale_key", "is no Idempotency-Key")
	}
	void, err := h.void(ctx, till.Void{
		SaleKey: r.Body.SaleKey, Key: r.Params.IdempotencyKey, Reason: entry.VoidLostAnswer, Cashier: value(r.Body.Cashier),
		Caller: callerOf(ctx, r.Body.Approval),
	}, "void by key", r.Body)
	if err != nil {
		return nil, err
	}
	return VoidByKey201JSONResponse(void), nil
}

func (h handlers) void(ctx context.Context, v till.Void, operation string, body any) (Void, error) {
	if err := checkKey(v.Key); err != nil {
		return Void{}, err
	}
	var err error
	if v.KeyHash, err = hashOf(operation, body); err != nil {
		return Void{}, err
	}
	voided, err := h.cfg.Till.Void(ctx, v)
	if err != nil {
		return Void{}, err
	}
	out := voidOf(voided)
	out.DoneBy, out.ApprovedBy = h.handsOf(voided.Body.Hands)
	out.Training = optional(voided.Training)
	if !voided.Replayed && !voided.Training {
		h.committed(eventVoid, out)
		h.printAfter(ctx, voided.Entry)
	}
	return out, nil
}

func (h handlers) GetStatus(ctx context.Context, _ GetStatusRequestObject) (GetStatusResponseObject, error) {
	status, err := h.status(ctx)
	if err != nil {
		return nil, err
	}
	return GetStatus200JSONResponse(status), nil
}

func (h handlers) SandboxCodes(context.Context, SandboxCodesRequestObject) (SandboxCodesResponseObject, error) {
	if h.cfg.Sandbox == nil {
		return nil, problem.New(problem.NotFound, "this agent is no sandbox")
	}
	return SandboxCodes200JSONResponse(*h.cfg.Sandbox), nil
}

func (h handlers) GetDocument(context.Context, GetDocumentRequestObject) (GetDocumentResponseObject, error) {
	return documentResponse(document), nil
}

func (h handlers) Health(ctx context.Context, _ HealthRequestObject) (HealthResponseObject, error) {
	if _, err := h.cfg.Till.Status(ctx); err != nil {
		return nil, err
	}
	return Health200TextResponse("ok\n"), nil
}

func (h handlers) Metrics(context.Context, MetricsRequestObject) (MetricsResponseObject, error) {
	text, err := h.metrics.text()
	if err != nil {
		return nil, err
	}
	return Metrics200TextResponse(text), nil
}

// documentResponse sends the embedded bytes as they are.
type documentResponse []byte

// VisitGetDocumentResponse implements the generated interface.
func (d documentResponse) VisitGetDocumentResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(d)
}

// checkKey refuses idempotency keys that could not be found again as they were
// given: printable ASCII only.
func checkKey(key string) error {
	if key == "" {
		return problem.New(problem.IdempotencyNeeded, "the Idempotency-Key header is empty")
	}
	if len(key) > till.MaxKey {
		return invalid("/Idempotency-Key", fmt.Sprintf("has more than %d characters", till.MaxKey))
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return invalid("/Idempotency-Key", "has a character that is not printable ASCII")
		}
	}
	return nil
}

// hashOf is the identity of a request: what it asks for, not how it was spaced.
func hashOf(operation string, body any) ([sha256.Size]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("hash request: %w", err)
	}
	return sha256.Sum256(append([]byte(operation+"\n"), raw...)), nil
}

func invalid(pointer, why string) error {
	err := problem.New(problem.InvalidField, pointer+" "+why)
	err.Fields = map[string]string{pointer: why}
	return err
}
