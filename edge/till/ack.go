package till

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Acked returns the last head HQ acknowledged, and the HQ epoch of its last word.
func (t *Till) Acked() (journal.Head, uint32) {
	l := t.linkNow()
	return l.Acked, l.HQEpoch
}

// ApplyReceipt takes in a receipt whose signature the caller has verified: HQ has seen
// the journal through its number. What was redeemed counts against the caps until HQ
// says in the feed that it has applied it, too. A receipt sent again changes nothing. One
// that contradicts this journal is journal_fork, and ends redeeming.
func (t *Till) ApplyReceipt(ctx context.Context, r wire.Receipt) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	t.feed.Lock()
	defer t.feed.Unlock()
	before := t.linkNow()
	if r.HQEpoch < before.HQEpoch || r.Seq < before.Acked.Seq {
		return nil
	}
	head, err := t.checkHead(ctx, r.HQ, r.Terminal, r.Epoch, r.Seq, r.Hash)
	if err != nil {
		return err
	}
	if err := t.confirm(ctx, head.Seq); err != nil || head == before.Acked {
		return err
	}
	after := before
	after.Acked, after.HQTime = head, max(before.HQTime, r.RecordedAt)
	if err := t.store(ctx, nil, after); err != nil {
		return err
	}
	t.caps.pass(after.counted(), 0)
	return nil
}

// ApplyWelcome takes in a welcome whose signature the caller has verified. After
// HQ was restored it lowers what is acknowledged: those entries count against the
// caps again until HQ has them again.
func (t *Till) ApplyWelcome(ctx context.Context, w wire.Welcome) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	t.feed.Lock()
	defer t.feed.Unlock()
	before := t.linkNow()
	if w.HQEpoch < before.HQEpoch {
		return problem.Newf(problem.Conflict, "a welcome of HQ epoch %d after epoch %d", w.HQEpoch, before.HQEpoch)
	}
	head, err := t.checkHead(ctx, w.HQ, w.Terminal, w.Epoch, w.HaveSeq, w.HaveHash)
	if err != nil {
		return err
	}
	after := before
	after.HQTime = max(before.HQTime, w.HQTime)
	restored := w.HQEpoch > before.HQEpoch
	if restored {
		after.HQEpoch, after.Cursor, after.Applied = w.HQEpoch, "", 0
	}
	if restored || head.Seq > before.Acked.Seq {
		after.Acked = head
	}
	if err := t.store(ctx, nil, after); err != nil {
		return err
	}
	t.time.hear(time.UnixMilli(w.HQTime))
	if err := t.compareWitnessed(ctx, w.Witnessed); err != nil {
		return err
	}
	if err := t.confirm(ctx, head.Seq); err != nil {
		return err
	}
	return t.recount(ctx, after.counted())
}

// compareWitnessed looks at a head of this terminal that another lane was shown, as HQ
// passes it on.
func (t *Till) compareWitnessed(ctx context.Context, known wire.SignedHead) error {
	if len(known.Head) == 0 {
		return nil
	}
	head, err := wire.OpenHead(t.cfg.PublicKey, known)
	if err != nil || head.Terminal != t.cfg.Writer.ID || head.Epoch != t.cfg.Writer.Epoch {
		return nil // not signed by this terminal: it proves nothing
	}
	_, err = t.checkHead(ctx, t.cfg.HQ, head.Terminal, head.Epoch, head.Seq, head.Hash)
	return err
}

// ObserveHQTime takes in a time HQ has just signed, which ends distrust of the
// clock. Feed pages and welcomes do so by themselves.
func (t *Till) ObserveHQTime(hq time.Time) { t.time.hear(hq) }

// checkHead compares a head HQ says it has with this journal. One that is not here
// means that this disk was rolled back, or that there are two of this terminal.
func (t *Till) checkHead(ctx context.Context, hq, terminal uuid.UUID, epoch uint32, seq uint64, hash []byte) (journal.Head, error) {
	w := t.cfg.Writer
	if hq != t.cfg.HQ || terminal != w.ID || epoch != w.Epoch {
		return journal.Head{}, problem.New(problem.Conflict, "said to another terminal or by another HQ")
	}
	if seq == 0 {
		return journal.Head{}, nil
	}
	if head := t.cfg.Journal.Head(); seq > head.Seq {
		if err := t.told(ctx, branch{seq, entry.WitnessRollback}); err != nil {
			return journal.Head{}, err
		}
		return journal.Head{}, problem.Newf(problem.JournalFork, "HQ has entry %d, this journal ends with %d", seq, head.Seq)
	}
	own, err := t.cfg.Journal.HashAt(ctx, seq)
	if err != nil {
		return journal.Head{}, fmt.Errorf("compare with entry %d: %w", seq, err)
	}
	if string(own[:]) != string(hash) {
		if err := t.told(ctx, branch{seq, entry.WitnessFork}); err != nil {
			return journal.Head{}, err
		}
		return journal.Head{}, problem.Newf(problem.JournalFork, "HQ has another entry %d", seq)
	}
	return journal.Head{Seq: seq, Hash: own}, nil
}
