package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// maxPageBytes bounds the bodies of a page, so that the signed and framed page
// stays under wire.MaxBody.
const maxPageBytes = wire.MaxBody / 2

// itemOverhead is what an item takes beside its body, at most.
const itemOverhead = 40

// pollEvery is how often a waiting reader looks by itself; changes made by
// another process wake nobody here.
const pollEvery = time.Second

// Page returns what changed for a store after a cursor, at most max items. The
// empty cursor starts at the beginning. HQTime is left to the caller, who signs.
//
// The errors are problem.CursorInvalid, and problem.CursorExpired for a cursor
// from before HQ was restored: the reader starts again from the empty cursor.
func (f *Feed) Page(ctx context.Context, store uuid.UUID, from string, max int) (wire.FeedPage, error) {
	at, err := f.decodeCursor(from, store)
	if err != nil {
		return wire.FeedPage{}, err
	}
	heads, err := f.store.FeedHeads(ctx)
	if err != nil {
		return wire.FeedPage{}, fmt.Errorf("read feed heads: %w", err)
	}
	return f.pageTo(ctx, store, from, at, heads, max)
}

// pageTo is the page between a cursor and heads read before.
func (f *Feed) pageTo(ctx context.Context, store uuid.UUID, from string, at place, heads Heads, max int) (wire.FeedPage, error) {
	if max <= 0 || max > wire.MaxFeedItems {
		max = wire.MaxFeedItems
	}
	page := wire.FeedPage{V: wire.Version, HQ: f.hq, HQEpoch: f.epoch, Store: store, From: from}
	for in := range heads {
		if at.Heads[in] > heads[in] {
			return wire.FeedPage{}, problem.New(problem.CursorInvalid, "the cursor is ahead of the feed")
		}
	}
	if err := f.fill(ctx, &page, &at, heads, max); err != nil {
		return wire.FeedPage{}, err
	}
	var err error
	if page.Next, err = f.encodeCursor(store, at); err != nil {
		return wire.FeedPage{}, fmt.Errorf("encode cursor: %w", err)
	}
	return page, nil
}

// fill adds items shard by shard, from where the last page stopped, and moves the
// cursor over what it has added.
//
// heads was read before the rows. A row found above its head was committed in
// between, and since positions commit in order so was everything below it.
func (f *Feed) fill(ctx context.Context, page *wire.FeedPage, at *place, heads Heads, max int) error {
	size, first := 0, at.start
	at.start = 0
	for i := range heads {
		in := (first + i) % shard.Count
		if at.Heads[in] == heads[in] {
			continue
		}
		room := max - len(page.Items)
		rows, err := f.store.FeedAfter(ctx, in, at.Heads[in], page.Store, f.tied, room+1)
		if err != nil {
			return fmt.Errorf("read feed of shard %d: %w", in, err)
		}
		for n, row := range rows {
			size += len(row.Item.Body) + itemOverhead
			if n == room || size > maxPageBytes && len(page.Items) > 0 {
				page.More, at.start = true, in
				if n > 0 { // this one has had its turn
					at.start = (in + 1) % shard.Count
				}
				return nil
			}
			page.Items = append(page.Items, row.Item)
			at.Heads[in] = row.Pos
		}
		at.Heads[in] = later(at.Heads[in], heads[in])
	}
	return nil
}

// later exists because max is the page size here.
func later(a, b uint64) uint64 { return max(a, b) }

// answersPerSecond is about how many waiting readers of one process are answered in a
// second: with many of them a change waits a little for those that follow it.
const answersPerSecond = 1000

// longestGather bounds how long a change waits for others.
const longestGather = 5 * time.Second

// gatherFor is how long a woken reader waits before it looks, so that changes come
// together when many wait. One of a few looks almost at once.
func gatherFor(waiting int64) time.Duration {
	return min(time.Duration(waiting)*time.Second/answersPerSecond, longestGather)
}

// Wait returns the page after a cursor as Page does, but when there is nothing
// new it waits for a change for up to d. An empty page after d is no error.
func (f *Feed) Wait(ctx context.Context, store uuid.UUID, from string, max int, d time.Duration) (wire.FeedPage, error) {
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	f.waiting.Add(1)
	defer f.waiting.Add(-1)
	_, woken := f.wakeup.next()
	page, err := f.Page(ctx, store, from, max)
	for err == nil && len(page.Items) == 0 && d > 0 {
		select {
		case <-woken:
			_ = clock.Wait(ctx, gatherFor(f.waiting.Load())) // the page below sees that ctx has ended
		case <-poll.C:
		case <-deadline.C:
			return page, nil
		case <-ctx.Done():
			return page, ctx.Err()
		}
		var gen uint64
		gen, woken = f.wakeup.next()
		page, err = f.again(ctx, page, gen, max)
	}
	return page, err
}

// again looks once more for a reader whose last page was empty.
func (f *Feed) again(ctx context.Context, last wire.FeedPage, gen uint64, max int) (wire.FeedPage, error) {
	heads, err := f.headsSince(ctx, gen)
	if err != nil {
		return wire.FeedPage{}, err
	}
	at, err := f.decodeCursor(last.Next, last.Store)
	if err != nil {
		return wire.FeedPage{}, err
	}
	for in := range heads { // the shared reading may be older than this reader's own
		heads[in] = later(heads[in], at.Heads[in])
	}
	return f.pageTo(ctx, last.Store, last.From, at, heads, max)
}
