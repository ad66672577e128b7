package books

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/store"
)

// Rebuilds fails the test unless the books verify and the journals give the same ones
// again.
func (h *HQ) Rebuilds(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	h.Verify(t)
	again := On(t, "sqlite:"+filepath.Join(t.TempDir(), uuid.NewString()+".db"), 0)
	if err := h.DB.CopyLog(ctx, again.DB); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Ledger.Replay(ctx, h.DB); err != nil {
		t.Fatal(err)
	}
	_, err := h.DB.Compare(ctx, again.DB, true, func(d store.Difference) error {
		t.Errorf("%+v", d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
