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

// postingKinds lists the kinds of entries that post, of terminals and of HQ.
func postingKinds() []entry.Kind {
	kinds := []entry.Kind{entry.KindSale, entry.KindVoid, entry.KindReturn}
	for k := firstHQKind; k < firstHQKind+200; k++ {
		if posts(k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// replayMissed posts what is in the journals and was not posted.
func (l *Ledger) replayMissed(ctx context.Context, done *Replayed) error {
	rows, err := l.o.Store.Unposted(ctx, postingKinds())
	if err != nil {
		return err
	}
	facts, err := l.unposted(ctx, rows)
	if err != nil {
		return err
	}
	done.Missed += len(facts)
	for _, group := range l.groups(facts) {
		if err := l.orSetAside(ctx, group, l.postRouted); err != nil {
			return err
		}
	}
	return nil
}

// unposted reads facts that have no source, and says where they count.
func (l *Ledger) unposted(ctx context.Context, rows []SourceRow) ([]fact, error) {
	var facts []fact
	var till []SourceRow
	for _, r := range rows {
		if r.Writer != uuid.Nil {
			till = append(till, r)
			continue
		}
		f, ok, err := l.stepFact(ctx, r.Shard, Step{Epoch: r.Epoch, Seq: r.Seq}, nil)
		if err != nil {
			return nil, err
		}
		if ok {
			facts = append(facts, f)
		}
	}
	entries, err := l.o.Store.SourceEntries(ctx, till)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if f, ok := factOf(e); ok {
			facts = append(facts, f)
		}
	}
	return l.route(ctx, facts)
}

// factsOf reads the facts of sources.
func (l *Ledger) factsOf(ctx context.Context, rows []SourceRow) ([]fact, error) {
	histories := map[AccountKey]history{}
	if err := l.readFacts(ctx, newSet(), rows, histories); err != nil {
		return nil, err
	}
	var out []fact
	for _, h := range histories {
		out = append(out, h.facts...)
	}
	return out, nil
}

// openRest opens the accounts in which nothing has happened.
func (l *Ledger) openRest(ctx context.Context) error {
	heads, err := l.o.Store.AuditHQHeads(ctx)
	if err != nil {
		return fmt.Errorf("read HQ heads: %w", err)
	}
	for _, h := range heads {
		for at := uint64(0); at < h.Seq; {
			rows, err := l.o.Store.AuditHQEntries(ctx, h.Shard, h.Epoch, at, auditPage)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return fmt.Errorf("HQ journal of shard %d, epoch %d: entries after %d are missing, the head is %d", h.Shard, h.Epoch, at, h.Seq)
			}
			at = rows[len(rows)-1].Seq
			for _, row := range rows {
				if err := l.openOwner(ctx, row); err != nil {
					return fmt.Errorf("HQ journal of shard %d, epoch %d, entry %d: %w", h.Shard, h.Epoch, row.Seq, err)
				}
			}
		}
	}
	return nil
}

// openOwner opens the account that a member or voucher was given.
func (l *Ledger) openOwner(ctx context.Context, row hqjournal.Row) error {
	if row.Kind != entry.KindHQMember && row.Kind != entry.KindHQVoucherMoved {
		return nil
	}
	env, err := entry.Decode(row.Raw)
	if err != nil {
		return err
	}
	body, err := entry.DecodeBody[entry.HQRecord](env)
	if err != nil {
		return err
	}
	var owner uuid.UUID
	if row.Kind == entry.KindHQMember {
		m, err := wire.Unmarshal[wire.Member](body.Record)
		if err != nil {
			return err
		}
		owner = m.Account
	} else {
		v, err := wire.Unmarshal[loyalty.Voucher](body.Record)
		if err != nil {
			return err
		}
		owner = uuid.UUID(v.Account)
	}
	return l.o.Store.OpenAccounts(ctx, []AccountKey{{shard.Of(owner), owner}})
}

// hqFactOf is the fact that an entry of HQ was when it was written.
func hqFactOf(writer uuid.UUID, row hqjournal.Row) (fact, error) {
	env, err := entry.Decode(row.Raw)
	if err != nil {
		return fact{}, err
	}
	account, effective, err := hqAccount(row.Kind, env, row.RecordedAt)
	if err != nil {
		return fact{}, err
	}
	fold, err := foldOf(row.Kind, row.Raw)
	if err != nil {
		return fact{}, err
	}
	f := fact{hq: tolerant(fold), shard: shard.Of(account), account: account, named: rightNamed(env), Entry: Entry{
		Terminal: writer, Epoch: row.Epoch, Seq: row.Seq, Hash: row.Hash, Kind: row.Kind, State: Accepted, Proven: true,
		OccurredAt: row.RecordedAt, EffectiveAt: effective, RecordedAt: row.RecordedAt, Raw: row.Raw,
	}}
	return f, f.readClaim()
}

// hqAccount is whose account a fact of HQ changes, and when it takes effect: when it was
// recorded, unless it says another time.
func hqAccount(kind entry.Kind, env entry.Entry, recordedAt int64) (account uuid.UUID, effective int64, err error) {
	switch kind {
	case entry.KindHQGrant:
		body, err := entry.DecodeBody[entry.HQGrant](env)
		return body.Account, grantedAt(body, recordedAt), err
	case entry.KindHQTakeBack:
		body, err := entry.DecodeBody[entry.HQTakeBack](env)
		return body.Account, recordedAt, err
	case entry.KindHQAdjustment:
		body, err := entry.DecodeBody[entry.HQAdjustment](env)
		return body.Account, recordedAt, err
	case entry.KindHQClaimed:
		body, err := entry.DecodeBody[entry.HQClaimed](env)
		return body.Account, body.EffectiveAt, err
	case entry.KindHQExpiry:
		body, err := entry.DecodeBody[entry.HQExpiry](env)
		return body.Account, body.Until, err
	case entry.KindHQExceptionDecision:
		body, err := entry.DecodeBody[entry.HQDecision](env)
		return body.Account, body.At, err
	case entry.KindHQTransferOut, entry.KindHQTransferIn:
		body, err := entry.DecodeBody[entry.HQTransfer](env)
		return body.Account, recordedAt, err
	case entry.KindHQCorrection:
		body, err := entry.DecodeBody[entry.HQCorrection](env)
		return body.Account, recordedAt, err
	case entry.KindHQCorrectionUndo:
		body, err := entry.DecodeBody[entry.HQCorrectionUndo](env)
		return body.Account, recordedAt, err
	case entry.KindHQVoucher:
		body, err := entry.DecodeBody[entry.HQRecord](env)
		if err != nil {
			return uuid.Nil, 0, err
		}
		v, err := wire.Unmarshal[loyalty.Voucher](body.Record)
		return uuid.UUID(v.Account), recordedAt, err
	}
	return uuid.Nil, 0, fmt.Errorf("kind %s changes no account", kind)
}
