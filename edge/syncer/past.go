package syncer

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Past is an earlier epoch of the terminal: its journal, which nobody adds to any
// more, the key of that time, and HQ's word on it (a sealed wire.Enrolled).
type Past struct {
	Journal   Journal
	Signer    keys.Signer
	Enrolment []byte
}

// deliverPast offers HQ the earlier epochs of the terminal, once for each HQ epoch:
// an HQ that was restored may be behind on what it once acknowledged. What HQ refuses
// is logged and left; only an HQ that cannot be reached is asked again.
func (p *sender) deliverPast(ctx context.Context) error {
	now := p.Service.welcomed.Load()
	if p.cfg.Past == nil || p.pastTo == now {
		return nil
	}
	past, err := p.cfg.Past(ctx)
	if err != nil {
		p.cfg.Log.Warn("earlier journals cannot be read", "error", err)
	}
	for _, epoch := range past {
		sent, err := p.deliverEpoch(ctx, epoch)
		if modeOf(err) == ModeOffline || ctx.Err() != nil {
			return err
		}
		if err != nil {
			p.cfg.Log.Warn("an earlier journal was not taken", "epoch", epoch.Journal.Writer().Epoch, "error", err)
			continue
		}
		if sent > 0 {
			p.cfg.Log.Info("an earlier journal was sent again", "epoch", epoch.Journal.Writer().Epoch, "entries", sent)
		}
	}
	p.pastTo = now
	return nil
}

// deliverEpoch sends what HQ does not have of an earlier epoch, and returns how many
// entries that were.
func (p *sender) deliverEpoch(ctx context.Context, past Past) (sent int, err error) {
	writer, head := past.Journal.Writer(), past.Journal.Head()
	as := p.client.of(writer, past.Signer)
	raw, err := p.exchangeAs(ctx, as, wire.PathHello, wire.Hello{
		V: wire.Version, Terminal: writer.ID, Epoch: writer.Epoch, FirstSeq: past.Journal.First(),
		HeadSeq: head.Seq, HeadHash: head.Hash[:], AckedSeq: head.Seq, AckedHash: head.Hash[:],
		Software: p.cfg.Software, WallTime: p.cfg.Clock.Now().UnixMilli(), Enrolment: past.Enrolment,
	})
	if err != nil {
		return 0, err
	}
	welcome, err := believe(p.Service, raw, wire.DomainWelcome, func(w wire.Welcome) int64 { return w.HQTime })
	if err != nil {
		return 0, fmt.Errorf("verify welcome: %w", err)
	}
	if welcome.HQ != p.cfg.HQ || welcome.Terminal != writer.ID || welcome.Epoch != writer.Epoch {
		return 0, problem.New(problem.BatchInvalid, "the welcome is for another terminal")
	}
	have, err := own(ctx, past.Journal, welcome.HaveSeq, welcome.HaveHash)
	if err != nil {
		return 0, err
	}
	if have.Seq+1 < past.Journal.First() {
		return 0, problem.Newf(problem.BatchGap, "HQ has %d, the journal begins at %d", have.Seq, past.Journal.First())
	}
	for have.Seq < head.Seq {
		n, next, err := p.pastBatch(ctx, as, past, have)
		if err != nil {
			return sent, err
		}
		sent, have = sent+n, next
	}
	return sent, nil
}

// pastBatch sends the next entries of an earlier epoch and takes HQ's receipt.
func (p *sender) pastBatch(ctx context.Context, as *client, past Past, have journal.Head) (int, journal.Head, error) {
	run, err := past.Journal.Read(ctx, have.Seq+1, p.limit, p.bytes)
	if err != nil {
		return 0, have, fmt.Errorf("read journal from %d: %w", have.Seq+1, err)
	}
	if len(run.Entries) == 0 {
		return 0, have, errors.New("the journal ends before its head")
	}
	writer := past.Journal.Writer()
	raw, err := p.exchangeAs(ctx, as, wire.PathPush, NewBatch(past.Signer, writer, run))
	if err != nil {
		return 0, have, err
	}
	receipt, err := believe(p.Service, raw, wire.DomainReceipt, func(r wire.Receipt) int64 { return r.RecordedAt })
	if err != nil {
		return 0, have, fmt.Errorf("verify receipt: %w", err)
	}
	if receipt.HQ != p.cfg.HQ || receipt.Terminal != writer.ID || receipt.Epoch != writer.Epoch || receipt.Seq <= have.Seq {
		return 0, have, problem.New(problem.BatchInvalid, "the receipt is for another terminal, or for nothing new")
	}
	next, err := own(ctx, past.Journal, receipt.Seq, receipt.Hash)
	return len(run.Entries), next, err
}
