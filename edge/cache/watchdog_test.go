package cache

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestWriteThatHangsEndsTheStore(t *testing.T) {
	c, _, err := Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.db.Close() }()
	c.limit = time.Millisecond
	release := make(chan struct{})
	defer close(release)
	if err := c.within(func() error { <-release; return nil }); !errors.Is(err, errSlow) {
		t.Fatalf("a write that hangs: %v", err)
	}
	c.fail(errSlow)
	<-c.Done()
	if err := c.Sync(context.Background()); !errors.Is(err, errSlow) {
		t.Errorf("sync: %v", err)
	}
	if err := c.Close(); !errors.Is(err, errSlow) {
		t.Errorf("close: %v", err)
	}
}
