package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// rowsAtOnce is how many rows one call books of a list, so that a long list keeps
// nothing else waiting.
const rowsAtOnce = 200

func (a *Accounts) settleBatches(ctx context.Context) (int, error) {
	batches, err := a.env.Store.BatchesWaiting(ctx, atOnce)
	if err != nil {
		return 0, fmt.Errorf("find lists: %w", err)
	}
	done := 0
	for _, b := range batches {
		n, berr := a.settleBatch(ctx, b)
		done += n
		err = errors.Join(err, berr)
	}
	return done, err
}

// settleBatch books or undoes the next rows of a list, and closes it after the last.
func (a *Accounts) settleBatch(ctx context.Context, b Batch) (int, error) {
	next, book := BatchCommitted, a.bookRow
	var rows []Row
	var err error
	if b.State == BatchUndoing {
		// From the last row on, so that a row that took finds its points again first.
		next, book = BatchUndone, a.undoRow
		rows, err = a.env.Store.LastBatchRows(ctx, b.ID, RowDone, rowsAtOnce)
	} else {
		rows, err = a.env.Store.BatchRows(ctx, b.ID, RowWaits, 0, rowsAtOnce)
	}
	if err != nil {
		return 0, fmt.Errorf("read rows of list %s: %w", b.ID, err)
	}
	for i := range rows {
		if err := book(ctx, b, &rows[i]); err != nil {
			return i, fmt.Errorf("list %s, row %d: %w", b.ID, rows[i].Line, err)
		}
		if err := a.env.Store.SetRow(ctx, rows[i]); err != nil {
			return i, fmt.Errorf("note row %d of list %s: %w", rows[i].Line, b.ID, err)
		}
	}
	if len(rows) > 0 {
		return len(rows), nil
	}
	if err := a.env.Store.SetBatchState(ctx, b.ID, b.State, next); problem.CodeOf(err) != problem.Conflict {
		return 1, err
	}
	return 0, nil
}

// rowKey is the key under which a step of a row is done once.
func rowKey(r Row, step string) uuid.UUID {
	return uuid.NewSHA1(r.Batch, []byte(step+"/"+strconv.Itoa(r.Line)))
}

// errDone means that another process booked the row at this moment.
var errDone = errors.New("the row was booked meanwhile")

// errElsewhere means that the member has another account than the row says.
var errElsewhere = errors.New("the member has another account by now")

// bookRow books one row, once, in the account its member has now: between preview
// and booking cards may have been merged. A refusal is noted in the row; an error is
// about HQ itself.
func (a *Accounts) bookRow(ctx context.Context, b Batch, r *Row) error {
	var err error
	for range maxMoves {
		if err = a.bookHere(ctx, b, r); !errors.Is(err, errElsewhere) {
			break
		}
		// Kept before anything is booked there, so that after a crash it is looked for there.
		if serr := a.env.Store.SetRow(ctx, *r); serr != nil {
			return fmt.Errorf("note account: %w", serr)
		}
	}
	switch problem.CodeOf(err) {
	case problem.PointsInsufficient, problem.AmountOverflow, problem.AmountInvalid, problem.NotFound:
		r.refuse(err)
		return nil
	}
	if err == nil {
		r.State = RowDone
	}
	return err
}

// maxMoves bounds how often an account may change while one row is booked.
const maxMoves = 4

// bookHere books a row in the shard of the account it names, unless that was done.
// When the account is not the member's any more it sets the row's account and
// answers errElsewhere. Who merges an account holds its lock.
func (a *Accounts) bookHere(ctx context.Context, b Batch, r *Row) error {
	key := rowKey(*r, "row")
	return a.once(ctx, r.Account, key, func(ctx context.Context) (body []byte, err error) {
		err = a.env.Ledger.Locked(ctx, r.Account, func(ctx context.Context, _ ledger.Account) error {
			now, err := a.accountOf(ctx, *r)
			if err != nil {
				return err
			}
			if now != r.Account {
				r.Account = now
				return errElsewhere
			}
			body, err = a.bookLocked(ctx, b, *r, key)
			return err
		})
		return body, err
	})
}

// accountOf is the account that a row is about now.
func (a *Accounts) accountOf(ctx context.Context, r Row) (uuid.UUID, error) {
	if r.Voucher == uuid.Nil {
		return a.env.Store.MemberAccount(ctx, r.Member)
	}
	_, account, err := a.env.Store.VoucherMember(ctx, r.Voucher)
	return account, err
}

func (a *Accounts) bookLocked(ctx context.Context, b Batch, r Row, key uuid.UUID) ([]byte, error) {
	if r.Voucher != uuid.Nil {
		return nil, a.env.Ledger.BlockVoucher(ctx, r.Account, r.Voucher, true, b.By)
	}
	touched, err := a.env.Ledger.Correct(ctx, entry.HQCorrection{
		ID: key, Batch: r.Batch, Row: uint32(r.Line), Account: r.Account, Member: r.Member, Unit: r.Unit,
		Amount: r.Amount, ExpiresAt: r.ExpiresAt, Reason: b.Reason, By: b.By,
	})
	if err != nil {
		return nil, err
	}
	return wire.Marshal(touched)
}

// undoRow books the counterpart of a row, once.
func (a *Accounts) undoRow(ctx context.Context, b Batch, r *Row) error {
	body, found, err := a.env.Store.OnceBody(ctx, r.Account, rowKey(*r, "row"))
	if err != nil || !found {
		return errors.Join(err, missingBooking(found))
	}
	key := rowKey(*r, "undo")
	err = a.once(ctx, r.Account, key, func(ctx context.Context) ([]byte, error) {
		if r.Voucher != uuid.Nil {
			return nil, a.env.Ledger.BlockVoucher(ctx, r.Account, r.Voucher, false, b.By)
		}
		takes, err := wire.Unmarshal[[]entry.HQTake](body)
		if err != nil {
			return nil, err
		}
		undone, err := a.env.Ledger.UndoCorrection(ctx, entry.HQCorrectionUndo{
			ID: key, Of: rowKey(*r, "row"), Batch: r.Batch, Row: uint32(r.Line), Account: r.Account, Member: r.Member,
			Unit: r.Unit, Takes: takes, By: b.By,
		}, r.Amount > 0)
		if err != nil {
			return nil, err
		}
		return wire.Marshal(undone)
	})
	if err != nil || r.Voucher != uuid.Nil {
		r.State = RowUndone
		return err
	}
	if body, _, err = a.env.Store.OnceBody(ctx, r.Account, key); err != nil {
		return err
	}
	r.State = RowUndone
	r.Undone, err = wire.Unmarshal[int64](body)
	return err
}

func missingBooking(found bool) error {
	if found {
		return nil
	}
	return errors.New("the row is noted as booked and is not")
}

// once runs do in a transaction in the shard of an account unless the key was used
// there before; what do returns is kept with the key.
func (a *Accounts) once(ctx context.Context, account, key uuid.UUID, do func(ctx context.Context) ([]byte, error)) error {
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		if _, found, err := a.env.Store.OnceBody(ctx, account, key); err != nil || found {
			return err
		}
		body, err := do(ctx)
		if err != nil {
			return err
		}
		first, err := a.env.Store.Once(ctx, account, key, body)
		if err == nil && !first {
			err = errDone
		}
		return err
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}
