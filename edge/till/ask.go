package till

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// asking gets rights for one sale while its subjects are locked.
type asking struct {
	*Till
	helpers Helpers
	facts   *facts
	got     []entry.AllowanceChange // received, not journalled yet
}

// ask gets what the rights held here do not cover, exactly: from lanes that hold some,
// then from HQ. What it gets is in the facts, and must be received or released.
func (t *Till) ask(ctx context.Context, f *facts) (*asking, error) {
	a := &asking{Till: t, facts: f}
	if h := t.helpers.Load(); h != nil {
		a.helpers = *h
	}
	short, refusal := loyalty.Missing(f.request)
	if refusal != nil {
		return a, refused(refusal)
	}
	if a.helpers.Lender != nil && len(short) > 0 {
		if err := a.borrow(ctx, short); err != nil {
			return a, err
		}
		if short, refusal = loyalty.Missing(f.request); refusal != nil {
			return a, refused(refusal)
		}
	}
	if a.helpers.Authoriser == nil || !t.online.Load() {
		return a, nil
	}
	for _, s := range short {
		if err := a.authorise(ctx, s); err != nil {
			return a, err
		}
		if f.request.StandIn.Refused != "" {
			break // it is final for the whole sale
		}
	}
	return a, nil
}

// borrow asks lanes that hold rights on the account, the one with most first, until the
// need is met or the time for all of them is over.
func (a *asking) borrow(ctx context.Context, short []loyalty.Short) error {
	ctx, cancel := context.WithTimeout(ctx, BorrowBudget)
	defer cancel()
	a.facts.meetLanes(a.askLanes(ctx, a.facts))
	for _, s := range short {
		lanes := a.lanesWith(s.Unit)
		for _, lane := range lanes {
			if err := a.borrowAll(ctx, lane, s.Unit, BorrowBudget/time.Duration(len(lanes))); err != nil {
				return err
			}
		}
	}
	return nil
}

// borrowAll borrows from one lane what is still short, one loan from each right it holds.
// One lane that does not answer leaves time for the others.
func (a *asking) borrowAll(ctx context.Context, lane wire.Terminal, unit string, budget time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	for {
		left, err := a.stillShort(unit)
		if err != nil || left == 0 || ctx.Err() != nil {
			return err
		}
		got := len(a.got)
		if err := a.borrowFrom(ctx, lane, loyalty.Short{Unit: unit, Amount: left}); err != nil || len(a.got) == got {
			return err
		}
	}
}

func (a *asking) stillShort(unit string) (int64, error) {
	short, refusal := loyalty.Missing(a.facts.request)
	if refusal != nil {
		return 0, refused(refusal)
	}
	for _, s := range short {
		if s.Unit == unit {
			return s.Amount, nil
		}
	}
	return 0, nil
}

// lanesWith returns the lanes that the feed says hold the unit, the one with most first.
func (a *asking) lanesWith(unit string) []wire.Terminal {
	holds := map[uuid.UUID]int64{}
	for _, g := range a.facts.elsewhere {
		if g.Unit == unit && a.facts.request.Policy.Usable(g.domain(), a.facts.request.Now) {
			holds[g.Terminal] += g.Amount
		}
	}
	lanes := slices.DeleteFunc(a.Lanes(), func(lane wire.Terminal) bool { return holds[lane.ID] == 0 || lane.State != enrolled })
	slices.SortStableFunc(lanes, func(x, y wire.Terminal) int { return int(min(1, max(-1, holds[y.ID]-holds[x.ID]))) })
	return lanes
}

// enrolled is the state of a lane in service, in the roster.
const enrolled = "enrolled"

func (a *asking) borrowFrom(ctx context.Context, lane wire.Terminal, s loyalty.Short) error {
	now, _ := a.time.now()
	asked := wire.BorrowRequest{
		V: wire.Version, Right: a.cfg.NewID(), Account: a.facts.party.account, Unit: s.Unit, Amount: s.Amount, Less: true,
		Epoch: a.cfg.Writer.Epoch, HLC: uint64(a.hlc.Next(now)),
	}
	answer, err := a.helpers.Lender.Borrow(ctx, lane, asked)
	if err != nil {
		return a.without(ctx, err, asked.Right, s)
	}
	if len(answer.Loan) == 0 {
		return nil // nothing is left there
	}
	loan, err := checkLoan(answer, lane, asked, a.cfg.Writer.ID)
	if err != nil {
		return a.never(ctx, asked.Right, s) // a lane that lies gets no second question
	}
	proof, err := wire.Marshal(wire.Signed{Payload: answer.Loan, Signature: answer.Signature})
	if err != nil {
		return err
	}
	a.take(entry.AllowanceChange{
		Op: entry.AllowanceReceived, Right: loan.Right, Account: loan.Account, Unit: loan.Unit, Amount: loan.Amount,
		EndsAt: loan.EndsAt, From: loan.Lender, FromEpoch: loan.Epoch, Parent: loan.Parent, Proof: proof, Member: a.facts.party.id,
	}, loyalty.ByRight)
	return nil
}

// checkLoan believes a loan that the lane signed, and that is what was asked for.
func checkLoan(answer wire.BorrowAnswer, lane wire.Terminal, asked wire.BorrowRequest, borrower uuid.UUID) (wire.Loan, error) {
	loan, err := wire.OpenLoan(lane.PublicKey, answer)
	switch {
	case err != nil:
		return wire.Loan{}, fmt.Errorf("verify loan: %w", err)
	case loan.Right != asked.Right || loan.Account != asked.Account || loan.Unit != asked.Unit || loan.Lender != lane.ID ||
		loan.Borrower != borrower || loan.BorrEpoch != asked.Epoch || loan.Amount <= 0 || loan.Amount > asked.Amount:
		return wire.Loan{}, problem.New(problem.InvalidBody, "the loan is not what was asked for")
	}
	return loan, nil
}

// authorise asks HQ for exactly what is short.
func (a *asking) authorise(ctx context.Context, s loyalty.Short) error {
	wait, cancel := context.WithTimeout(ctx, AuthoriseBudget)
	defer cancel()
	asked := wire.AuthoriseRequest{
		V: wire.Version, Right: a.cfg.NewID(), Member: a.facts.party.id, Account: a.facts.party.account, Unit: s.Unit,
		Amount: s.Amount, Budget: int32(AuthoriseBudget / time.Millisecond),
	}
	answer, err := a.helpers.Authoriser.Authorise(wait, asked)
	if err != nil {
		return a.without(ctx, err, asked.Right, s)
	}
	if answer.Refused != "" {
		if !busy(problem.Code(answer.Refused)) {
			a.facts.request.StandIn.Refused = loyalty.Reason(knownCode(answer.Refused, s.Unit))
		}
		return nil
	}
	g, err := wire.Unmarshal[wire.Grant](answer.Grant.Payload)
	w := a.cfg.Writer
	if err != nil || g.Right != asked.Right || g.Account != asked.Account || g.Unit != asked.Unit || g.Amount <= 0 ||
		g.Terminal != w.ID || g.Epoch != w.Epoch || g.HQ != a.cfg.HQ {
		return a.never(ctx, asked.Right, s)
	}
	row := rowOfGrant(g, answer.Grant)
	a.take(entry.AllowanceChange{
		Op: entry.AllowanceReceived, Right: g.Right, Account: g.Account, Unit: g.Unit, Amount: g.Amount, EndsAt: g.EndsAt,
		Proof: row.Proof, Member: g.Member,
	}, loyalty.ByHQ)
	return nil
}

// busy says whether an answer is no decision: HQ could not say.
func busy(code problem.Code) bool {
	return code == problem.Unavailable || code == problem.Internal || code == problem.Backpressure || code == ""
}

// knownCode keeps a word of HQ that this release can explain. Too little of a voucher is
// that it was used.
func knownCode(code, unit string) problem.Code {
	if code == string(problem.PointsInsufficient) && strings.HasPrefix(unit, loyalty.UseUnit("")) {
		return problem.VoucherUsed
	}
	if _, known := problem.Table[problem.Code(code)]; known {
		return problem.Code(code)
	}
	return problem.HQRefused
}

func (a *asking) take(c entry.AllowanceChange, basis loyalty.Basis) {
	a.got = append(a.got, c)
	a.facts.request.Offered = append(a.facts.request.Offered, loyalty.Right{
		ID: c.Right, Unit: c.Unit, Left: c.Amount, EndsAt: c.EndsAt, Basis: basis,
	})
}

// without goes on without the right that was asked for. Unless it is sure that there is
// none, the journal says that it will never be used: a late answer then costs nothing.
func (a *asking) without(ctx context.Context, err error, id uuid.UUID, s loyalty.Short) error {
	var coded *problem.Error
	if errors.Is(err, ErrNotAsked) || errors.As(err, &coded) && !busy(coded.Code) {
		return nil
	}
	return a.never(ctx, id, s)
}

// never journals that the right asked for under an id will not be used.
func (a *asking) never(ctx context.Context, id uuid.UUID, s loyalty.Short) error {
	return a.giveUp(ctx, entry.AllowanceChange{
		Right: id, Account: a.facts.party.account, Unit: s.Unit, Member: a.facts.party.id, Reason: entry.ReleaseGivenUp,
	})
}

func (t *Till) giveUp(ctx context.Context, c entry.AllowanceChange) error {
	c.Op, c.Amount, c.Proof, c.From, c.FromEpoch, c.Parent = entry.AllowanceReleased, 0, nil, uuid.Nil, 0, uuid.Nil
	now, _ := t.time.now()
	_, err := t.append(ctx, now, entry.KindAllowanceChange, c)
	return err
}

// receive journals the rights that the decision spends before the sale does, and gives
// back the others that were got for it.
func (a *asking) receive(ctx context.Context, d loyalty.Decision) error {
	spent := map[uuid.UUID]bool{}
	for _, r := range d.Redeemed {
		spent[r.Right] = true
	}
	now, _ := a.time.now()
	for _, r := range a.facts.rights {
		if spent[r.id] {
			if err := a.receiveOwn(ctx, r, now); err != nil {
				return err
			}
		}
	}
	for len(a.got) > 0 {
		c := a.got[0]
		if !spent[c.Right] {
			c.Reason = entry.ReleaseUnused
			if err := a.giveUp(ctx, c); err != nil {
				return err
			}
		} else if err := a.received(ctx, now, c); err != nil {
			return err
		}
		a.got = a.got[1:]
	}
	return nil
}

// giveBack releases what was got for a sale that is not made after all. The refusal to
// be told is the caller's; what is not released now ends by its time.
func (a *asking) giveBack(ctx context.Context) error {
	for len(a.got) > 0 {
		c := a.got[0]
		c.Reason = entry.ReleaseUnused
		a.got = a.got[1:]
		if err := a.giveUp(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
