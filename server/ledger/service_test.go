package ledger_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
)

func TestServiceAppliesWhatComesAndEnds(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	before := goleak.IgnoreCurrent()
	service := ledger.NewService(hq.Ledger, slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	service.Start()
	service.Start()
	till := hq.Till(t, "1")
	till.Sell(t, account, 1000, 0)
	till.Sync(t, 1)
	service.Wake()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for cursor := ""; ; {
		page, err := hq.Feed.Wait(context.Background(), till.Store, cursor, 100, 10*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if cursor = page.Next; service.Applied() == 2 {
			break
		}
		select {
		case <-deadline.C:
			t.Fatal("the service applied nothing")
		default:
		}
	}
	service.Stop()
	service.Stop()
	if h := hq.Holding(t, account, "points"); h.Free != 10 || service.Failures() != 0 {
		t.Errorf("points: %+v; failed %d times", h, service.Failures())
	}
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}
