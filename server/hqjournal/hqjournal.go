package hqjournal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Fact is something HQ originates. Body is the struct of its kind in package
// entry; Publish are the feed changes it causes, written in Shard.
type Fact struct {
	Shard   int
	Kind    entry.Kind
	Body    any
	Publish []feed.Change
	// NotBefore is the earliest time at which it can have been written, Unix
	// milliseconds: another process whose clock is ahead may have written what it
	// was decided by.
	NotBefore int64
}

// Written is where a fact was put.
type Written struct {
	Writer     journal.Writer
	Head       journal.Head
	RecordedAt int64 // Unix milliseconds
}

// Row is one entry of HQ's journal as stored.
type Row struct {
	Shard      int
	Epoch      uint32
	Seq        uint64
	Hash       journal.Hash
	Kind       entry.Kind
	RecordedAt int64
	Raw        []byte
}

// Head is the end of one shard's chain. HLC is the stamp of its last entry.
type Head struct {
	Shard int
	Epoch uint32
	journal.Head
	HLC clock.Stamp
}

// Checkpoint is HQ's signature over the head of one shard's chain.
type Checkpoint struct {
	Shard      int
	KeyID      uint8
	RecordedAt int64
	journal.Checkpoint
}

// Unsigned is a chain with entries that no checkpoint covers; Signed is the number
// of the last one that is covered, or zero.
type Unsigned struct {
	Head
	Signed uint64
}

// Store is the storage the journal needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// LockHQHeads returns the heads of shards' chains, the zero head where there is
	// none, and keeps them locked until the transaction ends. It locks them in order.
	LockHQHeads(ctx context.Context, shards []int, epoch uint32) (map[int]Head, error)
	// AppendHQ stores entries and the heads they lead to.
	AppendHQ(ctx context.Context, rows []Row, heads []Head) error
	// UnsignedHQHeads returns the chains of an epoch that grew since they were signed.
	UnsignedHQHeads(ctx context.Context, epoch uint32) ([]Unsigned, error)
	PutHQCheckpoint(ctx context.Context, c Checkpoint) error
}

// Publisher writes feed changes in the transaction in ctx.
type Publisher interface {
	Publish(ctx context.Context, changes ...feed.Change) error
}

// Journal is HQ's journal of all shards.
type Journal struct {
	store  Store
	feed   Publisher
	clock  clock.Clock
	hq     uuid.UUID
	epoch  uint32
	signer keys.Signer
}

// New returns the journal of one HQ in its present epoch. The signer's key is a
// statement key.
func New(store Store, publisher Publisher, c clock.Clock, hq uuid.UUID, epoch uint32, signer keys.Signer) *Journal {
	return &Journal{store: store, feed: publisher, clock: c, hq: hq, epoch: epoch, signer: signer}
}

// WriterOf names the writer of a shard's chain: UUID version 5 in the namespace of
// the HQ id, of the shard's decimal number.
func WriterOf(hq uuid.UUID, shard int, epoch uint32) journal.Writer {
	return journal.Writer{ID: uuid.NewSHA1(hq, []byte(strconv.Itoa(shard))), Epoch: epoch}
}

// Append writes facts and their feed changes in the caller's transaction, or in
// one of its own.
func (j *Journal) Append(ctx context.Context, facts ...Fact) error {
	_, err := j.Write(ctx, facts...)
	return err
}

// Write is Append that tells where each fact was put. However many facts there are,
// they take a handful of statements.
func (j *Journal) Write(ctx context.Context, facts ...Fact) ([]Written, error) {
	var shards []int
	for _, f := range facts {
		if f.Shard < 0 || f.Shard >= shard.Count {
			return nil, fmt.Errorf("append fact: no shard %d", f.Shard)
		}
		shards = append(shards, f.Shard)
	}
	// One order of shards for all writers keeps them from waiting in a circle.
	slices.Sort(shards)
	shards = slices.Compact(shards)
	var out []Written
	err := j.store.InTx(ctx, func(ctx context.Context) error {
		heads, err := j.store.LockHQHeads(ctx, shards, j.epoch)
		if err != nil {
			return fmt.Errorf("lock HQ's journal: %w", err)
		}
		var rows []Row
		if rows, out, err = j.chain(facts, heads); err != nil {
			return fmt.Errorf("append fact: %w", err)
		}
		last := make([]Head, len(shards))
		for i, in := range shards {
			last[i] = heads[in]
		}
		if err := j.store.AppendHQ(ctx, rows, last); err != nil {
			return fmt.Errorf("append to HQ's journal: %w", err)
		}
		var changes []feed.Change
		for _, f := range facts {
			for _, c := range f.Publish {
				c.Shard = f.Shard
				changes = append(changes, c)
			}
		}
		return j.feed.Publish(ctx, changes...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// chain makes the entries of facts and moves the heads over them.
func (j *Journal) chain(facts []Fact, heads map[int]Head) (rows []Row, out []Written, err error) {
	for _, f := range facts {
		now, head := j.clock.Now(), heads[f.Shard]
		if now.UnixMilli() < f.NotBefore {
			now = time.UnixMilli(f.NotBefore)
		}
		head.HLC = max(head.HLC+1, clock.NewStamp(now, 0))
		raw, err := entry.Encode(entry.Entry{
			HLC: head.HLC, OccurredAt: now.UnixMilli(), BusinessDate: entry.DateOf(now.UTC()), Kind: f.Kind,
		}, f.Body)
		if err != nil {
			return nil, nil, err
		}
		w := WriterOf(j.hq, f.Shard, j.epoch)
		head.Hash = journal.HashEntry(w, head.Seq+1, head.Hash, raw)
		head.Seq++
		heads[f.Shard] = head
		rows = append(rows, Row{f.Shard, j.epoch, head.Seq, head.Hash, f.Kind, now.UnixMilli(), raw})
		out = append(out, Written{Writer: w, Head: head.Head, RecordedAt: now.UnixMilli()})
	}
	return rows, out, nil
}

// Checkpoint signs the head of every chain that grew since its last checkpoint,
// and returns how many it signed.
func (j *Journal) Checkpoint(ctx context.Context) (int, error) {
	heads, err := j.store.UnsignedHQHeads(ctx, j.epoch)
	if err != nil {
		return 0, fmt.Errorf("read HQ heads: %w", err)
	}
	signed := 0
	for _, h := range heads {
		w := WriterOf(j.hq, h.Shard, j.epoch)
		cp := journal.SignCheckpoint(j.signer, w, h.Signed+1, h.Head.Head)
		err = j.store.PutHQCheckpoint(ctx, Checkpoint{
			Shard: h.Shard, KeyID: j.signer.Public.ID, RecordedAt: j.clock.Now().UnixMilli(), Checkpoint: cp,
		})
		if err != nil {
			return signed, fmt.Errorf("store checkpoint of shard %d: %w", h.Shard, err)
		}
		signed++
	}
	return signed, nil
}
