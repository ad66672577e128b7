package pass

import (
	"context"
	"fmt"
)

// lostPhone is one that has forgotten us: what it was told on, and when that became known.
type lostPhone struct {
	device [32]byte
	push   Push
	result Result
}

// drop forgets phones that are gone, as far as they did not come back meanwhile.
func (s *Service) drop(ctx context.Context, gone []lostPhone) error {
	if len(gone) == 0 {
		return nil
	}
	err := s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.o.Store.AdvanceTags(ctx, 0); err != nil {
			return fmt.Errorf("lock tags: %w", err)
		}
		devices := make([][32]byte, len(gone))
		for i, g := range gone {
			devices[i] = g.device
		}
		on, err := s.o.Store.RegistrationsOn(ctx, devices)
		if err != nil {
			return fmt.Errorf("read registrations: %w", err)
		}
		keys := make([]Key, len(on))
		for i, r := range on {
			keys[i] = r.Key
		}
		for _, g := range gone {
			if err := s.o.Store.DropToken(ctx, g.device, g.push.Token, orElse(g.result.Since, s.now())); err != nil {
				return err
			}
		}
		return s.removed(ctx, keys, devices)
	})
	if err != nil {
		return fmt.Errorf("drop registrations: %w", err)
	}
	return nil
}

// removed puts right what hung on registrations that were dropped, under the lock of the
// counter: a phone without passes is told of nothing, and nothing is kept of it; a pass
// on no phone is installed no more.
func (s *Service) removed(ctx context.Context, keys []Key, devices [][32]byte) error {
	if err := s.o.Store.ForgetPhones(ctx, devices); err != nil {
		return fmt.Errorf("forget phones: %w", err)
	}
	on, err := s.o.Store.Registrations(ctx, keys)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	held := make(map[Key]bool, len(on))
	for _, r := range on {
		held[r.Key] = true
	}
	passes, err := s.o.Store.Passes(ctx, keys)
	if err != nil {
		return fmt.Errorf("read passes: %w", err)
	}
	var changed []Pass
	for _, p := range passes {
		if p.State == Installed && !held[p.Key] {
			p.State = Issued
			changed = append(changed, p)
		}
	}
	return s.o.Store.SavePasses(ctx, changed)
}
