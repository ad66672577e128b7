package till

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// MaxItem bounds the body of one feed item, in bytes.
const MaxItem = 128 << 10

// Cursor returns the feed cursor to pull from; empty is the beginning.
func (t *Till) Cursor() string {
	t.linkMu.Lock()
	defer t.linkMu.Unlock()
	return t.link.Cursor
}

// ApplyFeed takes in a page whose signature the caller has verified. A page is taken
// in whole or, when it fails, is to be pulled again from the same cursor. Records
// never go back to an older version within one HQ epoch, key sets and policies never
// at all; a page of an older HQ epoch is refused.
func (t *Till) ApplyFeed(ctx context.Context, page wire.FeedPage) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	t.feed.Lock()
	defer t.feed.Unlock()
	before := t.linkNow()
	if err := t.checkPage(page, before); err != nil {
		return err
	}
	if err := t.room(t.cfg.Limits.MinFreeFeed); err != nil {
		return err
	}
	intake, err := t.intake(ctx, page)
	if err != nil {
		return err
	}
	after := before
	after.HQEpoch, after.Cursor, after.HQTime = page.HQEpoch, page.Next, max(before.HQTime, page.HQTime)
	after.Heard = t.heard(page, before.Heard)
	if m := page.Applied; m.Terminal == t.cfg.Writer.ID && m.Epoch == t.cfg.Writer.Epoch {
		if after.Applied, after.HasApplied = m.Seq, true; page.HQEpoch == before.HQEpoch {
			after.Applied = max(m.Seq, before.Applied)
		}
	}
	// A page that was stored is taken in to the end: half of one in memory could no longer
	// be trusted, and a stop or a slow answer of HQ is no reason to end so.
	ctx = context.WithoutCancel(ctx)
	if err := t.store(ctx, intake.changes, after); err != nil {
		return err
	}
	if intake.catalogue {
		if err := t.loadCatalogue(ctx); err != nil {
			t.fail(err)
			return err
		}
	}
	t.lastPart = 0
	if page.More {
		t.lastPart = page.HQTime
	}
	t.time.hear(time.UnixMilli(page.HQTime))
	if err := t.suspend(ctx, ""); err != nil { // HQ does not speak to one that is
		return err
	}
	t.rights.changed.Store(true)
	if after.counted() < before.counted() {
		return t.recount(ctx, after.counted())
	}
	t.caps.pass(after.counted(), 0)
	return nil
}

// partsApart is how long after a page that said there is more the next one still
// belongs to the same catching up.
const partsApart = time.Minute

// heard returns the time up to which the cache counts as complete after a page. The
// last page makes it complete. While pages follow one another the age stands still:
// what is missing is on its way, but a cache that was old is not young before the last
// page. One that was never complete stays so.
func (t *Till) heard(page wire.FeedPage, before int64) int64 {
	if !page.More {
		return max(before, page.HQTime)
	}
	gap := page.HQTime - t.lastPart
	if before == 0 || t.lastPart == 0 || gap < 0 || gap > partsApart.Milliseconds() {
		return before
	}
	return before + gap
}

func (t *Till) checkPage(page wire.FeedPage, held link) error {
	switch {
	case page.V < wire.MinVersion || page.V > wire.Version:
		return problem.Newf(problem.WireVersion, "feed page of version %d", page.V)
	case page.HQ != t.cfg.HQ || page.Store != t.cfg.Store:
		return problem.New(problem.Conflict, "a feed page for another store or of another HQ")
	case page.HQEpoch < held.HQEpoch:
		return problem.Newf(problem.Conflict, "a feed page of HQ epoch %d after epoch %d", page.HQEpoch, held.HQEpoch)
	case page.From != held.Cursor && page.From != "":
		return problem.New(problem.CursorInvalid, "the page does not follow the last one")
	}
	return nil
}

// intake is what a page changes.
type intake struct {
	changes   []Change
	catalogue bool // something other than members and vouchers changed
}

// intake reads a page against what is held, and keeps what is newer.
func (t *Till) intake(ctx context.Context, page wire.FeedPage) (intake, error) {
	var in intake
	newest := map[string]item{} // within the page
	err := t.cfg.State.View(ctx, func(v View) error {
		for _, it := range page.Items {
			at := itemKey(it.Kind, it.ID)
			held, known := newest[string(at)]
			if !known {
				var err error
				if held, known, err = get[item](v, TableItem, at); err != nil {
					return err
				}
			}
			next := item{HQEpoch: page.HQEpoch, Version: it.Version, Body: it.Body}
			if known && !newer(it.Kind, held, next) {
				continue
			}
			changes, err := t.itemChanges(it, at, held, &next, page.HQTime)
			if err != nil {
				return fmt.Errorf("take in feed item %d %s: %w", it.Kind, it.ID, err)
			}
			newest[string(at)] = next
			in.changes = append(in.changes, changes...)
			in.catalogue = in.catalogue || inCatalogue(it.Kind)
		}
		return nil
	})
	return in, err
}

// newer says whether next may take the place of held. HQ's word after a restore
// counts, though its versions may begin lower; but keys and policies are what
// protects us from HQ's word being rolled back, so theirs never fall.
func newer(kind wire.ItemKind, held, next item) bool {
	if kind == wire.ItemKeys || kind == wire.ItemPolicy || kind == wire.ItemTillRules {
		return next.Version > held.Version && next.HQEpoch >= held.HQEpoch
	}
	if next.HQEpoch != held.HQEpoch {
		return next.HQEpoch > held.HQEpoch
	}
	return next.Version > held.Version
}

// itemChanges checks that an item can be read, and keeps the member's list of vouchers
// and the account's list of grants with it. What is kept of an item may be more than it
// says: next then is changed.
func (t *Till) itemChanges(it wire.Item, at []byte, held item, next *item, hqTime int64) ([]Change, error) {
	if len(it.Body) > MaxItem {
		return nil, problem.Newf(problem.BatchTooLarge, "%d bytes", len(it.Body))
	}
	switch it.Kind {
	case wire.ItemAllowance:
		next.At = hqTime
		return t.allowanceChanges(it, at, held, next)
	case wire.ItemIdentity:
		return t.identityChanges(it, at, *next)
	}
	c, err := put(TableItem, at, *next)
	if err != nil {
		return nil, err
	}
	changes := []Change{c}
	switch it.Kind {
	case wire.ItemMember:
		if it.Body != nil {
			_, err = wire.Unmarshal[wire.Member](it.Body)
			changes = append(changes, cardOf(it.ID))
		}
	case wire.ItemVoucher:
		var ties []Change
		ties, err = voucherTies(it.ID, held.Body, next.Body)
		changes = append(ties, changes...)
	default:
		if it.Body != nil {
			probe := newCatalogue(keys.Set{})
			err = probe.add(it.Kind, it.ID, it.Body, t.cfg)
		}
	}
	return changes, err
}

// voucherTies moves a voucher from the list of one member to that of another.
func voucherTies(id uuid.UUID, held, next []byte) ([]Change, error) {
	var changes []Change
	for _, side := range []struct {
		body  []byte
		value []byte
	}{{held, nil}, {next, []byte{1}}} {
		if side.body == nil {
			continue
		}
		v, err := wire.Unmarshal[wire.VoucherState](side.body)
		if err != nil {
			return nil, err
		}
		changes = append(changes, Change{TableTies, key(v.Voucher.Member[:], id[:]), side.value})
	}
	return changes, nil
}

// store writes changes and, in the last batch, the link that says they are there.
// Cut short, the page is pulled again and finds its own items.
func (t *Till) store(ctx context.Context, changes []Change, next link) error {
	c, err := put(TableMeta, keyLink, next)
	if err != nil {
		return err
	}
	durable := len(changes) > 0
	if err := t.applyInParts(ctx, append(changes, c)); err != nil {
		return err
	}
	if durable {
		if err := t.cfg.State.Sync(ctx); err != nil {
			t.fail(err)
			return problem.Wrap(problem.JournalStopped, err, "")
		}
	}
	t.linkMu.Lock()
	t.link = next
	t.linkMu.Unlock()
	return nil
}

// applyInParts writes changes in as many batches as they need.
func (t *Till) applyInParts(ctx context.Context, changes []Change) error {
	for len(changes) > 0 {
		n, size := 0, 0
		for n < len(changes) && (n == 0 || size+changeSize(changes[n]) <= MaxBatchBytes) {
			size += changeSize(changes[n])
			n++
		}
		if err := t.cfg.State.Apply(context.WithoutCancel(ctx), changes[:n]); err != nil {
			t.fail(err)
			return problem.Wrap(problem.JournalStopped, err, "")
		}
		changes = changes[n:]
	}
	return nil
}

// changeSize is the weight of a change in a batch, with what a store adds to it.
func changeSize(c Change) int { return len(c.Key) + len(c.Value) + 64 }

func (t *Till) linkNow() link {
	t.linkMu.Lock()
	defer t.linkMu.Unlock()
	return t.link
}
