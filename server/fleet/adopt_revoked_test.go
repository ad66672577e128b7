package fleet_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
)

// A terminal that a person revoked after the restore stays revoked, whatever later
// epoch it shows: it delivers, and is told nothing.
func TestAnAdoptionDoesNotEndARevocation(t *testing.T) {
	l, ctx := newLost(t), context.Background()
	if err := l.has.Adopt(ctx, l.first.Statement); err != nil {
		t.Fatal(err)
	}
	if _, err := l.has.Revoke(ctx, uuid.New(), l.terminal.ID); err != nil {
		t.Fatal(err)
	}
	if err := l.has.Adopt(ctx, l.second.Statement); err != nil {
		t.Fatal(err)
	}
	got, err := l.has.Terminal(ctx, l.terminal.ID)
	if err != nil || got.State != fleet.StateRevoked || got.Epoch != 2 {
		t.Errorf("%s in epoch %d, %v", got.State, got.Epoch, err)
	}
	code(t, fleet.Caller{Terminal: got, Epoch: 2}.MayPull(), problem.TerminalRevoked)
	if from, err := l.has.Deliverer(ctx, got.ID, 2); err != nil || from.State != string(fleet.StateRevoked) {
		t.Errorf("delivers as %+v, %v", from, err)
	}
}
