package e2e

import (
	"context"
	"fmt"
	"os"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// copied has a new terminal run twice from one data directory: each writes what the other
// does not know of, and HQ gets both. It returns when HQ has the exception of it.
func (s *scene) copied(ctx context.Context, to stage.Shopper, name, data string) error {
	lane, err := s.AddLane(ctx, s.store, name, data)
	if err != nil {
		return err
	}
	second, err := copyOf(ctx, lane, data+"-copy")
	if err != nil {
		return err
	}
	s.Lanes = append(s.Lanes, second)
	if err := sellEach(ctx, lane, to, "kept-", 20_00, 5_00); err != nil {
		return err
	}
	if err := lane.AwaitDrained(ctx); err != nil {
		return err
	}
	if err := lane.Stop(ctx); err != nil {
		return err
	}
	s.WAN.Cut()
	if err := second.Start(ctx); err != nil {
		return err
	}
	if err := second.AwaitOffline(ctx); err != nil {
		return err
	}
	if err := sellEach(ctx, second, to, "copied-", 45_00, 7_50, 3_00); err != nil {
		return err
	}
	if err := s.WAN.Restore(ctx); err != nil {
		return err
	}
	return stage.Until(ctx, "HQ has the fork", func() (bool, error) {
		all, err := s.Office.Exceptions(ctx)
		for _, e := range all {
			if e.Cause == "fork" {
				return true, err
			}
		}
		return false, err
	})
}

// copyOf is a running terminal's second self, from a copy of its data directory that is
// taken while it is down.
func copyOf(ctx context.Context, lane *stage.Lane, data string) (*stage.Lane, error) {
	if err := lane.Stop(ctx); err != nil {
		return nil, err
	}
	if err := os.CopyFS(data, os.DirFS(lane.Data)); err != nil {
		return nil, err
	}
	if err := lane.Start(ctx); err != nil {
		return nil, err
	}
	if err := lane.AwaitOnline(ctx); err != nil {
		return nil, err
	}
	return double(ctx, lane, data)
}

// double is a lane from a copy of its data directory, at an address of its own.
func double(ctx context.Context, lane *stage.Lane, data string) (*stage.Lane, error) {
	addr, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	token, err := edgeclient.ReadToken(data)
	if err != nil {
		return nil, err
	}
	return lane.Elsewhere("double", data, addr, token), nil
}

// sellEach has a lane make a sale of each total, in minor units.
func sellEach(ctx context.Context, lane *stage.Lane, to stage.Shopper, receipt string, totals ...int64) error {
	for i, total := range totals {
		in := edgeclient.QuoteRequest{Code: to.Code, Currency: stage.Currency, Total: total}
		if _, err := lane.Sell(ctx, fmt.Sprint(receipt, i), in); err != nil {
			return err
		}
	}
	return nil
}
