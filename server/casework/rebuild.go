package casework

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// Told is what HQ's journal says about an exception: how it is settled, who answers for it
// where that was changed, and who settled it last. Words commit to the reasons given.
type Told struct {
	Shard      int
	Exception  uuid.UUID
	Resolution Resolution
	Liable     string
	By, Second uuid.UUID
	At         time.Time
	Words      [][]byte
}

// step takes a step of the journal in.
func (t *Told) step(c entry.HQCase) {
	switch c.Step {
	case entry.CaseSettled:
		t.Resolution, t.By, t.Second = Resolution(c.Resolution), c.By, c.Second
	case entry.CaseReopened:
		t.Resolution, t.By, t.Second = Unresolved, uuid.Nil, uuid.Nil
	case entry.CaseLiable:
		t.Liable = c.Liable
	}
	t.At = time.UnixMilli(c.At).UTC()
	t.Words = append(t.Words, c.Text)
}

// unworded tells whether a step has no words among the notes that it commits to. The note
// of who answers has who did before in front.
func (t *Told) unworded(notes []Note) bool {
	return slices.ContainsFunc(t.Words, func(want []byte) bool {
		return !slices.ContainsFunc(notes, func(n Note) bool {
			for text, more := n.Text, true; more; _, text, more = strings.Cut(text, ": ") {
				if bytes.Equal(entry.CaseText(n.ID, text), want) {
					return true
				}
			}
			return false
		})
	})
}

// Journaled is HQ's own journal, to be read.
type Journaled interface {
	// AuditHQHeads returns the heads by shard and epoch.
	AuditHQHeads(ctx context.Context) ([]hqjournal.Head, error)
	AuditHQEntries(ctx context.Context, shard int, epoch uint32, after uint64, limit int) ([]hqjournal.Row, error)
}

// Rebuilder is the storage of an HQ that is rebuilt.
type Rebuilder interface {
	Journaled
	// ForgetDecisions leaves of all cases what the journal does not tell.
	ForgetDecisions(ctx context.Context) error
	PutTold(ctx context.Context, t Told) error
	Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]Note, error)
}

// entriesAtOnce is how many entries of the journal are read at once, mostWords how many
// notes of one exception are looked through.
const (
	entriesAtOnce = 1000
	mostWords     = 10_000
)

// Rebuild does again what HQ's journal says of the work on exceptions: how each is settled
// and who answers. It returns of how many it told something, and the exceptions whose notes
// do not have the words that were given. Who looks after one, until when, what was proposed
// and the words themselves are no facts; they stay as they are. Memory is by what one shard
// tells.
func Rebuild(ctx context.Context, in Rebuilder) (n int, unworded []uuid.UUID, err error) {
	if err := in.ForgetDecisions(ctx); err != nil {
		return 0, nil, fmt.Errorf("forget decisions: %w", err)
	}
	heads, err := in.AuditHQHeads(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("read HQ heads: %w", err)
	}
	slices.SortFunc(heads, func(a, b hqjournal.Head) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Epoch, b.Epoch))
	})
	told := map[uuid.UUID]*Told{}
	for i, h := range heads {
		if err := tell(ctx, in, h, told); err != nil {
			return n, unworded, fmt.Errorf("read HQ journal of shard %d, epoch %d: %w", h.Shard, h.Epoch, err)
		}
		if i+1 < len(heads) && heads[i+1].Shard == h.Shard {
			continue
		}
		for id, t := range told {
			if err := in.PutTold(ctx, *t); err != nil {
				return n, unworded, fmt.Errorf("write case: %w", err)
			}
			notes, err := in.Notes(ctx, t.Shard, id, mostWords)
			if err != nil {
				return n, unworded, fmt.Errorf("read notes: %w", err)
			}
			if t.unworded(notes) {
				unworded = append(unworded, id)
			}
		}
		n += len(told)
		clear(told)
	}
	return n, unworded, nil
}

// tell takes in the steps of one epoch of a shard.
func tell(ctx context.Context, in Journaled, h hqjournal.Head, told map[uuid.UUID]*Told) error {
	for at := uint64(0); at < h.Seq; {
		rows, err := in.AuditHQEntries(ctx, h.Shard, h.Epoch, at, entriesAtOnce)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("entries after %d are missing", at)
		}
		at = rows[len(rows)-1].Seq
		for _, row := range rows {
			if row.Kind != entry.KindHQCase {
				continue
			}
			env, err := entry.Decode(row.Raw)
			if err != nil {
				return fmt.Errorf("read entry %d: %w", row.Seq, err)
			}
			body, err := entry.DecodeBody[entry.HQCase](env)
			if err != nil {
				return fmt.Errorf("read entry %d: %w", row.Seq, err)
			}
			if told[body.Exception] == nil {
				told[body.Exception] = &Told{Shard: h.Shard, Exception: body.Exception}
			}
			told[body.Exception].step(body)
		}
	}
	return nil
}
