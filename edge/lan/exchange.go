package lan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// exchangeAll looks at every lane once, all at the same time.
func (n *Node) exchangeAll(ctx context.Context) {
	var all sync.WaitGroup
	for _, lane := range n.peers.all() {
		all.Go(func() {
			if err := n.exchange(ctx, lane.Address); err != nil {
				n.peers.note(lane.Address, func(l *Lane) { l.Up, l.Online = false, false })
				n.cfg.Log.Debug("lane does not answer", "address", lane.Address, "err", err)
			}
		})
	}
	all.Wait()
}

// exchange shows a lane this terminal's head and looks at the lane's. Both prove what
// the other knows of them; this terminal needs a second message for it.
func (n *Node) exchange(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, n.timing.Request)
	defer cancel()
	known, err := n.showHead(ctx, address, wire.SignedHead{})
	if err != nil || len(known.Head) == 0 {
		return err
	}
	proof, err := n.prove(ctx, known)
	if err != nil || len(proof.Head) == 0 {
		return err
	}
	_, err = n.showHead(ctx, address, proof)
	return err
}

// showHead sends one message and returns the head of this terminal that the lane knows.
func (n *Node) showHead(ctx context.Context, address string, proof wire.SignedHead) (known wire.SignedHead, err error) {
	mine, err := n.cfg.Terminal.SignedHead()
	if err != nil {
		return known, err
	}
	asked := wire.HeadRequest{V: wire.Version, Mine: mine, Proof: proof, Said: n.cfg.Terminal.Said()}
	if lane, met := n.peers.who(address); met {
		if base, met := n.book.Base(lane); met {
			asked.Known = base.Signed
		}
	}
	raw, lane, err := n.post(ctx, address, wire.PathLANHead, asked)
	if err != nil {
		return known, err
	}
	answer, err := wire.Unmarshal[wire.HeadAnswer](raw)
	if err != nil {
		return known, err
	}
	head, err := n.takeShown(ctx, lane, answer.Mine, answer.Proof)
	if err != nil {
		return known, fmt.Errorf("lane %s: %w", lane.ID, err)
	}
	n.passedOn(ctx, lane.ID, answer.Said)
	found, _ := n.book.Found(lane.ID)
	n.peers.note(address, func(l *Lane) {
		l.Terminal, l.Seen, l.Up, l.Online, l.Seq, l.Finding = lane.ID, n.cfg.Clock.Now(), true, answer.Online, head.Seq, found.Finding
	})
	return answer.Known, nil
}

// passedOn takes in what a lane shows of HQ's words. One that cannot be verified is left
// aside: the lane may have newer keys of HQ than this one.
func (n *Node) passedOn(ctx context.Context, lane uuid.UUID, said wire.Dated) {
	if len(said.Sealed) == 0 {
		return
	}
	if err := n.cfg.Terminal.PassedOn(ctx, said); err != nil {
		n.cfg.Log.Debug("a lane's word of HQ is not believed", "lane", lane, "err", err)
	}
}

// prove compares what a lane knows of this terminal with its own journal, and returns
// the proof that it still goes on from there. The journal only grows, so a head that
// is longer than the journal now was never of this journal.
func (n *Node) prove(ctx context.Context, signed wire.SignedHead) (proof wire.SignedHead, err error) {
	key := n.publicKey()
	known, err := wire.OpenHead(key, signed)
	if err != nil || known.Terminal != n.self.ID {
		return proof, problem.Wrap(problem.ProofInvalid, err, "a lane shows a head that this terminal never signed")
	}
	now, err := n.cfg.Terminal.SignedHead()
	if err != nil {
		return proof, err
	}
	own, err := wire.OpenHead(key, now)
	if err != nil {
		return proof, err
	}
	switch {
	case known.Epoch > own.Epoch || known.Epoch == own.Epoch && known.Seq > own.Seq:
		return proof, n.cfg.Terminal.Contradicted(ctx, entry.WitnessRollback, signed)
	case known.Epoch < own.Epoch:
		return proof, nil // of an epoch that is over
	}
	proof, err = n.cfg.Terminal.SignedAt(ctx, known.Seq)
	if errors.Is(err, journal.ErrPruned) {
		return wire.SignedHead{}, nil // the lane was away for longer than entries are kept
	}
	if err != nil {
		return proof, fmt.Errorf("prove entry %d: %w", known.Seq, err)
	}
	at, err := wire.OpenHead(key, proof)
	if err != nil {
		return proof, err
	}
	if !bytes.Equal(at.Hash, known.Hash) {
		return proof, n.cfg.Terminal.Contradicted(ctx, entry.WitnessFork, signed)
	}
	return proof, n.cfg.Terminal.Confirmed(ctx, known.Seq)
}

// takeShown checks and takes in what a lane shows of itself.
func (n *Node) takeShown(ctx context.Context, lane wire.Terminal, mine, proof wire.SignedHead) (wire.Head, error) {
	shown, err := openOwn(lane, mine)
	if err != nil {
		return wire.Head{}, err
	}
	n.cfg.Terminal.HLC(shown.Head.HLC)
	found, news := n.book.Take(shown)
	if len(proof.Head) > 0 && found.Finding == entry.WitnessSeen {
		proved, err := openOwn(lane, proof)
		if err != nil {
			return wire.Head{}, err
		}
		found, news = n.book.Prove(proved, shown)
	}
	return shown.Head, n.journal(ctx, lane.ID, found, news)
}

// journal writes down what is worth it: a finding at once, a mere head now and then.
func (n *Node) journal(ctx context.Context, lane uuid.UUID, found Evidence, news bool) error {
	switch {
	case found.Finding == entry.WitnessSeen && n.due(lane, found.Shown.Head):
		return n.cfg.Terminal.Saw(ctx, witness(found))
	case found.Finding == entry.WitnessSeen || !news:
		return nil
	}
	n.cfg.Log.Warn("a lane's journal contradicts what it showed before", "lane", lane, "finding", found.Finding, "seq", found.Shown.Head.Seq)
	return n.cfg.Terminal.Saw(ctx, witness(found))
}

// due reports whether a head deserves an entry now, and notes that it got one. A head
// that has not moved never does.
func (n *Node) due(lane uuid.UUID, head wire.Head) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, met := n.journaled[lane]
	now := n.cfg.Clock.Now()
	if met && (head.Epoch == last.epoch && head.Seq <= last.seq || now.Sub(last.at).Abs() < n.timing.Journal) {
		return false
	}
	n.journaled[lane] = witnessed{now, head.Epoch, head.Seq}
	return true
}

func witness(e Evidence) entry.Witness {
	h := e.Shown.Head
	return entry.Witness{
		Writer: h.Terminal, Epoch: h.Epoch, Seq: h.Seq, Hash: h.Hash, Finding: e.Finding,
		Head: e.Shown.Signed.Head, Signature: e.Shown.Signed.Signature,
		Known: e.Known.Signed.Head, KnownSignature: e.Known.Signed.Signature,
	}
}

// serveHead answers a lane that shows its head.
func (n *Node) serveHead(r *http.Request, lane wire.Terminal, body []byte) (any, error) {
	asked, err := wire.Unmarshal[wire.HeadRequest](body)
	if err != nil {
		return nil, err
	}
	base, met := n.book.Base(lane.ID) // before this head, which proves nothing about itself
	if _, err := n.takeShown(r.Context(), lane, asked.Mine, asked.Proof); err != nil {
		return nil, err
	}
	n.passedOn(r.Context(), lane.ID, asked.Said)
	answer := wire.HeadAnswer{V: wire.Version, Online: n.direct.Load(), Said: n.cfg.Terminal.Said()}
	if len(asked.Known.Head) > 0 {
		if answer.Proof, err = n.prove(r.Context(), asked.Known); err != nil {
			return nil, err
		}
	}
	if answer.Mine, err = n.cfg.Terminal.SignedHead(); err != nil {
		return nil, err
	}
	if met {
		answer.Known = base.Signed
	}
	if found, had := n.book.Found(lane.ID); had {
		answer.Finding, answer.Known = uint8(found.Finding), found.Known.Signed
	}
	return answer, nil
}
