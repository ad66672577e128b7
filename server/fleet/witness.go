package fleet

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/wire"
)

// shortHash is how much of a hash a terminal keeps of HQ's heads.
const shortHash = 8

// Heads says how far HQ's own journal has come, sealed, for terminals to keep; it is
// empty without a key to sign with.
func (f *Fleet) Heads(ctx context.Context) ([]byte, error) {
	if len(f.env.Statement.Public.Key) == 0 {
		return nil, nil
	}
	heads, err := f.env.Keeper.HQHeads(ctx, f.env.HQEpoch)
	if err != nil {
		return nil, fmt.Errorf("read HQ heads: %w", err)
	}
	h := wire.Heads{V: wire.Version, HQ: f.env.HQ, HQEpoch: f.env.HQEpoch, At: f.now().UnixMilli()}
	for _, head := range heads {
		if head.Seq > 0 {
			h.List = append(h.List, wire.HQHead{Shard: uint8(head.Shard), Seq: head.Seq, Hash: bytes.Clone(head.Hash[:shortHash])})
		}
	}
	return wire.Seal(f.env.Statement, wire.DomainHeads, h)
}

// Witnessed holds what a terminal has kept of HQ's heads against HQ's own journal,
// and raises an exception for each shard whose journal had come further: HQ was
// restored to an earlier state, and what it decided since is lost. Bytes that are not
// this HQ's word change nothing: anybody may have written them.
func (f *Fleet) Witnessed(ctx context.Context, terminal uuid.UUID, witness []byte) error {
	seen, ok := f.openHeads(witness)
	if !ok {
		return nil
	}
	heads, err := f.env.Keeper.HQHeads(ctx, seen.HQEpoch)
	if err != nil {
		return fmt.Errorf("read HQ heads: %w", err)
	}
	has := make(map[int]uint64, len(heads))
	for _, h := range heads {
		has[h.Shard] = h.Seq
	}
	for _, s := range seen.List {
		if have := has[int(s.Shard)]; s.Seq > have {
			if err := f.env.Keeper.RaiseException(ctx, f.lost(terminal, seen, s, have)); err != nil {
				return fmt.Errorf("note lost facts: %w", err)
			}
		}
	}
	return nil
}

// openHeads reads heads that this HQ has signed, now or in an earlier epoch.
func (f *Fleet) openHeads(witness []byte) (wire.Heads, bool) {
	signed, err := wire.Unmarshal[wire.Signed](witness)
	if err != nil {
		return wire.Heads{}, false
	}
	claim, err := wire.Unmarshal[wire.Heads](signed.Payload)
	if err != nil {
		return wire.Heads{}, false
	}
	seen, err := wire.Open[wire.Heads](witness, wire.DomainHeads, f.env.Keys, time.UnixMilli(claim.At))
	return seen, err == nil && seen.HQ == f.env.HQ
}

// lost is the exception about a shard; it is one however many terminals tell.
func (f *Fleet) lost(terminal uuid.UUID, seen wire.Heads, s wire.HQHead, have uint64) ledger.Exception {
	e := ledger.Exception{
		ID:    uuid.NewSHA1(f.env.HQ, fmt.Appendf(nil, "lost/%d/%d", seen.HQEpoch, s.Shard)),
		Shard: int(s.Shard), Kind: ledger.HQFactsLost, State: ledger.ExceptionOpen, Liable: "programme", Terminal: terminal,
		Epoch: seen.HQEpoch, Seq: s.Seq, Amount: int64(s.Seq - have), OccurredAt: seen.At, RecordedAt: f.now().UnixMilli(),
		Cause: fmt.Sprintf("HQ's journal of shard %d, epoch %d, was seen at %d and restored to %d: %d facts of head office are lost",
			s.Shard, seen.HQEpoch, s.Seq, have, s.Seq-have),
	}
	copy(e.Source[:], s.Hash)
	return e
}

// Greet completes the welcome of a terminal: HQ takes what the terminal witnessed of
// HQ, and gives it what it shall keep from now on.
func (f *Fleet) Greet(ctx context.Context, who Caller, hello wire.Hello, welcome *wire.Welcome) (err error) {
	if len(hello.Witness) > 0 {
		if err := f.Witnessed(ctx, who.Terminal.ID, hello.Witness); err != nil {
			return err
		}
	}
	if who.MayPull() != nil {
		return nil // it is told nothing
	}
	if len(hello.Enrolment) == 0 {
		if welcome.Enrolment, err = f.statement(ctx, who.Terminal); err != nil {
			return err
		}
	}
	welcome.Heads, err = f.Heads(ctx)
	return err
}
