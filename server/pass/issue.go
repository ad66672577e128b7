package pass

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// keptErased is how long the voided pass of a member who left can be fetched, so that a
// phone shows that it is over.
const keptErased = 30 * 24 * time.Hour

// Issue returns the good pass of a member on a channel, and makes it when there is none.
// A wallet that is not set up is problem.StateConflict.
func (s *Service) Issue(ctx context.Context, member uuid.UUID, ch Channel) (Pass, error) {
	if err := s.offers(ch); err != nil {
		return Pass{}, err
	}
	if _, err := s.o.Programme.Member(ctx, member); err != nil {
		return Pass{}, fmt.Errorf("issue pass: %w", err)
	}
	return s.issue(ctx, member, uuid.Nil, ch)
}

// IssueVoucher does it for a voucher of the member that is to stand for itself.
func (s *Service) IssueVoucher(ctx context.Context, member, voucher uuid.UUID, ch Channel) (Pass, error) {
	if err := s.offers(ch); err != nil {
		return Pass{}, err
	}
	v, err := s.o.Programme.Voucher(ctx, voucher)
	if err != nil {
		return Pass{}, fmt.Errorf("issue pass: %w", err)
	}
	if v.Member != member {
		return Pass{}, problem.New(problem.NotFound, "the member has no such voucher")
	}
	return s.issue(ctx, v.Member, v.ID, ch)
}

// offers refuses channels that nobody here makes passes for.
func (s *Service) offers(ch Channel) error {
	if ch == Web || ch == Printed || ch == Apple && s.HasApple() || s.wallet(ch) != nil {
		return nil
	}
	return problem.New(problem.StateConflict, "that wallet is not set up here")
}

func (s *Service) issue(ctx context.Context, member, voucher uuid.UUID, ch Channel) (Pass, error) {
	p, err := s.good(ctx, member, voucher, ch)
	if problem.CodeOf(err) != problem.NotFound {
		return p, err
	}
	if err := s.add(ctx, member, voucher, ch); err != nil && problem.CodeOf(err) != problem.Conflict {
		return Pass{}, fmt.Errorf("issue pass: %w", err)
	}
	return s.good(ctx, member, voucher, ch)
}

// add writes a new pass that was not looked at yet: that happens when it is first
// fetched, or when the feed tells of its member, so that no change before it is missed.
func (s *Service) add(ctx context.Context, member, voucher uuid.UUID, ch Channel) error {
	return s.o.Store.AddPass(ctx, Pass{
		Key: KeyOf(member, s.o.NewSecretID()), Member: member, Voucher: voucher, Channel: ch, State: Issued, IssuedAt: s.now(),
	})
}

// good returns the pass that is not voided, or problem.NotFound.
func (s *Service) good(ctx context.Context, member, voucher uuid.UUID, ch Channel) (Pass, error) {
	all, err := s.o.Store.PassesOf(ctx, []uuid.UUID{member})
	if err != nil {
		return Pass{}, fmt.Errorf("read passes: %w", err)
	}
	for _, p := range all {
		if p.Voucher == voucher && p.Channel == ch && p.State != Voided {
			return p, nil
		}
	}
	return Pass{}, problem.New(problem.NotFound, "no such pass")
}

// Of returns all passes of a member, of vouchers too.
func (s *Service) Of(ctx context.Context, member uuid.UUID) ([]Pass, error) {
	all, err := s.o.Store.PassesOf(ctx, []uuid.UUID{member})
	if err != nil {
		return nil, fmt.Errorf("read passes: %w", err)
	}
	return all, nil
}

// Joined gives a new member their web card, in the transaction of ctx. What it says is
// looked at when the feed tells of the member.
func (s *Service) Joined(ctx context.Context, member uuid.UUID) error {
	return s.add(ctx, member, uuid.Nil, Web)
}

// Left marks the passes of a member who leaves, in the transaction of ctx. The member is
// blocked, which voids them on the phones; the rows are dropped thirty days later.
func (s *Service) Left(ctx context.Context, member uuid.UUID) error {
	return s.o.Store.ErasePasses(ctx, member, s.now())
}

// Void ends one pass for ever: its phones grey it, and it cannot be installed again.
// Another may be issued.
func (s *Service) Void(ctx context.Context, member uuid.UUID, id uuid.UUID) (Pass, error) {
	p, err := s.one(ctx, member, id)
	if err != nil {
		return Pass{}, err
	}
	if err := s.void(ctx, []Key{p.Key}); err != nil {
		return Pass{}, fmt.Errorf("void pass: %w", err)
	}
	return s.byKey(ctx, p.Key)
}

// one returns a pass of a member, whichever state it is in.
func (s *Service) one(ctx context.Context, member, id uuid.UUID) (Pass, error) {
	all, err := s.Of(ctx, member)
	if err != nil {
		return Pass{}, err
	}
	for _, p := range all {
		if p.ID == id {
			return p, nil
		}
	}
	return Pass{}, problem.New(problem.NotFound, "no such pass")
}

// void writes the state, then what the passes say.
func (s *Service) void(ctx context.Context, keys []Key) error {
	err := s.alter(ctx, keys, func(p *Pass) bool {
		was := p.State
		p.State, p.ReissueAt = Voided, time.Time{}
		return was != Voided
	})
	if err != nil {
		return err
	}
	passes, err := s.o.Store.Passes(ctx, keys)
	if err != nil {
		return err
	}
	return s.settle(ctx, passes, s.o.Settings.UrgentGap)
}

// alter changes passes one by one under the lock of the counter.
func (s *Service) alter(ctx context.Context, keys []Key, apply func(*Pass) (changed bool)) error {
	if len(keys) == 0 {
		return nil
	}
	return s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.o.Store.AdvanceTags(ctx, 0); err != nil {
			return fmt.Errorf("lock tags: %w", err)
		}
		passes, err := s.o.Store.Passes(ctx, keys)
		if err != nil {
			return err
		}
		if len(passes) == 0 {
			return problem.New(problem.NotFound, "no such pass")
		}
		changed := passes[:0]
		for _, p := range passes {
			if apply(&p) {
				changed = append(changed, p)
			}
		}
		return s.o.Store.SavePasses(ctx, changed)
	})
}

func (s *Service) byKey(ctx context.Context, k Key) (Pass, error) {
	found, err := s.o.Store.Passes(ctx, []Key{k})
	if err != nil {
		return Pass{}, fmt.Errorf("read pass: %w", err)
	}
	if len(found) == 0 {
		return Pass{}, problem.New(problem.NotFound, "no such pass")
	}
	return found[0], nil
}

// Resend has the phones of a pass told again at once, whether or not it has changed: a
// person asks for it.
func (s *Service) Resend(ctx context.Context, member, id uuid.UUID) (Pass, error) {
	p, err := s.one(ctx, member, id)
	if err != nil {
		return Pass{}, err
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error { return s.want(ctx, []Pass{p}, 0) })
	if err != nil {
		return Pass{}, fmt.Errorf("send pass again: %w", err)
	}
	return p, nil
}

// Again has passes sent to their channels again as if they had changed, in the
// transaction of ctx: time itself changes what a channel holds. Those that are gone are
// passed over.
func (s *Service) Again(ctx context.Context, keys []Key) error {
	passes, err := s.o.Store.Passes(ctx, keys)
	if err != nil {
		return fmt.Errorf("read passes: %w", err)
	}
	return s.want(ctx, passes, 0)
}

// TouchAll looks at all passes again, for what the feed does not tell: where stores are.
func (s *Service) TouchAll(ctx context.Context) error { return s.countAll(ctx, 1) }

// Touch looks at a member's passes again, for what the feed does not tell: another
// language.
func (s *Service) Touch(ctx context.Context, member uuid.UUID) error {
	all, err := s.Of(ctx, member)
	if err != nil {
		return err
	}
	return s.settle(ctx, all, s.o.Settings.UrgentGap)
}
