package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
)

// CreateAdjustmentList implements StrictServerInterface.
func (h handlers) CreateAdjustmentList(ctx context.Context, r CreateAdjustmentListRequestObject) (CreateAdjustmentListResponseObject, error) {
	b, err := h.o.Accounts.Preview(ctx, callerOf(ctx).person.ID, uint8(reasons[r.Body.Reason]), showAll(r.Body.Rows, readRow))
	return CreateAdjustmentList201JSONResponse(showAdjustmentList(b)), err
}

// GetAdjustmentList implements StrictServerInterface.
func (h handlers) GetAdjustmentList(ctx context.Context, r GetAdjustmentListRequestObject) (GetAdjustmentListResponseObject, error) {
	b, err := h.o.Accounts.Batch(ctx, r.ID)
	return GetAdjustmentList200JSONResponse(showAdjustmentList(b)), err
}

// lineCursorMark opens the cursor of a list in the order of lines.
const lineCursorMark = "l"

// ListAdjustmentRows implements StrictServerInterface.
func (h handlers) ListAdjustmentRows(ctx context.Context, r ListAdjustmentRowsRequestObject) (ListAdjustmentRowsResponseObject, error) {
	after, err := afterLine(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	out := ListAdjustmentRows200JSONResponse{}
	out.Items, out.Next, err = pageOf(r.Params.Limit, func(limit int) ([]account.Row, error) {
		return h.o.Accounts.Rows(ctx, r.ID, after, limit)
	}, func(row account.Row) *string {
		text := cursortext.Of([]byte(lineCursorMark + strconv.Itoa(row.Line)))
		return &text
	}, showRow)
	return out, err
}

func afterLine(cursor *Cursor) (int, error) {
	if cursor == nil || *cursor == "" {
		return 0, nil
	}
	raw, err := cursortext.Bytes(*cursor)
	digits, ok := strings.CutPrefix(string(raw), lineCursorMark)
	after, nerr := strconv.ParseUint(digits, 10, 31)
	if err != nil || !ok || nerr != nil {
		return 0, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return int(after), nil
}

// CommitAdjustmentList implements StrictServerInterface.
func (h handlers) CommitAdjustmentList(ctx context.Context, r CommitAdjustmentListRequestObject) (CommitAdjustmentListResponseObject, error) {
	b, err := h.o.Accounts.Commit(ctx, callerOf(ctx).person.ID, r.ID, valueOf(r.Body.Partly))
	return CommitAdjustmentList200JSONResponse(showAdjustmentList(b)), err
}

// UndoAdjustmentList implements StrictServerInterface.
func (h handlers) UndoAdjustmentList(ctx context.Context, r UndoAdjustmentListRequestObject) (UndoAdjustmentListResponseObject, error) {
	b, err := h.o.Accounts.Undo(ctx, callerOf(ctx).person.ID, r.ID)
	return UndoAdjustmentList200JSONResponse(showAdjustmentList(b)), err
}

func readRow(r AdjustmentRowNew) account.Wanted {
	return account.Wanted{
		Member: valueOf(r.Member), Reference: valueOf(r.Reference), Unit: valueOf(r.Unit), Amount: valueOf(r.Amount),
		ExpiresAt: valueOf(r.ExpiresAt), Voucher: valueOf(r.Voucher),
	}
}

func showAdjustmentList(b account.Batch) AdjustmentList {
	return AdjustmentList{
		ID: b.ID, State: ListState(b.State.String()), Reason: wordOf(b.Reason), Rows: int64(b.Rows),
		Waiting: int64(b.Counts[account.RowWaits]), Done: int64(b.Counts[account.RowDone]), Refused: int64(b.Counts[account.RowRefused]),
		Undone: int64(b.Counts[account.RowUndone]), CreatedAt: b.CreatedAt,
	}
}

func showRow(r account.Row) AdjustmentRow {
	out := AdjustmentRow{
		Line: int64(r.Line), State: RowState(r.State.String()), Member: unlessEmpty(r.Member), Account: unlessEmpty(r.Account), Voucher: unlessEmpty(r.Voucher),
		Problem: unlessEmpty(string(r.Problem)), Detail: unlessEmpty(r.Detail), ExpiresAt: fromMillis(r.ExpiresAt),
	}
	if out.Voucher != nil {
		return out
	}
	out.Unit, out.Amount = &r.Unit, &r.Amount
	if r.State == account.RowUndone {
		out.UndoneBy = &r.Undone
	}
	if r.State != account.RowRefused {
		after := r.FreeBefore + r.Amount
		out.FreeBefore, out.FreeAfter = &r.FreeBefore, &after
	}
	return out
}
