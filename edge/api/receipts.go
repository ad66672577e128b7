package api

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
)

// Receipts is how receipts are made here, and who prints them.
type Receipts struct {
	Language print.Language
	Columns  int
	CodePage string // a setting for print.PageOf
	Drawer   bool   // open the drawer with each original
	// After has an original printed after each sale, void, return and close.
	After bool
	// Service is nil when no printer is set up.
	Service   *print.Service
	Originals *print.Originals
}

// wanted is a receipt that somebody asks for.
type wanted struct {
	seq      int64
	language string
	columns  *int
	marks    print.Marks
}

func (h handlers) GetSaleReceipt(ctx context.Context, r GetSaleReceiptRequestObject) (GetSaleReceiptResponseObject, error) {
	seq, err := h.seqOf(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	return h.show(ctx, string(value(r.Params.Format)), wanted{
		seq: seq, language: string(value(r.Params.Language)), columns: r.Params.Columns, marks: print.Marks{Copy: !value(r.Params.Original)},
	})
}

func (h handlers) GetReceipt(ctx context.Context, r GetReceiptRequestObject) (GetReceiptResponseObject, error) {
	return h.show(ctx, string(value(r.Params.Format)), wanted{
		seq: r.Seq, language: string(value(r.Params.Language)), columns: r.Params.Columns, marks: print.Marks{Copy: !value(r.Params.Original)},
	})
}

// seqOf is the number of a sale's entry.
func (h handlers) seqOf(ctx context.Context, sale uuid.UUID) (int64, error) {
	found, err := h.cfg.Till.Sale(ctx, sale)
	return int64(found.Sale.At.Seq), err
}

// show answers with a receipt in one of the formats.
func (h handlers) show(ctx context.Context, format string, w wanted) (paperResponse, error) {
	doc, printer, err := h.layOut(ctx, w)
	if err != nil {
		return paperResponse{}, err
	}
	switch format {
	case "", "json":
		body, err := json.Marshal(receiptOf(w.seq, doc))
		return paperResponse{fiber.MIMEApplicationJSON, body}, err
	case "text":
		return paperResponse{fiber.MIMETextPlainCharsetUTF8, []byte(print.Plain(doc, printer.Columns))}, nil
	case "escpos":
		return paperResponse{"application/vnd.escpos", print.ESCPOS(doc, printer)}, nil
	}
	return paperResponse{}, invalid("/format", "must be json, text or escpos")
}

// layOut makes the receipt of an entry, for a printer.
func (h handlers) layOut(ctx context.Context, w wanted) (print.Document, print.Printer, error) {
	s := h.cfg.Receipts
	language, err := print.LanguageOf(w.language)
	if err != nil {
		return print.Document{}, print.Printer{}, invalid("/language", "must be en, tr or pl")
	}
	if w.language == "" && s.Language != "" {
		language = s.Language
	}
	printer := print.Printer{Columns: s.Columns, Drawer: s.Drawer && !w.marks.Copy}
	if w.columns != nil {
		printer.Columns = *w.columns
	}
	if printer.Columns == 0 {
		printer.Columns = print.DefaultColumns
	}
	if printer.Columns < print.MinColumns || printer.Columns > print.MaxColumns {
		return print.Document{}, printer, invalid("/columns", fmt.Sprintf("must be %d to %d", print.MinColumns, print.MaxColumns))
	}
	if printer.Page, err = print.PageOf(s.CodePage, language); err != nil {
		return print.Document{}, printer, fmt.Errorf("lay out receipt: %w", err)
	}
	if w.seq < 1 || w.seq == math.MaxInt64 {
		return print.Document{}, printer, problem.New(problem.NotFound, "entries are numbered from 1")
	}
	paper, err := h.cfg.Till.Paper(ctx, uint64(w.seq))
	if err != nil {
		return print.Document{}, printer, err
	}
	return print.Of(paper, language, w.marks), printer, nil
}

func receiptOf(seq int64, doc print.Document) Receipt {
	out := Receipt{Seq: seq, Language: ReceiptLanguage(doc.Language), Rows: []ReceiptRow{}}
	for _, row := range doc.Rows {
		out.Rows = append(out.Rows, ReceiptRow{
			Kind: ReceiptRowKind(row.Kind), Text: optional(row.Text), Right: optional(row.Right), Center: optional(row.Center),
			Bold: optional(row.Bold), Large: optional(row.Large),
		})
	}
	return out
}

// paperResponse sends a receipt as it is.
type paperResponse struct {
	kind string
	body []byte
}

// VisitGetReceiptResponse implements the generated interface.
func (p paperResponse) VisitGetReceiptResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, p.kind)
	return c.Send(p.body)
}

// VisitGetSaleReceiptResponse implements the generated interface.
func (p paperResponse) VisitGetSaleReceiptResponse(c *fiber.Ctx) error {
	return p.VisitGetReceiptResponse(c)
}

func (h handlers) PrintSaleReceipt(ctx context.Context, r PrintSaleReceiptRequestObject) (PrintSaleReceiptResponseObject, error) {
	seq, err := h.seqOf(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	printed, err := h.print(ctx, seq, *r.Body)
	return PrintSaleReceipt200JSONResponse(printed), err
}

func (h handlers) PrintReceipt(ctx context.Context, r PrintReceiptRequestObject) (PrintReceiptResponseObject, error) {
	printed, err := h.print(ctx, r.Seq, *r.Body)
	return PrintReceipt200JSONResponse(printed), err
}

// print prints a receipt and waits for the printer. A first receipt that did not come is
// still to be had.
func (h handlers) print(ctx context.Context, seq int64, r PrintRequest) (Printed, error) {
	s := h.cfg.Receipts
	if s.Service == nil {
		return Printed{}, problem.New(problem.PrinterNone, "")
	}
	if err := h.cfg.Till.Allow(callerOf(ctx, nil)); err != nil {
		return Printed{}, err
	}
	original := value(r.Original) && seq > 0 && s.Originals.Take(uint64(seq))
	job, err := h.job(ctx, wanted{seq: seq, language: string(value(r.Language)), marks: print.Marks{Copy: !original}})
	if err == nil {
		err = s.Service.Print(ctx, job)
	}
	if err != nil && original {
		s.Originals.GiveBack(uint64(seq))
	}
	return Printed{Seq: seq, Copy: !original}, err
}

func (h handlers) job(ctx context.Context, w wanted) ([]byte, error) {
	doc, printer, err := h.layOut(ctx, w)
	if err != nil {
		return nil, err
	}
	return print.ESCPOS(doc, printer), nil
}

// printAfter queues the first receipt of an entry just made, when that is wanted. It waits
// for no printer, and what goes wrong is told by an event: the entry is durable.
func (s *Server) printAfter(ctx context.Context, at till.Entry) {
	r, seq := s.cfg.Receipts, at.At.Seq
	if !r.After || r.Service == nil || !r.Originals.Take(seq) {
		return
	}
	job, err := handlers{s}.job(ctx, wanted{seq: int64(seq)})
	if err == nil {
		err = r.Service.Put(job, func() { r.Originals.GiveBack(seq) })
	}
	if err != nil {
		r.Originals.GiveBack(seq)
		state := printerOf(r.Service.State())
		state.State, state.Detail = Away, optional(err.Error())
		s.events.publish(frame(eventPrinter, state))
	}
}

// PrinterChanged tells the streams how the printer is.
func (s *Server) PrinterChanged(state print.State) {
	s.events.publish(frame(eventPrinter, printerOf(state)))
}

func (h handlers) GetPrinter(context.Context, GetPrinterRequestObject) (GetPrinterResponseObject, error) {
	if h.cfg.Receipts.Service == nil {
		return GetPrinter200JSONResponse{State: Absent}, nil
	}
	return GetPrinter200JSONResponse(printerOf(h.cfg.Receipts.Service.State())), nil
}

func printerOf(s print.State) PrinterState {
	out := PrinterState{State: Unused, Queue: int64(s.Queue)}
	switch {
	case s.At.IsZero():
	case s.Err != nil:
		out.State, out.At, out.Detail = Away, optional(s.At.UTC()), optional(s.Err.Error())
	default:
		out.State, out.At = Ready, optional(s.At.UTC())
	}
	return out
}

func (h handlers) ReadReceipt(ctx context.Context, r ReadReceiptRequestObject) (ReadReceiptResponseObject, error) {
	if r.Body.Code == "" {
		return nil, invalid("/code", "is missing")
	}
	got, err := h.cfg.Till.ReadReceipt(ctx, r.Body.Code)
	if err != nil {
		return nil, err
	}
	epoch, seq := int64(got.Epoch), int64(min(got.Seq, math.MaxInt64))
	out := ReadReceipt200JSONResponse{Sale: got.Sale, Matched: got.Matched, Origin: Origin{Terminal: got.Terminal, Epoch: &epoch, Seq: &seq}}
	if got.Found != nil {
		found := h.saleOf(*got.Found)
		out.Found = &found
	}
	return out, nil
}
