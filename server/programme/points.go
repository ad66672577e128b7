package programme

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Reason says why points were changed by hand. Numbers are final: HQ's journal
// keeps them.
type Reason uint8

// Reasons.
const (
	ReasonOpeningBalance Reason = 1
	ReasonGoodwill       Reason = 2
	ReasonCorrection     Reason = 3
	ReasonMigration      Reason = 4
)

// Adjustment is points changed by hand. Amount is signed. Zero ExpiresAt is never.
type Adjustment struct {
	ID        uuid.UUID
	Member    uuid.UUID
	Unit      string
	Amount    int64
	Reason    Reason
	ExpiresAt time.Time
}

// Adjust changes a member's points by hand. The id of the argument is ignored.
func (p *Programme) Adjust(ctx context.Context, by uuid.UUID, a Adjustment) (Adjustment, error) {
	r := refusal{}
	r.unit("/unit", a.Unit)
	r.between("/amount", a.Amount, -Most, Most)
	r.unless(a.Amount != 0, "/amount", "must not be zero")
	r.unless(a.Reason >= ReasonOpeningBalance && a.Reason <= ReasonMigration, "/reason", "is not known")
	r.unless(a.ExpiresAt.IsZero() || a.Amount > 0 && a.ExpiresAt.After(p.now()), "/expires_at", "must lie ahead, and only points given expire")
	if err := r.err("the points cannot be adjusted"); err != nil {
		return Adjustment{}, err
	}
	if err := p.needUnit(ctx, "/unit", a.Unit); err != nil {
		return Adjustment{}, err
	}
	a.ID = p.env.NewID()
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		m, err := p.env.Keeper.Member(ctx, a.Member)
		if err != nil {
			return err
		}
		return p.env.Ledger.Adjust(ctx, entry.HQAdjustment{
			ID: a.ID, Account: m.Account, Unit: a.Unit, Amount: a.Amount,
			Reason: uint8(a.Reason), By: by, ExpiresAt: millis(a.ExpiresAt), Member: a.Member,
		})
	})
	if err != nil {
		return Adjustment{}, fmt.Errorf("adjust points: %w", err)
	}
	return a, nil
}

// Voucher is one issued right to a reward. Left, Blocked and Issue, of its own code, are
// as HQ has applied them and are not kept with the record. GivenAt is when it was given
// away by a link that is still good, zero when it was not.
type Voucher struct {
	ID        uuid.UUID
	Member    uuid.UUID
	Account   uuid.UUID
	Reward    uuid.UUID
	Uses      int64
	Left      int64
	Blocked   bool
	Issue     uint16
	ValidFrom time.Time
	ValidTo   time.Time
	CreatedAt time.Time
	GivenAt   time.Time
}

// maxUses bounds the uses of one voucher.
const maxUses = 1000

// IssueVoucher gives a member a voucher. Id, account and uses left of the argument
// are ignored. Without dates it is good as long as its reward.
func (p *Programme) IssueVoucher(ctx context.Context, by uuid.UUID, v Voucher) (Voucher, error) {
	r := refusal{}
	r.between("/uses", v.Uses, 1, maxUses)
	r.period("/valid_to", v.ValidFrom, v.ValidTo)
	if err := r.err("the voucher cannot be issued"); err != nil {
		return Voucher{}, err
	}
	v.ID, v.Left, v.Blocked, v.Issue, v.CreatedAt = p.env.NewID(), v.Uses, false, 1, p.now()
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		m, err := p.env.Keeper.Member(ctx, v.Member)
		if err != nil {
			return named(err, "/member")
		}
		if _, err := p.env.Keeper.Reward(ctx, v.Reward); err != nil {
			return named(err, "/reward")
		}
		v.Account = m.Account
		if err := p.env.Keeper.AddVoucher(ctx, v); err != nil {
			return err
		}
		return p.env.Ledger.IssueVoucher(ctx, loyalty.Voucher{
			ID: v.ID, Member: v.Member, Account: v.Account, Reward: v.Reward, Uses: v.Uses, Left: v.Uses,
			ValidFrom: millis(v.ValidFrom), ValidTo: millis(v.ValidTo),
		}, by)
	})
	if err != nil {
		return Voucher{}, fmt.Errorf("issue voucher: %w", err)
	}
	return v, nil
}

// named turns a record that is missing into a field that names nothing.
func named(err error, pointer string) error {
	if problem.CodeOf(err) != problem.NotFound {
		return err
	}
	return &problem.Error{
		Code: problem.InvalidField, Detail: "the voucher cannot be issued",
		Fields: map[string]string{pointer: "names nothing that exists"}, Err: err,
	}
}

// Voucher returns one voucher with the uses left.
func (p *Programme) Voucher(ctx context.Context, id uuid.UUID) (Voucher, error) {
	v, err := p.env.Keeper.Voucher(ctx, id)
	if err != nil {
		return Voucher{}, err
	}
	all, err := p.withLeft(ctx, []Voucher{v})
	if err != nil {
		return Voucher{}, err
	}
	return all[0], nil
}

// Vouchers lists vouchers with the uses left, of one member or of all.
func (p *Programme) Vouchers(ctx context.Context, member, after uuid.UUID, limit int) ([]Voucher, error) {
	all, err := p.env.Keeper.Vouchers(ctx, member, after, limit)
	if err != nil {
		return nil, err
	}
	return p.withLeft(ctx, all)
}

// withLeft fills in what the ledger knows of each voucher.
func (p *Programme) withLeft(ctx context.Context, all []Voucher) ([]Voucher, error) {
	asked := map[uuid.UUID]bool{}
	known := map[uuid.UUID]loyalty.Voucher{}
	for i, v := range all {
		if !asked[v.Account] {
			asked[v.Account] = true
			applied, err := p.env.Ledger.Vouchers(ctx, v.Account)
			if err != nil {
				return nil, fmt.Errorf("read vouchers of account: %w", err)
			}
			for _, a := range applied {
				known[a.ID] = a
			}
		}
		all[i].Left, all[i].Blocked, all[i].Issue = known[v.ID].Left, known[v.ID].Blocked, known[v.ID].CodeIssue()
	}
	return all, nil
}

// GiveVoucher notes that a voucher was given away by a link. Doing it twice is doing it
// once.
func (p *Programme) GiveVoucher(ctx context.Context, id uuid.UUID) error {
	if err := p.env.Keeper.SetGiven(ctx, id, p.now()); err != nil {
		return fmt.Errorf("give voucher: %w", err)
	}
	return nil
}

// TakeBackVoucher takes a voucher back from whoever has its code or its link: the code is
// issued anew, and tills refuse the one before.
func (p *Programme) TakeBackVoucher(ctx context.Context, by, id uuid.UUID) (Voucher, error) {
	var v Voucher
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		kept, err := p.env.Keeper.Voucher(ctx, id)
		if err != nil {
			return err
		}
		if err := p.env.Ledger.RenewVoucher(ctx, kept.Account, id, by); err != nil {
			return err
		}
		if err := p.env.Keeper.SetGiven(ctx, id, time.Time{}); err != nil {
			return err
		}
		v, err = p.Voucher(ctx, id)
		return err
	})
	if err != nil {
		return Voucher{}, fmt.Errorf("take back voucher: %w", err)
	}
	return v, nil
}
