package pass

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/programme"
)

// Lost ends what is on a member's lost phone: the passes of its wallets are voided,
// all codes are issued anew, those of vouchers that are out too, and new passes with other
// serials and tokens take their place, to be installed on another phone. A member who is
// blocked, or whose card became one with another, gets none. by is the person who does it.
// All of it happens or nothing.
func (s *Service) Lost(ctx context.Context, by, member uuid.UUID) (fresh []Pass, err error) {
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		fresh, err = s.lose(ctx, by, member)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lose phone: %w", err)
	}
	return fresh, nil
}

func (s *Service) lose(ctx context.Context, by, member uuid.UUID) ([]Pass, error) {
	gone, err := s.end(ctx, by, member, func(Pass) bool { return true })
	if err != nil {
		return nil, err
	}
	if err := s.takeBackVouchers(ctx, by, member, gone); err != nil {
		return nil, err
	}
	m, err := s.o.Programme.Member(ctx, member)
	if err != nil || m.Blocked {
		return nil, err
	}
	merged, err := s.o.Books.Merged(ctx, member)
	if err != nil || merged {
		return nil, err
	}
	return s.replace(ctx, member, gone)
}

// takeBackVouchers has tills refuse the codes of a member's vouchers that a phone may
// have: as a pass, or as a link that was sent from it.
func (s *Service) takeBackVouchers(ctx context.Context, by, member uuid.UUID, gone []Pass) error {
	coupons := map[uuid.UUID]bool{}
	for _, p := range gone {
		coupons[p.Voucher] = true
	}
	for after := uuid.Nil; ; {
		page, err := s.o.Programme.Vouchers(ctx, member, after, pageSize)
		if err != nil {
			return fmt.Errorf("read vouchers: %w", err)
		}
		for _, v := range page {
			after = v.ID
			if v.Left == 0 || v.GivenAt.IsZero() && !coupons[v.ID] {
				continue
			}
			if _, err := s.o.Programme.TakeBackVoucher(ctx, by, v.ID); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// TakenBack voids the passes of a voucher that was taken back from whoever has them, in the
// transaction of ctx.
func (s *Service) TakenBack(ctx context.Context, v programme.Voucher) error {
	all, err := s.Of(ctx, v.Member)
	if err != nil {
		return err
	}
	var keys []Key
	for _, p := range all {
		if p.Voucher == v.ID && p.State != Voided {
			keys = append(keys, p.Key)
		}
	}
	if err := s.void(ctx, keys); err != nil {
		return fmt.Errorf("void passes of voucher: %w", err)
	}
	return nil
}

// Replaced ends what phones have of a member's card that another card takes the place of,
// in the transaction of ctx. Vouchers given away stay good.
func (s *Service) Replaced(ctx context.Context, by, member uuid.UUID) error {
	if _, err := s.end(ctx, by, member, func(p Pass) bool { return p.Voucher == uuid.Nil }); err != nil {
		return fmt.Errorf("replace card: %w", err)
	}
	return nil
}

// end takes a member's code back and voids the passes of phones that are meant. It returns
// these.
func (s *Service) end(ctx context.Context, by, member uuid.UUID, meant func(Pass) bool) (gone []Pass, err error) {
	all, err := s.Of(ctx, member)
	if err != nil {
		return nil, err
	}
	if err := s.takeBack(ctx, by, member, all); err != nil {
		return nil, err
	}
	var keys []Key
	for _, p := range all {
		if p.State != Voided && p.Channel != Web && p.Channel != Printed && meant(p) {
			gone, keys = append(gone, p), append(keys, p.Key)
		}
	}
	return gone, s.void(ctx, keys)
}

// takeBack has tills refuse the code that a phone has. They accept the issue before the
// newest without an end, so it is raised twice; but a card on paper has that code too, and
// who has one keeps it until it is taken back once more.
func (s *Service) takeBack(ctx context.Context, by, member uuid.UUID, all []Pass) error {
	raises := 2
	for _, p := range all {
		if p.Channel == Printed && p.State != Voided {
			raises = 1
		}
	}
	for range raises {
		if _, err := s.o.Programme.Reissue(ctx, by, member); err != nil {
			return err
		}
	}
	return nil
}

// replace issues others in the place of passes.
func (s *Service) replace(ctx context.Context, member uuid.UUID, gone []Pass) ([]Pass, error) {
	out := make([]Pass, 0, len(gone))
	for _, p := range gone {
		fresh, err := s.issue(ctx, member, p.Voucher, p.Channel)
		if err != nil {
			return nil, err
		}
		out = append(out, fresh)
	}
	return out, nil
}
