package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// Change is a new state of one record, for one store or (zero Scope) for all.
// Shard is that of the account, or of whatever else the record belongs to.
type Change struct {
	Shard int
	Scope uuid.UUID
	Item  wire.Item
}

// Row is a change at its position. Owner is the member that a record is of, or nobody.
type Row struct {
	Change
	Owner uuid.UUID
	Pos   uint64
}

// Heads is the position of the last change of each shard.
type Heads [shard.Count]uint64

// Store is the storage the feed needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// AfterCommit calls fn once the transaction in ctx has committed.
	AfterCommit(ctx context.Context, fn func())
	// AdvanceFeed adds to the counters of shards, keeps them locked until the
	// transaction ends, and returns the new positions. It takes the locks in the order
	// of shards.
	AdvanceFeed(ctx context.Context, by map[int]int) (map[int]uint64, error)
	// PutFeed writes rows, each replacing the row of the same record and scope.
	PutFeed(ctx context.Context, rows []Row) error
	FeedHeads(ctx context.Context) (Heads, error)
	// FeedAfter returns up to limit rows of a shard above a position that are for
	// this store or for all, in the order of positions; when tied is set, without what
	// is of members without a tie to the store.
	FeedAfter(ctx context.Context, shard int, after uint64, store uuid.UUID, tied bool, limit int) ([]Row, error)
}

// Feed publishes and reads changes.
type Feed struct {
	store  Store
	hq     uuid.UUID
	epoch  uint32
	wakeup *broadcast
	shared lookout
	// waiting is how many readers of this process wait.
	waiting atomic.Int64
	tell    func()
	tied    bool
}

// New returns the feed of one HQ in its present epoch.
func New(store Store, hq uuid.UUID, epoch uint32) *Feed {
	return &Feed{store: store, hq: hq, epoch: epoch, wakeup: newBroadcast(), tell: func() {}}
}

// OnPublish has fn called after each commit that moved the feed, so that the
// readers of other processes can be woken. Set it before the feed is used.
func (f *Feed) OnPublish(fn func()) { f.tell = fn }

// Narrow has each store told only of members with ties to it. Who makes a tie publishes
// the member in the same transaction. Set it before the feed is used, and for all
// processes of an HQ alike.
func (f *Feed) Narrow() { f.tied = true }

// Wake has the waiting readers of this process look, because another process may
// have moved the feed.
func (f *Feed) Wake() { f.wakeup.wake() }

// Publish writes changes in the caller's transaction, or in its own. Of several
// changes to one record the last one counts.
func (f *Feed) Publish(ctx context.Context, changes ...Change) error {
	if len(changes) == 0 {
		return nil
	}
	sorted := lastOfEach(changes)
	return f.store.InTx(ctx, func(ctx context.Context) error {
		if err := f.publish(ctx, sorted); err != nil {
			return err
		}
		f.store.AfterCommit(ctx, func() {
			f.wakeup.wake()
			f.tell()
		})
		return nil
	})
}

// publish gives changes, in the order of their shards, the next positions.
func (f *Feed) publish(ctx context.Context, changes []Change) error {
	by := map[int]int{}
	for _, c := range changes {
		if c.Shard < 0 || c.Shard >= shard.Count {
			return fmt.Errorf("publish change: no shard %d", c.Shard)
		}
		by[c.Shard]++
	}
	next, err := f.store.AdvanceFeed(ctx, by)
	if err != nil {
		return fmt.Errorf("advance feed: %w", err)
	}
	for in, n := range by {
		next[in] -= uint64(n)
	}
	rows := make([]Row, len(changes))
	for i, c := range changes {
		next[c.Shard]++
		owner, err := ownerOf(c.Item)
		if err != nil {
			return fmt.Errorf("publish change: %w", err)
		}
		rows[i] = Row{Change: c, Owner: owner, Pos: next[c.Shard]}
	}
	if err := f.store.PutFeed(ctx, rows); err != nil {
		return fmt.Errorf("write feed: %w", err)
	}
	return nil
}

// ownerOf returns the member whose record an item is.
func ownerOf(item wire.Item) (uuid.UUID, error) {
	switch {
	case item.Kind == wire.ItemMember:
		return item.ID, nil
	case item.Kind == wire.ItemVoucher && item.Body != nil:
		v, err := wire.Unmarshal[wire.VoucherState](item.Body)
		return v.Voucher.Member, err
	}
	return uuid.Nil, nil
}

// lastOfEach keeps the last change of each record, ordered by shard; one order of
// shards for all writers keeps them from waiting for each other in a circle.
func lastOfEach(changes []Change) []Change {
	type key struct {
		shard int
		scope uuid.UUID
		kind  wire.ItemKind
		id    uuid.UUID
	}
	last := make(map[key]int, len(changes))
	for i, c := range changes {
		last[key{c.Shard, c.Scope, c.Item.Kind, c.Item.ID}] = i
	}
	out := make([]Change, 0, len(last))
	for i, c := range changes {
		if last[key{c.Shard, c.Scope, c.Item.Kind, c.Item.ID}] == i {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return cmp.Compare(a.Shard, b.Shard) })
	return out
}
