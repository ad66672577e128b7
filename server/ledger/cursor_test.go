package ledger_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
)

// A cursor that is none, or of another list, is refused; one that is good goes on
// where it ended, whatever came meanwhile, and every line names its entry.
func TestHistoryPagesStayAndBadCursorsAreRefused(t *testing.T) {
	ctx := context.Background()
	hq := books.New(t)
	ann := hq.Member(t, "ann", 100)
	till := hq.Till(t, "1")
	for range 7 {
		till.Sell(t, ann, 300, 0)
	}
	till.Sync(t, 1)
	hq.Apply(t)
	_, foreign, err := hq.Ledger.Entries(ctx, ledger.EntryFilter{}, "", 2)
	if err != nil || foreign == "" {
		t.Fatalf("%q, %v", foreign, err)
	}
	for name, cursor := range map[string]string{"no base64": "!", "no CBOR": "AAAA", "of the entries": foreign, "too long": string(make([]byte, 400))} {
		if _, _, err := hq.Ledger.History(ctx, ann, cursor, 2); problem.CodeOf(err) != problem.CursorInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	all, _, err := hq.Ledger.History(ctx, ann, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for cursor := ""; ; {
		page, next, err := hq.Ledger.History(ctx, ann, cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			if p.ID != all[seen].ID || p.Source == (ledger.Posting{}).Source {
				t.Fatalf("line %d: %+v, want %+v", seen, p, all[seen])
			}
			seen++
		}
		if cursor = next; cursor == "" {
			break
		}
		from := len(till.Entries) + 1
		till.Sell(t, ann, 300, 0) // new facts shift no page
		till.Sync(t, from)
		hq.Apply(t)
	}
	if seen != len(all) {
		t.Errorf("%d of %d lines", seen, len(all))
	}
	if _, _, err := hq.Ledger.Exceptions(ctx, ledger.ExceptionFilter{}, foreign, 2); problem.CodeOf(err) != problem.CursorInvalid {
		t.Errorf("exceptions by a cursor of entries: %v", err)
	}
	if _, _, err := hq.Ledger.History(ctx, uuid.Max, "", 2); err != nil {
		t.Errorf("a history of nobody: %v", err)
	}
}
