package till_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/sync/wire"
)

// endsAt is a context that has ended when it is looked at for the left-th time.
type endsAt struct {
	context.Context
	left int
}

func (c *endsAt) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// A page of the feed is taken in or is not, wherever it is interrupted; the till works on.
func TestAPageThatIsInterrupted(t *testing.T) {
	taken := 0
	for moment := range 20 {
		s := newShop(t, nil)
		ctx := &endsAt{Context: t.Context(), left: moment}
		page := s.Page(s.Item(t, wire.ItemReward, s.five.ID, s.five))
		err := s.till.ApplyFeed(ctx, page)
		switch {
		case err == nil && taken == 0:
			taken = moment
		case err == nil:
		case taken > 0:
			t.Fatalf("ended at %d, after the page was stored: %v", moment, err)
		case !errors.Is(err, context.Canceled):
			t.Fatalf("ended at %d: %v", moment, err)
		}
		if err != nil {
			if err := s.till.ApplyFeed(t.Context(), page); err != nil {
				t.Fatalf("ended at %d; the page again: %v", moment, err)
			}
		}
		if got := s.till.Cursor(); got != page.Next {
			t.Errorf("ended at %d: the cursor is %q", moment, got)
		}
		s.Feed(t, s.till)
	}
	if taken == 0 {
		t.Error("every look ended it")
	}
}
