package till

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Identify reads a code and tells what it is worth here. It changes nothing that
// lasts: a rotating code is used up by the sale that commits it.
func (t *Till) Identify(ctx context.Context, rawCode string) (Scan, error) { return Scan{}, errSkeleton }

// Quote decides about a basket and keeps the decision for a while.
func (t *Till) Quote(ctx context.Context, req Request) (Quote, error) { return Quote{}, errSkeleton }

// Commit makes the sale. When it returns without error, the sale is durable.
func (t *Till) Commit(ctx context.Context, c Commit) (Sale, error) { return Sale{}, errSkeleton }

// Void undoes a sale. When it returns without error, the void is durable.
func (t *Till) Void(ctx context.Context, v Void) (Voided, error) { return Voided{}, errSkeleton }

// Sale finds a sale by its id.
func (t *Till) Sale(ctx context.Context, id uuid.UUID) (Found, error) { return Found{}, errSkeleton }

// SaleByReceipt finds the latest sale with this POS receipt number.
func (t *Till) SaleByReceipt(ctx context.Context, receipt string) (Found, error) {
	return Found{}, errSkeleton
}

// Status tells how the terminal stands.
func (t *Till) Status(ctx context.Context) (Status, error) { return Status{}, errSkeleton }

// Record journals an entry of the caller (a witness, a note) and returns when it is
// durable. Everything journalled goes through the till.
func (t *Till) Record(ctx context.Context, kind entry.Kind, body any) (journal.Position, error) {
	return journal.Position{}, errSkeleton
}

// ObserveClock looks for a jump of the wall clock. Call it every second or so.
func (t *Till) ObserveClock(ctx context.Context) error { return errSkeleton }

// ObserveHQTime takes in a time HQ has just signed, which ends distrust of the clock.
func (t *Till) ObserveHQTime(hq time.Time) {}

// SetOnline tells whether HQ is in reach, as the syncer sees it.
func (t *Till) SetOnline(online bool) {}

// Cursor returns the feed cursor to pull from; empty is the beginning.
func (t *Till) Cursor() string { return "" }

// Acked returns the last head HQ acknowledged, and under which HQ epoch.
func (t *Till) Acked() (journal.Head, uint32) { return journal.Head{}, 0 }

// ApplyFeed takes in a page whose signature the caller has verified.
func (t *Till) ApplyFeed(ctx context.Context, page wire.FeedPage) error { return errSkeleton }

// ApplyReceipt takes in a receipt whose signature the caller has verified.
func (t *Till) ApplyReceipt(ctx context.Context, r wire.Receipt) error { return errSkeleton }

// ApplyWelcome takes in a welcome whose signature the caller has verified. After
// HQ was restored it may lower what is acknowledged.
func (t *Till) ApplyWelcome(ctx context.Context, w wire.Welcome) error { return errSkeleton }
