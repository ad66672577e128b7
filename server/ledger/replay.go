package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Replay posts into empty books what the journals beside them say: HQ's facts in the
// order of their chains, then everything that terminals sent. It returns how many
// entries it passed. An account is a function of the set of its facts, so lots and
// balances come out as they were, whatever order the facts once came in.
func (l *Ledger) Replay(ctx context.Context) (int, error) {
	heads, err := l.o.Store.AuditHQHeads(ctx)
	if err != nil {
		return 0, fmt.Errorf("read HQ heads: %w", err)
	}
	passed := 0
	for _, h := range heads {
		n, err := l.replayHQ(ctx, h)
		if err != nil {
			return passed, fmt.Errorf("replay HQ journal of shard %d, epoch %d: %w", h.Shard, h.Epoch, err)
		}
		passed += n
	}
	for {
		n, err := l.Apply(ctx)
		if err != nil || n == 0 {
			return passed, err
		}
		passed += n
	}
}

// replayHQ posts the facts of one chain of HQ, a page at a time.
func (l *Ledger) replayHQ(ctx context.Context, h hqjournal.Head) (int, error) {
	passed, w := 0, hqjournal.WriterOf(l.o.HQ, h.Shard, h.Epoch)
	for at := uint64(0); at < h.Seq; {
		rows, err := l.o.Store.AuditHQEntries(ctx, h.Shard, h.Epoch, at, auditPage)
		if err != nil {
			return passed, err
		}
		if len(rows) == 0 {
			return passed, fmt.Errorf("entries after %d are missing, the head is %d", at, h.Seq)
		}
		var facts []fact
		for _, row := range rows {
			at = row.Seq
			if !posts(row.Kind) {
				continue
			}
			f, err := hqFactOf(w.ID, row)
			if err != nil {
				return passed, fmt.Errorf("entry %d: %w", row.Seq, err)
			}
			facts = append(facts, f)
		}
		for _, group := range l.groups(facts) {
			if err := l.post(ctx, group); err != nil {
				return passed, err
			}
		}
		passed += len(rows)
	}
	return passed, nil
}

// hqFactOf is the fact that an entry of HQ was when it was written.
func hqFactOf(writer uuid.UUID, row hqjournal.Row) (fact, error) {
	env, err := entry.Decode(row.Raw)
	if err != nil {
		return fact{}, err
	}
	account, effective, err := hqAccount(row.Kind, env)
	if err != nil {
		return fact{}, err
	}
	fold, err := foldOf(row.Kind, row.Raw)
	if err != nil {
		return fact{}, err
	}
	if effective == 0 {
		effective = row.RecordedAt
	}
	return fact{hq: tolerant(fold), shard: shard.Of(account), account: account, Entry: Entry{
		Terminal: writer, Epoch: row.Epoch, Seq: row.Seq, Hash: row.Hash, Kind: row.Kind, State: Accepted, Proven: true,
		OccurredAt: row.RecordedAt, EffectiveAt: effective, RecordedAt: row.RecordedAt,
	}}, nil
}

// hqAccount is whose account a fact of HQ changes, and when it takes effect if that
// is another time than when it was written.
func hqAccount(kind entry.Kind, env entry.Entry) (account uuid.UUID, effective int64, err error) {
	switch kind {
	case entry.KindHQAdjustment:
		body, err := entry.DecodeBody[entry.HQAdjustment](env)
		return body.Account, 0, err
	case entry.KindHQExpiry:
		body, err := entry.DecodeBody[entry.HQExpiry](env)
		return body.Account, body.Until, err
	case entry.KindHQExceptionDecision:
		body, err := entry.DecodeBody[entry.HQDecision](env)
		return body.Account, body.At, err
	case entry.KindHQTransferOut, entry.KindHQTransferIn:
		body, err := entry.DecodeBody[entry.HQTransfer](env)
		return body.Account, 0, err
	case entry.KindHQCorrection:
		body, err := entry.DecodeBody[entry.HQCorrection](env)
		return body.Account, 0, err
	case entry.KindHQCorrectionUndo:
		body, err := entry.DecodeBody[entry.HQCorrectionUndo](env)
		return body.Account, 0, err
	case entry.KindHQVoucher:
		body, err := entry.DecodeBody[entry.HQRecord](env)
		if err != nil {
			return uuid.Nil, 0, err
		}
		v, err := wire.Unmarshal[loyalty.Voucher](body.Record)
		return uuid.UUID(v.Account), 0, err
	}
	return uuid.Nil, 0, fmt.Errorf("kind %s changes no account", kind)
}
