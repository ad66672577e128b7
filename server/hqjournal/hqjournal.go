package hqjournal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

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
	// LockHQHead returns the head of a shard's chain, the zero head when it has
	// none, and keeps it locked until the transaction ends.
	LockHQHead(ctx context.Context, shard int, epoch uint32) (Head, error)
	// AppendHQ stores entries and the head they lead to.
	AppendHQ(ctx context.Context, rows []Row, head Head) error
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

// Write is Append that tells where each fact was put.
func (j *Journal) Write(ctx context.Context, facts ...Fact) ([]Written, error) {
	out := make([]Written, len(facts))
	order := make([]int, len(facts))
	for i := range order {
		order[i] = i
	}
	// One order of shards for all writers keeps them from waiting in a circle.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(facts[a].Shard, facts[b].Shard) })
	err := j.store.InTx(ctx, func(ctx context.Context) error {
		var changes []feed.Change
		for start := 0; start < len(order); {
			end := start
			for end < len(order) && facts[order[end]].Shard == facts[order[start]].Shard {
				end++
			}
			if err := j.writeShard(ctx, facts, order[start:end], out); err != nil {
				return err
			}
			start = end
		}
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

// writeShard appends the facts named by their indexes, all of one shard.
func (j *Journal) writeShard(ctx context.Context, facts []Fact, indexes []int, out []Written) error {
	in := facts[indexes[0]].Shard
	if in < 0 || in >= shard.Count {
		return fmt.Errorf("append fact: no shard %d", in)
	}
	head, err := j.store.LockHQHead(ctx, in, j.epoch)
	if err != nil {
		return fmt.Errorf("lock HQ journal of shard %d: %w", in, err)
	}
	w := WriterOf(j.hq, in, j.epoch)
	rows := make([]Row, 0, len(indexes))
	for _, i := range indexes {
		now := j.clock.Now()
		head.HLC = max(head.HLC+1, clock.NewStamp(now, 0))
		raw, err := entry.Encode(entry.Entry{
			HLC: head.HLC, OccurredAt: now.UnixMilli(), BusinessDate: entry.DateOf(now.UTC()), Kind: facts[i].Kind,
		}, facts[i].Body)
		if err != nil {
			return fmt.Errorf("append fact: %w", err)
		}
		head.Hash = journal.HashEntry(w, head.Seq+1, head.Hash, raw)
		head.Seq++
		rows = append(rows, Row{in, j.epoch, head.Seq, head.Hash, facts[i].Kind, now.UnixMilli(), raw})
		out[i] = Written{Writer: w, Head: head.Head, RecordedAt: now.UnixMilli()}
	}
	if err := j.store.AppendHQ(ctx, rows, head); err != nil {
		return fmt.Errorf("append to HQ journal of shard %d: %w", in, err)
	}
	return nil
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
