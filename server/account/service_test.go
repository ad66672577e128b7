package account_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/account"
)

func TestServiceSettlesWhenWoken(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 100), r.member(t, "bob", 0)
	service := account.NewService(r.accounts, slog.New(slog.DiscardHandler), nil)
	service.Start()
	service.Start()
	defer service.Stop()
	m, err := r.accounts.Give(ctx, uuid.Nil, account.Gift{From: ann, To: bob, Unit: "points", Amount: 30, Reason: 2})
	if err != nil {
		t.Fatal(err)
	}
	service.Wake()
	deadline := time.After(20 * time.Second)
	for poll := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("nothing was settled")
		}
		if m, err = r.accounts.Move(ctx, m.Leg.ID); err != nil {
			t.Fatal(err)
		}
		if m.Arrived {
			poll.Stop()
			break
		}
	}
	if r.points(t, bob).Free != 30 {
		t.Errorf("%+v", r.points(t, bob))
	}
}
