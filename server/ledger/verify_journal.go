package ledger

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// chainFacts is what walking the chains of one journal found, for its batches.
type chainFacts struct {
	heads map[journal.Head]bool
	ends  map[journal.Head]bool // the last entries of branches, still to be signed
	key   []byte                // of the first entry, empty when it says none
}

// journals checks the journals of all terminals.
func (a *audit) journals(ctx context.Context) error {
	branches, err := a.store.AuditBranches(ctx)
	if err != nil {
		return err
	}
	for start := 0; start < len(branches); {
		end := start
		facts := chainFacts{heads: map[journal.Head]bool{}, ends: map[journal.Head]bool{}}
		for end < len(branches) && branches[end].Writer == branches[start].Writer {
			if err := a.chain(ctx, branches[end], &facts); err != nil {
				return err
			}
			end++
		}
		// What another branch goes on from is covered by that branch's checkpoints.
		for _, b := range branches[start:end] {
			delete(facts.ends, b.From)
		}
		if err := a.batches(ctx, branches[start].Writer, &facts); err != nil {
			return err
		}
		a.count("terminal journals", 1)
		start = end
	}
	return nil
}

// chain recomputes the hashes of one branch.
func (a *audit) chain(ctx context.Context, b AuditBranch, facts *chainFacts) error {
	where := fmt.Sprintf("terminal %s, branch %d", b.Writer, b.Branch)
	at := b.From
	// Damage is named once, where it begins; the walk goes on from the stored hash.
	for at.Seq < b.Head.Seq {
		rows, err := a.store.WaitingEntries(ctx, Waiting{Terminal: b.ID, Epoch: b.Epoch, Branch: b.Branch, AppliedSeq: at.Seq}, auditPage)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			a.fail(where, "entries after %d are missing, the head is %d", at.Seq, b.Head.Seq)
			return nil
		}
		for _, e := range rows {
			a.entry(where, b, &at, e, facts)
		}
	}
	if at != b.Head {
		a.fail(where, "the chain ends at %s, the stored head is %s", at, b.Head)
	}
	if at.Seq > 0 {
		facts.ends[at] = true
	}
	return nil
}

// entry checks one entry and moves at over it.
func (a *audit) entry(where string, b AuditBranch, at *journal.Head, e Entry, facts *chainFacts) {
	a.count("entries, their hashes recomputed", 1)
	if e.Seq != at.Seq+1 {
		a.fail(where, "entry %d is missing", at.Seq+1)
	} else if got := journal.HashEntry(b.Writer, e.Seq, at.Hash, e.Raw); got != e.Hash {
		a.fail(where, "entry %d: its bytes hash to %s, stored is %s", e.Seq, got.Short(), e.Hash.Short())
	}
	*at = journal.Head{Seq: e.Seq, Hash: e.Hash}
	facts.heads[*at] = true
	env, err := entry.Decode(e.Raw)
	switch {
	case e.State == Accepted && err != nil:
		a.fail(where, "entry %d is accepted and cannot be read", e.Seq)
	case e.State == Accepted && (env.Kind != e.Kind || env.OccurredAt != e.OccurredAt):
		a.fail(where, "entry %d: its columns do not say what its bytes say", e.Seq)
	case e.EffectiveAt > e.RecordedAt:
		a.fail(where, "entry %d took effect after it was recorded", e.Seq)
	}
	if e.Seq == 1 && e.State == Accepted && e.Kind == entry.KindEnrolled {
		if body, err := entry.DecodeBody[entry.Enrolled](env); err == nil {
			facts.key = body.PublicKey
		}
	}
	if _, ok := factOf(e); ok && !a.setAside[e.Hash] {
		switch {
		case e.Seq <= b.AppliedSeq:
			a.expected.add(e.Hash)
		case e.Seq <= b.AppliedSeq+setEntries:
			a.maybe[e.Hash] = true
		}
	}
}

// batches checks the signatures and receipts of one journal.
func (a *audit) batches(ctx context.Context, w journal.Writer, facts *chainFacts) error {
	where := "terminal " + w.String()
	for offset := 0; ; offset += auditPage {
		rows, err := a.store.AuditBatches(ctx, w, offset, auditPage)
		if err != nil {
			return err
		}
		for _, b := range rows {
			a.batch(where, b, facts)
		}
		if len(rows) < auditPage {
			break
		}
	}
	for head := range facts.ends {
		a.fail(where, "no checkpoint covers the entries up to %d", head.Seq)
	}
	return nil
}

func (a *audit) batch(where string, b AuditBatch, facts *chainFacts) {
	a.count("batch signatures", 1)
	head := journal.Head{Seq: b.Last, Hash: b.Head}
	if err := b.Verify(b.PublicKey); err != nil {
		a.fail(where, "batch %d-%d: %v", b.First, b.Last, err)
	}
	if !facts.heads[head] {
		a.fail(where, "batch %d-%d signs a head that is not in the journal", b.First, b.Last)
	}
	if len(facts.key) > 0 && !bytes.Equal(facts.key, b.PublicKey) {
		a.fail(where, "batch %d-%d is not signed by the key that the terminal enrolled with", b.First, b.Last)
	}
	delete(facts.ends, head)
	a.count("receipts", 1)
	receipt, err := wire.Open[wire.Receipt](b.Receipt, wire.DomainReceipt, a.hq, time.UnixMilli(b.RecordedAt))
	switch {
	case err != nil:
		a.fail(where, "receipt of batch %d-%d: %v", b.First, b.Last, err)
	case receipt.Terminal != b.ID || receipt.Epoch != b.Epoch || receipt.Seq != b.Last || !bytes.Equal(receipt.Hash, b.Head[:]):
		a.fail(where, "receipt of batch %d-%d is for another head", b.First, b.Last)
	}
}

// hqChains checks HQ's own journals.
func (a *audit) hqChains(ctx context.Context) error {
	heads, err := a.store.AuditHQHeads(ctx)
	if err != nil {
		return err
	}
	for _, h := range heads {
		known, err := a.hqChain(ctx, h)
		if err != nil {
			return err
		}
		if err := a.hqCheckpoints(ctx, h, known); err != nil {
			return err
		}
		a.count("HQ journals", 1)
	}
	return nil
}

func (a *audit) hqChain(ctx context.Context, h hqjournal.Head) (map[journal.Head]bool, error) {
	w := hqjournal.WriterOf(a.ledger.o.HQ, h.Shard, h.Epoch)
	where := fmt.Sprintf("HQ journal of shard %d, epoch %d", h.Shard, h.Epoch)
	known := map[journal.Head]bool{}
	var at journal.Head
	for at.Seq < h.Seq {
		rows, err := a.store.AuditHQEntries(ctx, h.Shard, h.Epoch, at.Seq, auditPage)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			a.fail(where, "entries after %d are missing, the head is %d", at.Seq, h.Seq)
			return known, nil
		}
		for _, r := range rows {
			a.count("HQ entries, their hashes recomputed", 1)
			if r.Seq != at.Seq+1 {
				a.fail(where, "entry %d is missing", at.Seq+1)
			} else if got := journal.HashEntry(w, r.Seq, at.Hash, r.Raw); got != r.Hash {
				a.fail(where, "entry %d: its bytes hash to %s, stored is %s", r.Seq, got.Short(), r.Hash.Short())
			}
			at = journal.Head{Seq: r.Seq, Hash: r.Hash}
			known[at] = true
			if env, err := entry.Decode(r.Raw); err == nil && posts(env.Kind) {
				a.expected.add(r.Hash)
			}
		}
	}
	if at != h.Head {
		a.fail(where, "the chain ends at %s, the stored head is %s", at, h.Head)
	}
	return known, nil
}

func (a *audit) hqCheckpoints(ctx context.Context, h hqjournal.Head, known map[journal.Head]bool) error {
	rows, err := a.store.AuditHQCheckpoints(ctx, h.Shard, h.Epoch)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("HQ journal of shard %d, epoch %d", h.Shard, h.Epoch)
	for _, c := range rows {
		a.count("HQ checkpoints", 1)
		c.Writer = hqjournal.WriterOf(a.ledger.o.HQ, h.Shard, h.Epoch)
		key, err := a.hq.Find(keys.UseStatement, c.KeyID)
		if err == nil {
			err = key.ValidAt(time.UnixMilli(c.RecordedAt))
		}
		if err == nil {
			err = c.Verify(key.Key)
		}
		if err != nil {
			a.fail(where, "checkpoint %d: %v", c.Last, err)
		}
		if !known[journal.Head{Seq: c.Last, Hash: c.Head}] {
			a.fail(where, "checkpoint %d signs a head that is not in the journal", c.Last)
		}
	}
	return nil
}
