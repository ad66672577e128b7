package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MaxRows bounds a list of corrections.
const MaxRows = 10_000

// BatchState is where a list stands. Numbers are stored.
type BatchState int16

// States of a list.
const (
	BatchPreview    BatchState = 1
	BatchCommitting BatchState = 2
	BatchCommitted  BatchState = 3
	BatchUndoing    BatchState = 4
	BatchUndone     BatchState = 5
)

// String returns the word used in JSON and on screen.
func (s BatchState) String() string {
	return map[BatchState]string{
		BatchPreview: "preview", BatchCommitting: "committing", BatchCommitted: "committed", BatchUndoing: "undoing", BatchUndone: "undone",
	}[s]
}

// RowState is where a row of a list stands. Numbers are stored.
type RowState int16

// States of a row.
const (
	RowWaits   RowState = 1
	RowDone    RowState = 2
	RowRefused RowState = 3
	RowUndone  RowState = 4
)

// String returns the word used in JSON and on screen.
func (s RowState) String() string {
	return map[RowState]string{RowWaits: "waits", RowDone: "done", RowRefused: "refused", RowUndone: "undone"}[s]
}

// Wanted is one row as uploaded: points given (Amount above zero) or taken of a
// member, named by id or by reference, or a voucher withdrawn.
type Wanted struct {
	Member    uuid.UUID
	Reference string
	Unit      string
	Amount    int64
	ExpiresAt time.Time
	Voucher   uuid.UUID
}

// Row is one row as it stands. FreeBefore is what was free when the list was
// looked at, with the rows above counted. Undone is by how much the undo changed
// the account, signed. Problem is empty unless the row is refused.
type Row struct {
	Batch      uuid.UUID
	Line       int // from 1
	Member     uuid.UUID
	Account    uuid.UUID
	Voucher    uuid.UUID
	Unit       string
	Amount     int64
	ExpiresAt  int64
	State      RowState
	FreeBefore int64
	Problem    problem.Code
	Detail     string
	Undone     int64
}

// Batch is a list of corrections. Counts are of its rows by state.
type Batch struct {
	ID        uuid.UUID
	State     BatchState
	Reason    uint8
	Rows      int
	Refused   int // in the preview
	Digest    []byte
	By        uuid.UUID
	CreatedAt time.Time
	Counts    map[RowState]int
}

// batchStore is the storage of lists.
type batchStore interface {
	AddBatch(ctx context.Context, b Batch, rows []Row) error
	// SetBatchState is problem.Conflict unless the stored state is was.
	SetBatchState(ctx context.Context, id uuid.UUID, was, now BatchState) error
	// Batch returns a list with its counts.
	Batch(ctx context.Context, id uuid.UUID) (Batch, error)
	// BatchRows lists rows after a line; a state of zero is any.
	BatchRows(ctx context.Context, id uuid.UUID, state RowState, after, limit int) ([]Row, error)
	// LastBatchRows lists the last rows of a state, the last one first.
	LastBatchRows(ctx context.Context, id uuid.UUID, state RowState, limit int) ([]Row, error)
	SetRow(ctx context.Context, r Row) error
	BatchesWaiting(ctx context.Context, limit int) ([]Batch, error)
	// VoucherMember returns whose a voucher is.
	VoucherMember(ctx context.Context, voucher uuid.UUID) (member, account uuid.UUID, err error)
}

// Preview takes a list in and says for each row what it would do or why not. It
// changes no account.
func (a *Accounts) Preview(ctx context.Context, by uuid.UUID, reason uint8, wanted []Wanted) (Batch, error) {
	if err := checkReason(reason); err != nil {
		return Batch{}, err
	}
	if len(wanted) < 1 || len(wanted) > MaxRows {
		return Batch{}, invalid("/rows", fmt.Sprintf("must be 1 to %d", MaxRows))
	}
	b := Batch{ID: a.env.NewID(), State: BatchPreview, Reason: reason, Rows: len(wanted), By: by, CreatedAt: a.now()}
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		look := &preview{a: a, free: map[accountUnit]int64{}, units: map[string]error{}}
		rows := make([]Row, len(wanted))
		b.Refused = 0
		for i, w := range wanted {
			row, err := look.row(ctx, w)
			if err != nil {
				return err
			}
			row.Batch, row.Line = b.ID, i+1
			if row.State == RowRefused {
				b.Refused++
			}
			rows[i] = row
		}
		raw, err := wire.Marshal(rows)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		b.Digest = sum[:]
		return a.env.Store.AddBatch(ctx, b, rows)
	})
	if err != nil {
		return Batch{}, fmt.Errorf("look at list: %w", err)
	}
	return a.env.Store.Batch(ctx, b.ID)
}

type accountUnit struct {
	account uuid.UUID
	unit    string
}

// preview remembers what the rows above would leave.
type preview struct {
	a     *Accounts
	free  map[accountUnit]int64
	units map[string]error
}

// row checks one row. An error is about reading; what is wrong is in the row.
func (p *preview) row(ctx context.Context, w Wanted) (Row, error) {
	row := Row{Member: w.Member, Voucher: w.Voucher, Unit: w.Unit, Amount: w.Amount, State: RowWaits}
	if !w.ExpiresAt.IsZero() {
		row.ExpiresAt = w.ExpiresAt.UnixMilli()
	}
	err := p.check(ctx, &row, w)
	if code := problem.CodeOf(err); err != nil && code != problem.Internal && code != problem.Unavailable {
		row.refuse(err)
		return row, nil
	}
	return row, err
}

func (r *Row) refuse(err error) {
	body := problem.Render(err)
	r.State, r.Problem, r.Detail = RowRefused, body.Code, body.Detail
}

func (p *preview) check(ctx context.Context, row *Row, w Wanted) error {
	store := p.a.env.Store
	var err error
	if w.Voucher != uuid.Nil {
		if w.Amount != 0 || w.Unit != "" {
			return problem.New(problem.InvalidField, "a row withdraws a voucher or counts points, not both")
		}
		row.Member, row.Account, err = store.VoucherMember(ctx, w.Voucher)
		return as(err, problem.VoucherUnknown)
	}
	if w.Reference != "" {
		if row.Member, err = store.MemberOf(ctx, w.Reference); err != nil {
			return as(err, problem.MemberUnknown)
		}
	}
	if row.Account, err = store.MemberAccount(ctx, row.Member); err != nil {
		return as(err, problem.MemberUnknown)
	}
	switch {
	case w.Amount == 0 || w.Amount > loyalty.MaxAmount || w.Amount < -loyalty.MaxAmount:
		return problem.New(problem.AmountInvalid, "the amount is zero or too large")
	case row.ExpiresAt != 0 && (w.Amount < 0 || !w.ExpiresAt.After(p.a.now())):
		return problem.New(problem.InvalidField, "the expiry must lie ahead, and only points given expire")
	}
	known, asked := p.units[w.Unit]
	if !asked {
		known = p.a.checkUnit(ctx, w.Unit)
		p.units[w.Unit] = known
	}
	if known != nil {
		return known
	}
	return p.count(ctx, row)
}

// as gives a missing record the code of its kind.
func as(err error, code problem.Code) error {
	if problem.CodeOf(err) == problem.NotFound {
		return problem.Wrap(code, err, "")
	}
	return err
}

// count sets what is free before the row and takes or adds its amount.
func (p *preview) count(ctx context.Context, row *Row) error {
	k := accountUnit{row.Account, row.Unit}
	if _, ok := p.free[k]; !ok {
		has, err := p.a.env.Ledger.Account(ctx, row.Account)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return err
		}
		p.free[k] = 0
		for _, h := range has.Holdings {
			if h.Unit == row.Unit {
				p.free[k] = h.Free
			}
		}
	}
	row.FreeBefore = p.free[k]
	after, err := loyalty.Add(row.FreeBefore, row.Amount)
	switch {
	case err != nil:
		return problem.Wrap(problem.AmountOverflow, err, "the amount does not fit the account")
	case after < 0:
		return problem.Newf(problem.PointsInsufficient, "%d are free, %d are to be taken", row.FreeBefore, -row.Amount)
	}
	p.free[k] = after
	return nil
}

// Commit lets a list be booked, once. A list with refused rows is booked without
// them only when partly is set, else it is problem.StateConflict. Settle books the
// rows; what cannot be booked any more is refused in its row.
func (a *Accounts) Commit(ctx context.Context, by, id uuid.UUID, partly bool) (Batch, error) {
	return a.decide(ctx, by, id, BatchPreview, BatchCommitting, entry.BatchCommitted, func(b Batch) error {
		if b.Refused > 0 && !partly {
			return problem.Newf(problem.StateConflict, "%d rows are refused; commit partly or send a better list", b.Refused)
		}
		return nil
	})
}

// Undo books the counterpart of everything a list did: what is left of points
// given goes, points taken come back with their dates, vouchers are good again.
func (a *Accounts) Undo(ctx context.Context, by, id uuid.UUID) (Batch, error) {
	return a.decide(ctx, by, id, BatchCommitted, BatchUndoing, entry.BatchUndone, func(Batch) error { return nil })
}

func (a *Accounts) decide(ctx context.Context, by, id uuid.UUID, was, now BatchState, step entry.BatchStep, check func(Batch) error) (Batch, error) {
	var b Batch
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if b, err = a.env.Store.Batch(ctx, id); err != nil {
			return err
		}
		if b.State != was {
			return problem.Newf(problem.StateConflict, "the list is in state %s", b.State)
		}
		if err := check(b); err != nil {
			return err
		}
		if err := a.env.Store.SetBatchState(ctx, id, was, now); err != nil {
			return err
		}
		b.State = now
		a.wake(ctx)
		return a.env.Journal.Append(ctx, hqjournal.Fact{
			Shard: shard.Of(id), Kind: entry.KindHQBatch,
			Body: entry.HQBatch{ID: id, Step: step, Rows: uint32(b.Rows), Digest: b.Digest, Reason: b.Reason, By: by},
		})
	})
	if err != nil {
		return Batch{}, fmt.Errorf("decide about list: %w", err)
	}
	return b, nil
}

// Batch returns a list with its counts: the progress of a long one.
func (a *Accounts) Batch(ctx context.Context, id uuid.UUID) (Batch, error) {
	return a.env.Store.Batch(ctx, id)
}

// Rows lists rows after a line.
func (a *Accounts) Rows(ctx context.Context, id uuid.UUID, after, limit int) ([]Row, error) {
	if _, err := a.env.Store.Batch(ctx, id); err != nil {
		return nil, err
	}
	return a.env.Store.BatchRows(ctx, id, 0, after, limit)
}
