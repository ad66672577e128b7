package cache_test

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/edge/cache"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
)

func open(t *testing.T, dir string) (*cache.Cache, cache.Opened) {
	t.Helper()
	c, opened, err := cache.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return c, opened
}

func closed(t *testing.T, c *cache.Cache, tills ...*till.Till) {
	t.Helper()
	for _, desk := range tills {
		if err := desk.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCacheKeepsTheRulesOfAStateStore(t *testing.T) {
	tilltest.TestState(t, func(t *testing.T) till.State {
		c, opened := open(t, t.TempDir())
		t.Cleanup(func() { closed(t, c) })
		if !opened.Fresh || opened.Damage != nil {
			t.Errorf("opened %+v", opened)
		}
		return c
	})
}
