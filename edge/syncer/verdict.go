package syncer

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/problem"
)

// verdict tells the till when HQ's refusal is about the terminal itself, so that it stops
// redeeming, and returns the refusal.
func (s *Service) verdict(ctx context.Context, refused error) error {
	var err error
	switch mode := modeOf(refused); mode {
	case ModeForked:
		err = s.cfg.Till.Contradicts(ctx, 0)
	case ModeRevoked, ModeQuarantined:
		err = s.cfg.Till.Suspend(ctx, problem.CodeOf(refused))
	}
	if err != nil {
		return fmt.Errorf("tell the till what HQ said: %w", err)
	}
	return refused
}
