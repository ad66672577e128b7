package syncer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// errForked means that HQ holds entries under this terminal's name that are not in
// its journal: a clone, or a disk that was rolled back.
var errForked = problem.New(problem.JournalFork, "HQ holds another branch of this journal")

// sender is the state of the push loop.
type sender struct {
	*Service
	wait backoff
	// have is the last entry HQ has; known is false until HQ has said so.
	have  journal.Head
	known bool
	// contested is a number under which HQ has named an entry that is not this
	// journal's; zero is none.
	contested uint64
	// limit is how many entries the next batch may have, most what HQ allows.
	limit, most, bytes int
	// pastTo is the HQ epoch that has been offered all earlier epochs of the terminal,
	// presentedTo the one that was shown its grants.
	pastTo, presentedTo uint32
}

func (s *Service) newSender() *sender {
	return &sender{
		Service: s, most: wire.MaxBatchEntries, limit: wire.MaxBatchEntries, bytes: wire.MaxBatchBytes,
		wait: backoff{base: s.timing.BackoffBase, limit: s.timing.BackoffLimit, random: s.cfg.Random},
	}
}

// pushLoop says hello, sends what HQ does not have, and waits for more. After any
// failure it says hello again: what HQ has is asked, never assumed. A fork too: what
// is sold after it are facts as well, and HQ may name a head that both have once it
// sees that the journals differ.
func (s *Service) pushLoop(ctx context.Context) {
	p := s.newSender()
	for {
		err := p.step(ctx)
		p.greeted.Do(func() { close(p.greet) })
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			p.wait.reset()
			continue
		}
		mode := modeOf(err)
		s.board.failed(err, mode)
		s.cfg.Log.Warn("push failed", "mode", mode, "error", err)
		p.known = false
		var early <-chan struct{}
		if mode == ModeOffline {
			early = s.board.back()
		}
		if !pause(ctx, p.wait.next(retryAfterOf(err)), early) {
			return
		}
	}
}

// step does the one next thing: hello, a batch, or waiting for an entry.
func (p *sender) step(ctx context.Context) error {
	if !p.known {
		return p.hello(ctx)
	}
	if err := p.present(ctx); err != nil {
		return err
	}
	if p.have.Seq >= p.cfg.Journal.Head().Seq {
		if err := p.deliverPast(ctx); err != nil {
			return err
		}
		return p.idle(ctx)
	}
	err := p.batch(ctx)
	if tooMuch(err) && p.limit > 1 {
		p.limit /= 2
		return nil
	}
	return err
}

// tooMuch says whether a smaller batch may pass where this one did not.
func tooMuch(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusRequestEntityTooLarge
}

// idle waits for a sale, or for a reason to say hello again; then a moment longer for those made together with it.
func (p *sender) idle(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.again:
		p.known = false
		return nil
	case <-p.wake:
	}
	pause(ctx, p.timing.Debounce, nil)
	return nil
}

// hello compares heads with HQ.
func (p *sender) hello(ctx context.Context) error {
	// A wake from before is covered by the look at the head that follows.
	select {
	case <-p.wake:
	default:
	}
	writer := p.cfg.Journal.Writer()
	head, err := p.claim(ctx)
	if err != nil {
		return err
	}
	acked, _ := p.cfg.Till.Acked()
	raw, err := p.exchange(ctx, wire.PathHello, wire.Hello{
		V: wire.Version, Terminal: writer.ID, Epoch: writer.Epoch, FirstSeq: p.cfg.Journal.First(),
		HeadSeq: head.Seq, HeadHash: head.Hash[:], AckedSeq: acked.Seq, AckedHash: acked.Hash[:],
		Software: p.cfg.Software, WallTime: p.cfg.Clock.Now().UnixMilli(), Enrolment: p.enrolment(), Witness: p.witness(),
	})
	if err != nil {
		return p.verdict(ctx, err)
	}
	welcome, err := believe(p.Service, raw, wire.DomainWelcome, func(w wire.Welcome) int64 { return w.HQTime })
	if err != nil {
		return fmt.Errorf("verify welcome: %w", err)
	}
	if welcome.HQ != p.cfg.HQ || welcome.Terminal != writer.ID || welcome.Epoch != writer.Epoch {
		return problem.New(problem.BatchInvalid, "the welcome is for another terminal")
	}
	p.cfg.Till.ObserveHQTime(time.UnixMilli(welcome.HQTime))
	p.board.heard()
	p.Service.welcomed.Store(welcome.HQEpoch)
	p.keep(welcome.Enrolment, welcome.Heads)
	return p.settle(ctx, welcome)
}

// claim is the head to say hello with. HQ cannot see from a head beyond its own that the
// two differ; so when it has named another entry, this journal's one in that place is
// shown to it, and it asks for what it needs as evidence.
func (p *sender) claim(ctx context.Context) (journal.Head, error) {
	at := p.contested
	if p.contested = 0; at == 0 {
		return p.cfg.Journal.Head(), nil
	}
	hash, err := p.cfg.Journal.HashAt(ctx, at)
	if err != nil {
		return journal.Head{}, fmt.Errorf("read hash of entry %d: %w", at, err)
	}
	return journal.Head{Seq: at, Hash: hash}, nil
}

// settle settles from where to send. HQ may have less than it once acknowledged
// (restored from a backup) and then gets it again.
func (p *sender) settle(ctx context.Context, w wire.Welcome) error {
	have, err := p.own(ctx, w.HaveSeq, w.HaveHash)
	if err != nil {
		return err
	}
	if have.Seq+1 < p.cfg.Journal.First() {
		return problem.Newf(problem.BatchGap, "HQ has %d, the journal begins at %d", have.Seq, p.cfg.Journal.First())
	}
	if err := p.cfg.Till.ApplyWelcome(ctx, w); err != nil {
		return fmt.Errorf("apply welcome: %w", err)
	}
	p.have, p.known = have, true
	p.most, p.bytes = wire.MaxBatchEntries, wire.MaxBatchBytes
	if w.MaxEntries > 0 {
		p.most = min(p.most, w.MaxEntries)
	}
	if w.MaxBytes > 0 {
		p.bytes = min(p.bytes, w.MaxBytes)
	}
	p.limit = min(p.limit, p.most)
	p.board.acked(have.Seq)
	return nil
}

// own checks that a head HQ speaks of is in this journal.
func (p *sender) own(ctx context.Context, seq uint64, hash []byte) (journal.Head, error) {
	head, err := own(ctx, p.cfg.Journal, seq, hash)
	if errors.Is(err, errForked) {
		if seq <= p.cfg.Journal.Head().Seq {
			p.contested = seq
		}
		if told := p.cfg.Till.Contradicts(ctx, seq); told != nil {
			return head, fmt.Errorf("tell the till of a fork: %w", told)
		}
	}
	return head, err
}

// own checks that a head HQ speaks of is in a journal.
func own(ctx context.Context, j Journal, seq uint64, hash []byte) (journal.Head, error) {
	if seq == 0 {
		return journal.Head{}, nil
	}
	if seq > j.Head().Seq {
		return journal.Head{}, errForked
	}
	mine, err := j.HashAt(ctx, seq)
	if err != nil {
		return journal.Head{}, fmt.Errorf("read hash of entry %d: %w", seq, err)
	}
	if string(mine[:]) != string(hash) {
		return journal.Head{}, errForked
	}
	return journal.Head{Seq: seq, Hash: mine}, nil
}

// batch sends the next entries and takes HQ's receipt for them.
func (p *sender) batch(ctx context.Context) error {
	run, err := p.cfg.Journal.Read(ctx, p.have.Seq+1, p.limit, p.bytes)
	if err != nil {
		return fmt.Errorf("read journal from %d: %w", p.have.Seq+1, err)
	}
	if len(run.Entries) == 0 {
		return nil
	}
	raw, err := p.exchange(ctx, wire.PathPush, NewBatch(p.cfg.Signer, p.cfg.Journal.Writer(), run))
	if err != nil {
		return p.verdict(ctx, err)
	}
	receipt, err := believe(p.Service, raw, wire.DomainReceipt, func(r wire.Receipt) int64 { return r.RecordedAt })
	if err != nil {
		return fmt.Errorf("verify receipt: %w", err)
	}
	writer := p.cfg.Journal.Writer()
	if receipt.HQ != p.cfg.HQ || receipt.Terminal != writer.ID || receipt.Epoch != writer.Epoch {
		return problem.New(problem.BatchInvalid, "the receipt is for another terminal")
	}
	return p.received(ctx, run, receipt)
}

func (p *sender) received(ctx context.Context, run journal.Run, r wire.Receipt) error {
	have, err := p.own(ctx, r.Seq, r.Hash)
	if err != nil {
		return err
	}
	p.board.heard()
	if have.Seq <= run.Prev.Seq {
		return problem.Newf(problem.BatchGap, "HQ's receipt for %d–%d ends at %d", run.Prev.Seq+1, run.Last().Seq, r.Seq)
	}
	if err := p.cfg.Till.ApplyReceipt(ctx, r); err != nil {
		return fmt.Errorf("apply receipt: %w", err)
	}
	p.have = have
	p.limit = min(p.most, p.limit+max(1, p.limit/4))
	p.board.acked(have.Seq)
	return nil
}

// NewBatch makes the batch of a run: the entries and one checkpoint over its head.
func NewBatch(signer journal.Signer, writer journal.Writer, run journal.Run) wire.Batch {
	last := run.Last()
	cp := journal.SignCheckpoint(signer, writer, run.Prev.Seq+1, last)
	return wire.Batch{
		V: wire.Version, Terminal: writer.ID, Epoch: writer.Epoch, First: run.Prev.Seq + 1, Prev: run.Prev.Hash[:],
		Entries: run.Entries, Head: last.Hash[:], Signature: cp.Signature,
	}
}

// exchange posts one compressed message.
func (s *Service) exchange(ctx context.Context, path string, message any) ([]byte, error) {
	return s.exchangeAs(ctx, s.client, path, message)
}

// exchangeAs is exchange under the name of a client.
func (s *Service) exchangeAs(ctx context.Context, c *client, path string, message any) ([]byte, error) {
	raw, err := wire.Marshal(message)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timing.Request)
	defer cancel()
	return c.call(ctx, http.MethodPost, path, wire.Compress(raw))
}

// modeOf sorts a failure.
func modeOf(err error) Mode {
	var unreachable *unreachableError
	if errors.As(err, &unreachable) {
		return ModeOffline
	}
	switch problem.CodeOf(err) {
	case problem.JournalFork:
		return ModeForked
	case problem.TerminalRevoked:
		return ModeRevoked
	case problem.TerminalQuarantined:
		return ModeQuarantined
	case problem.Unavailable:
		return ModeOffline
	}
	return ModeRefused
}
