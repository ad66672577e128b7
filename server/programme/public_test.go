package programme_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

func TestTerminalsAreToldOnceWhereShoppersOpenTheirCard(t *testing.T) {
	r := newRig(t)
	told := func() (public wire.Public, version uint64) {
		t.Helper()
		page, err := r.Feed.Page(t.Context(), uuid.New(), "", wire.MaxFeedItems)
		must(t, err)
		for _, it := range page.Items {
			if it.Kind == wire.ItemPublic {
				version = it.Version
				public, err = wire.Unmarshal[wire.Public](it.Body)
				must(t, err)
			}
		}
		return public, version
	}
	for _, step := range []struct {
		page    string
		version uint64
	}{{"", 0}, {"https://a.example/card", 1}, {"https://a.example/card", 1}, {"https://b.example/card", 2}, {"", 3}, {"", 3}} {
		must(t, r.PublishPublic(t.Context(), wire.Public{CardPage: step.page}))
		if public, version := told(); public.CardPage != step.page || version != step.version {
			t.Errorf("after a start with %q: %q, version %d, want %d", step.page, public.CardPage, version, step.version)
		}
	}
	r.Verify(t)
}
