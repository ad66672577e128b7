package till_test

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/sync/wire"
)

func TestTheStatusSaysWhereHQSaysACardIsOpened(t *testing.T) {
	s := newShop(t, nil)
	for _, page := range []string{"", "https://a.example/card", "https://b.example/card", ""} {
		s.Feed(t, s.till, s.Item(t, wire.ItemPublic, s.HQ, wire.Public{CardPage: page}))
		if status, err := s.till.Status(context.Background()); err != nil || status.CardPage != page {
			t.Errorf("%q, %v; want %q", status.CardPage, err, page)
		}
	}
}
