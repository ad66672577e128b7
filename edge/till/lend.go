package till

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Lend gives another lane of the store a part of a right held here, under the id that
// lane chose. The loan is durable in the journal before the answer, and the same question
// gets the same loan, after a crash too. It is never taken back: only the borrower or the
// end of the loan gives it up. An answer without a loan says how much there is.
func (t *Till) Lend(ctx context.Context, lane wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	end, err := t.begin()
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	defer end()
	if err := t.mayLend(lane, asked); err != nil {
		return wire.BorrowAnswer{}, err
	}
	unlock, err := t.locks.lock(ctx, lockSubject(asked.Right), lockSubject(asked.Account))
	if err != nil {
		return wire.BorrowAnswer{}, fmt.Errorf("lend: %w", err)
	}
	defer unlock()
	before, found, err := t.loanMade(ctx, asked.Right)
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	if found {
		return t.sameLoan(ctx, before, lane, asked)
	}
	if err := t.observeClock(ctx); err != nil {
		return wire.BorrowAnswer{}, err
	}
	return t.lend(ctx, lane, asked)
}

// mayLend refuses lanes that are not in service, and to lend from a terminal that may
// not redeem either.
func (t *Till) mayLend(lane wire.Terminal, asked wire.BorrowRequest) error {
	switch {
	case t.cfg.Signer.Private() == nil:
		return errNoKey
	case asked.Right == uuid.Nil || asked.Account == uuid.Nil || asked.Unit == "" || asked.Amount <= 0:
		return problem.New(problem.InvalidField, "a loan has an id, an account, a unit and an amount")
	}
	// What was lent so long ago is forgotten: a question from then must not be taken for a
	// new one.
	if at := clock.Stamp(asked.HLC).Time().UnixMilli(); asked.HLC != 0 && isOver(at, t.over()) {
		return problem.New(problem.LoanRefused, "the question is too old")
	}
	if err := t.inService(lane, asked.Epoch); err != nil {
		return err
	}
	return t.mayRedeem()
}

// inService refuses a lane that the roster does not have in service in this epoch.
func (t *Till) inService(lane wire.Terminal, epoch uint32) error {
	known, listed := t.catalogue.Load().lanes[lane.ID]
	if !listed || known.State != enrolled || known.Store != t.cfg.Store || known.Epoch != epoch || lane.ID == t.cfg.Writer.ID {
		return problem.New(problem.LoanRefused, "the lane is not in service")
	}
	return nil
}

// lend picks the right to lend from: of those that cover all of it the one that ends
// first, else, when the lane takes less, the largest.
func (t *Till) lend(ctx context.Context, lane wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	policy := t.catalogue.Load().policy
	now, _ := t.time.now()
	best, err := t.toLend(ctx, policy, asked, now)
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	answer := wire.BorrowAnswer{V: wire.Version, Left: best.left, HLC: uint64(t.hlc.Next(now))}
	n := min(asked.Amount, best.left)
	if policy.Rights.OneOffSeconds <= 0 || n <= 0 || n < asked.Amount && !asked.Less {
		return answer, nil
	}
	ends := now.UnixMilli() + policy.Rights.OneOffSeconds*1000
	if best.EndsAt != 0 {
		ends = min(ends, best.EndsAt)
	}
	room, err := t.caps.reserve(func(total tally) (spend, error) { return t.roomToLend(total, policy, n) })
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	defer room.release()
	if err := t.receiveOwn(ctx, best, now); err != nil {
		return wire.BorrowAnswer{}, err
	}
	at, err := t.append(ctx, now, entry.KindAllowanceChange, entry.AllowanceChange{
		Op: entry.AllowanceLent, Right: asked.Right, Account: asked.Account, Unit: asked.Unit, Amount: n, EndsAt: ends,
		To: lane.ID, ToEpoch: asked.Epoch, Parent: best.id, Member: best.Member,
	})
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	room.keep(at.Seq)
	return t.sameLoan(ctx, at.Seq, lane, asked)
}

// toLend returns the right to lend from, or one with nothing left.
func (t *Till) toLend(ctx context.Context, policy loyalty.Policy, asked wire.BorrowRequest, now time.Time) (right, error) {
	var rights []right
	err := t.look(ctx, func(l look) (err error) {
		rights, err = t.held(l, asked.Account)
		return err
	})
	if err != nil {
		return right{}, fmt.Errorf("look for rights to lend: %w", err)
	}
	rights = slices.DeleteFunc(lendable(usable(policy, rights, now)), func(r right) bool { return r.Unit != asked.Unit })
	if len(rights) == 0 {
		return right{}, nil
	}
	best := slices.MinFunc(rights, func(a, b right) int {
		return cmp.Or(-cmp.Compare(min(a.left, asked.Amount), min(b.left, asked.Amount)), cmp.Compare(a.EndsAt, b.EndsAt))
	})
	return best, nil
}

// roomToLend counts a loan like a redemption, which it becomes elsewhere, against what a
// terminal without a witness may give away.
func (t *Till) roomToLend(total tally, policy loyalty.Policy, n int64) (spend, error) {
	if t.witness.unwitnessed() && total.all+n > policy.RestartCap {
		return spend{}, problem.Newf(problem.CapRestart, "%d asked for after %d, at most %d", n, total.all, policy.RestartCap)
	}
	return spend{All: n}, nil
}

// receiveOwn journals that a grant is held before it is used for the first time.
func (t *Till) receiveOwn(ctx context.Context, r right, now time.Time) error {
	if r.received {
		return nil
	}
	c := r.change(entry.AllowanceReceived, r.Amount)
	c.Proof = r.Proof
	return t.received(ctx, now, c)
}

// received journals that a right was received.
func (t *Till) received(ctx context.Context, now time.Time, c entry.AllowanceChange) error {
	if t.cfg.Mutant == MutantForgetGrant {
		return nil
	}
	if _, err := t.append(ctx, now, entry.KindAllowanceChange, c); err != nil {
		return fmt.Errorf("receive right %s: %w", c.Right, err)
	}
	return nil
}

// loanMade finds the entry that made a loan.
func (t *Till) loanMade(ctx context.Context, id uuid.UUID) (seq uint64, found bool, err error) {
	err = t.look(ctx, func(l look) (err error) {
		seq, found, err = get[uint64](l, TableLoan, id[:])
		return err
	})
	return seq, found, err
}

// sameLoan answers from the journal.
func (t *Till) sameLoan(ctx context.Context, seq uint64, lane wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	c, e, err := readEntry[entry.AllowanceChange](ctx, t.cfg.Journal, seq)
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	if c.To != lane.ID || c.ToEpoch != asked.Epoch || c.Account != asked.Account || c.Unit != asked.Unit || c.Amount > asked.Amount {
		return wire.BorrowAnswer{}, problem.New(problem.IdempotencyReused, "this id is that of another loan")
	}
	return wire.SignLoan(t.cfg.Signer, wire.Loan{
		V: wire.Version, Right: c.Right, Parent: c.Parent, Account: c.Account, Unit: c.Unit, Amount: c.Amount, EndsAt: c.EndsAt,
		Lender: t.cfg.Writer.ID, Epoch: t.cfg.Writer.Epoch, Seq: seq, HLC: uint64(e.HLC), Borrower: c.To, BorrEpoch: c.ToEpoch,
	})
}
